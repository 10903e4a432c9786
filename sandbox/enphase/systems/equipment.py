"""The devices of a system as `devices` lists them, by type; a type that it does not have is absent."""

from typing import Any

from sandbox.enphase.systems.state import State
from simulation import Device

MICRO_ID, OTHER_ID = 1_023_000_000, 1_590_000_000
Entry = dict[str, Any]


def listed(state: State, blanks: str = " ") -> dict[str, list[Entry]]:
    """All active devices. blanks: what stands between the words of a microinverter's name."""
    if state.is_retired:
        return {}
    seen, light = state.seen, state.last_light
    types = {
        "micros": [_micro(state, index, device, blanks, light) for index, device in enumerate(seen.inverters)],
        "meters": _meters(state) if seen.is_metered else [],
        "gateways": [_gateway(state, index, serial) for index, serial in enumerate(seen.gateways)],
        "q_relays": [] if seen.is_older else [_relay(state)],
        "acbs" if seen.has_acbs else "encharges": [_battery(state, *indexed) for indexed in enumerate(seen.batteries)],
        "enpowers": [_controller(state)] if seen.batteries else [],
    }
    return {name: entries for name, entries in types.items() if entries}


def battery_id(state: State, index: int) -> int:
    """The number of a battery. AC Batteries share one, as in the published example."""
    return OTHER_ID + 100 * state.seen.site.number + 40 + (0 if state.seen.has_acbs else index)


def micro_id(state: State, index: int) -> int:
    """The number of a microinverter."""
    return MICRO_ID + 1000 * state.seen.site.number + index


def meter_id(state: State, index: int) -> int:
    """The number of a meter."""
    return OTHER_ID + 100 * state.seen.site.number + 10 + index


def _micro(state: State, index: int, device: Device, blanks: str, light: int | None) -> Entry:
    silent = state.is_silent(device)
    part, sku = micro_part(device)
    entry = _entry(micro_id(state, index), f"Microinverter{blanks}{device.serial}", device.serial, part, sku)
    entry |= {"last_report_at": state.silent_since if silent else light, "model": device.model}
    entry |= {"status": "micro" if silent else "normal", "product_name": device.model}
    return entry


def micro_part(device: Device) -> tuple[str, str]:
    """Part number and article number of a microinverter."""
    if device.model == "M250":
        return "800-00107-r01", "M250-60-2LL-S22"
    return "800-01333-r01", "IQ7PLUS-72-2-US"


def _battery(state: State, index: int, device: Device) -> Entry:
    part, sku = ("800-00562-r01", "B10-A01-US00-1-3")
    if state.seen.has_acbs:
        part, sku = ("800-00560-r03", "IQ7-B1200-LN-I-INT01-RV0")
    entry = _entry(battery_id(state, index), device.name, device.serial, part, sku)
    return entry | {"last_report_at": state.last_report, "product_name": device.model}


def _meters(state: State) -> list[Entry]:
    meters = []
    for index, (name, kind) in enumerate((("production", "Production"), ("consumption", "Net"))):
        serial = f"{state.seen.gateways[0]}EIM{index + 1}"
        entry = _entry(meter_id(state, index), name, serial, "800-00655-r08", None)
        entry |= {"last_report_at": state.last_report, "model": "Envoy S", "product_name": "RGM"}
        meters.append(entry | {"state": "enabled", "config_type": kind, "config_phase": "single"})
    return meters


def _gateway(state: State, index: int, serial: str) -> Entry:
    name = f"{'Envoy' if state.seen.is_older else 'Gateway'} {serial}"
    entry = _entry(meter_id(state, 10 + index), name, serial, "800-00655-r08", "ENV-IQ-AM1-240")
    entry |= {"last_report_at": state.last_report, "model": "Envoy-S-Standard-NA", "emu_sw_version": "D7.6.175"}
    return entry | {"product_name": "IQ Gateway", "status": "comm" if state.status == "comm" else "normal"}


def _relay(state: State) -> Entry:
    serial = f"{912_000_000_000 + state.seen.site.number}"
    entry = _entry(meter_id(state, 20), f"IQ Relay {serial}", serial, "800-00595-r01", "Q-RELAY-1P-INT")
    return entry | {"last_report_at": state.last_report, "product_name": "IQ Relay"}


def _controller(state: State) -> Entry:
    serial = f"{483_000_000_000 + state.seen.site.number}"
    entry = _entry(meter_id(state, 21), f"IQ System Controller {serial}", serial, "800-01135-r02", "EP200G101-M240US00")
    return entry | {"last_report_at": state.last_report, "product_name": "IQ System Controller"}


def _entry(number: int, name: str, serial: str | None, part: str, sku: str | None) -> Entry:
    return {
        "id": number,
        "last_report_at": None,
        "name": name,
        "serial_number": serial,
        "part_number": part,
        "sku": sku,
        "model": "",
        "status": "normal",
        "active": True,
    }
