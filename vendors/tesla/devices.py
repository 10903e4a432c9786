"""The devices of a site: those in the lists of its components, and those that stand for what is not listed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vendors.kit import Battery, ListRow, SolarInverter
from vendors.kit.parsing.reading import Raw, flag, optional_text, rating, text

# A battery with an inverter for solar modules inside. It is seen among the gateways, and may be listed as battery and
# as inverter too.
HYBRID = "powerwall3"
# The name of expansion packs. They have no ratings: the Powerwall 3 that they hang on is rated with them.
PACK = "Unknown"
LISTS = ("gateways", "inverters", "batteries")
# In Wh and W, those of gateways first, whose Wh are named watts.
ENERGIES = ("nameplate_energy_watts", "nameplate_energy")
POWERS = ("nameplate_power_watts", "nameplate_max_discharge_power")


def parts_of(components: Raw) -> dict[str, Raw]:
    """All that the lists together tell of each part, by its DIN, and by its device id unless several DINs share it."""
    arrays = (components.get(name) for name in LISTS)
    listed = [raw for array in arrays if isinstance(array, list) for raw in array if isinstance(raw, Mapping)]
    dins = dins_of(listed)
    found: dict[str, Raw] = {}
    for raw in listed:
        id = optional_text(raw, "device_id") or ""
        if key := optional_text(raw, "din") or dins.get(id, id):
            told = {member: value for member, value in raw.items() if value or value is False}
            found[key] = {**found.get(key, {}), **told}
    return found | {id: found[number] for id, number in dins.items()}


def dins_of(listed: Sequence[Raw]) -> dict[str, str]:
    """The DIN that belongs to each device id: a list may tell the id alone. None where several share the id."""
    told = {(optional_text(raw, "device_id"), optional_text(raw, "din")) for raw in listed}
    pairs = [(id, number) for id, number in told if id and number]
    shares = Counter(id for id, _ in pairs)
    return {id: number for id, number in pairs if shares[id] == 1}


def whole(parts: Mapping[str, Raw], raw: Raw) -> Raw:
    """A row of a list with what other lists tell of the same part."""
    return parts.get(optional_text(raw, "din") or optional_text(raw, "device_id") or "", raw)


def to_inverter(site: str, raw: Raw) -> ListRow[SolarInverter] | None:
    """Solar inverter from a component; None when it is no longer active."""
    if flag(raw, "is_active") is False:
        return None
    device = din(raw)
    return SolarInverter.listed((site, device), device, site, of_inverter, raw)


def to_hybrid(site: str, raw: Raw) -> ListRow[SolarInverter] | None:
    """The inverter inside a battery, where that kind of battery has one."""
    return to_inverter(site, raw) if is_hybrid(raw) else None


def to_battery(site: str, raw: Raw) -> ListRow[Battery] | None:
    """Battery from a component; None when it is no longer active."""
    if flag(raw, "is_active") is False:
        return None
    device = din(raw)
    return Battery.listed((site, device), device, site, of_battery, raw)


def to_gateway_battery(site: str, raw: Raw) -> ListRow[Battery] | None:
    """The battery that a gateway is; None for one that is only a gateway."""
    return to_battery(site, raw) if is_hybrid(raw) or rating(raw, *ENERGIES) else None


def is_hybrid(raw: Raw) -> bool:
    """Samples have the model's name with a blank and without."""
    return HYBRID in (optional_text(raw, "part_name") or "").lower().replace(" ", "")


def without_packs(batteries: Sequence[ListRow[Battery]]) -> list[ListRow[Battery]]:
    """Without the expansion packs where nothing but a Powerwall 3 is there for them to hang on, or nothing at all."""
    others = [battery for battery in batteries if not is_pack(battery)]
    return others if all(is_hybrid(battery.raw) for battery in others) else list(batteries)


def is_pack(battery: ListRow[Battery]) -> bool:
    raw = battery.raw
    return optional_text(raw, "part_name") == PACK and not rating(raw, *ENERGIES) and not rating(raw, *POWERS)


def nameplate_kwh(info: Raw, batteries: Sequence[Battery]) -> float | None:
    """Capacity of a site's batteries: its own rating, else the sum of theirs if they have them.

    A Powerwall 3 without a rating is taken to be in that of its leader.
    """
    unrated = [battery for battery in batteries if not battery.nameplate_kwh and battery.kind != "hybrid"]
    total_kwh = sum(battery.nameplate_kwh or 0.0 for battery in batteries)
    return rating(info, "nameplate_energy") or (total_kwh if total_kwh and not unrated else None)


def synthetic_inverter(site: str, info: Raw) -> ListRow[SolarInverter]:
    """The device that stands for all of a site whose inverters are not listed."""
    return SolarInverter.listed((site,), site, site, lambda _: {"kind": "synthetic"}, info)


def synthetic_battery(site: str, info: Raw) -> ListRow[Battery]:
    """The device that stands for all of a site whose batteries are not listed."""
    return Battery.listed((site,), site, site, of_synthetic_battery, info)


def of_synthetic_battery(info: Raw) -> dict[str, Any]:
    return {
        "kind": "synthetic",
        "nameplate_kwh": rating(info, "nameplate_energy"),
        "rated_power_kw": rating(info, "nameplate_power"),
    }


def din(raw: Raw) -> str:
    """Identity of a device: its DIN, or its device id in answers that have none."""
    return optional_text(raw, "din") or text(raw, "device_id")


def of_device(raw: Raw) -> dict[str, Any]:
    return {
        "serial_number": optional_text(raw, "serial_number") or din(raw).partition("--")[2],
        "model": optional_text(raw, "part_name") or "",
        "kind": "hybrid" if is_hybrid(raw) else None,
    }


def of_inverter(raw: Raw) -> dict[str, Any]:
    """Only a Powerwall 3 among the gateways has a rating."""
    return of_device(raw) | {"rated_power_kw": rating(raw, POWERS[0])}


def of_battery(raw: Raw) -> dict[str, Any]:
    return of_device(raw) | {"nameplate_kwh": rating(raw, *ENERGIES), "rated_power_kw": rating(raw, *POWERS)}
