"""An inverter in lists and details: values in units that grow with them, `xStr` next to `x`, many idle members."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from sandbox.solis.constants import BATTERY_VOLTS, CHARGING_SIGN, GRID_VOLTS, STRING_VOLTS
from sandbox.solis.inverters import Inverter, standard_offset
from sandbox.times import day_start, local, period_start

STRINGS = 32
ENERGY_UNITS = ((1e6, "GWh", 6), (1e3, "MWh", 3))
# Members of an inverter that stand in every answer and say nothing here; then those of lists, and of details.
IDLE_ENERGIES = ("gridPurchasedToday", "gridSellToday", "backupToday", "backupTotal")
IDLE = {
    "nationalStandards": "0", "dispersionRate": 0.0, "parallelStatus": 0, "parallelAddr": 0, "parallelPhase": 0,
    "parallelBattery": 0, "bypassLoadPower": 0.0, "bypassLoadPowerStr": "kW", "isS5": 0, "psum": 0.0, "psumStr": "kW",
    "psumCalPec": "1", "simFlowState": -5, "tag": "YingZhen",
    **{f"{name}Energy": 0.0 for name in IDLE_ENERGIES}, **{f"{name}EnergyStr": "kWh" for name in IDLE_ENERGIES},
}  # fmt: skip
IN_LISTS = {
    "inverterConfig": "0", "ivSupport": 0, "updateShelfTime": "null", "offlineLongStr": "--", "currentState": "0",
    "dcInputType": 1,
    # 1 was seen on an inverter without a battery as well: it proves nothing.
    "batteryModel": 1,
}  # fmt: skip
IDLE_ENERGIES_IN_DETAILS = (
    "gridPurchasedTotal", "gridSellTotal", "homeLoadToday", "homeLoadTotal", "generatorToday", "generatorTotal",
)  # fmt: skip
IN_DETAILS = {
    "currentState": "3", "dcInputtype": 1, "faultCodeDesc": "Generating", "warningInfoData": 0,
    **{f"{name}Energy": 0.0 for name in IDLE_ENERGIES_IN_DETAILS},
    **{f"{name}EnergyStr": "kWh" for name in IDLE_ENERGIES_IN_DETAILS},
}  # fmt: skip


def energy(name: str, kwh: float) -> dict[str, Any]:
    """The member in the unit that suits its size, and its unit."""
    for least, unit, digits in ENERGY_UNITS:
        if kwh >= least:
            return {name: round(kwh / least, digits), f"{name}Str": unit}
    return {name: round(kwh, 1), f"{name}Str": "kWh"}


def power(name: str, watts: float) -> dict[str, Any]:
    """The member in kW."""
    return {name: round(watts / 1000, 3), f"{name}Str": "kW"}


def milliseconds(t: float | None) -> str:
    """The instant as the platform writes it: text; "0" for never."""
    return "0" if t is None else str(int(t) * 1000)


def clock_offset(offset_seconds: float) -> str:
    """The offset as text: `UTC+05:30`."""
    sign, minutes = "-" if offset_seconds < 0 else "+", abs(int(offset_seconds)) // 60
    return f"UTC{sign}{minutes // 60:02d}:{minutes % 60:02d}"


@lru_cache(maxsize=8192)
def _identity(unit: Inverter) -> dict[str, Any]:
    """The members that an inverter keeps."""
    hybrid = unit.battery is not None
    offset = standard_offset(unit.site).total_seconds()
    code = "3102" if hybrid else "b4"
    identity: dict[str, Any] = {
        **unit.device.native,
        "model": code,
        "productModel": code,
        "collectorId": str(int(unit.device.native["stationId"]) + 500_000),
        "collectorSn": f"4043{unit.site.number:05d}",
        "power": unit.device.rated_kw,
        "powerStr": "kW",
        "acOutputType": 1,
        "inverterMeterModel": 5 if hybrid else 1,
        "timeZone": offset / 3600,
        "timeZoneStr": clock_offset(offset),
        **IDLE,
    }
    return identity | ({"name": unit.device.name} if unit.number % 3 == 0 else {})


def _named(unit: Inverter) -> dict[str, Any]:
    """The station's name, which some stations lack."""
    return {} if lacks_name(unit.site.number) else {"stationName": unit.site.name}


def lacks_name(site_number: int) -> bool:
    """Whether the station goes without a name."""
    return site_number % 5 == 4


def _state(unit: Inverter, t: float | None, now: float) -> dict[str, Any]:
    return {
        "state": 1 if t is not None and unit.is_online(now) else 2,
        "stateExceptionFlag": 0,
        "dataTimestamp": milliseconds(t),
    }


def _flows(unit: Inverter, t: float) -> tuple[float, float, float, float]:
    """PV, charge, discharge and AC power in W; the AC side of a hybrid has the battery's flow in it."""
    pv, charge, discharge = (unit.watts(quantity, t) for quantity in ("pv", "charge", "discharge"))
    return pv, charge, discharge, pv + discharge - charge


def _strings(unit: Inverter, pv: float) -> dict[str, float]:
    """Two strings that share the PV power, in W; the other inputs are unused."""
    used = {"pow1": round(0.55 * pv, 2), "pow2": round(pv - round(0.55 * pv, 2), 2)}
    return {f"pow{index}": used.get(f"pow{index}", 0.0) for index in range(1, STRINGS + 1)}


def _battery_power(unit: Inverter, charge: float, discharge: float) -> dict[str, Any]:
    """The battery's power: signed at some installations, without a sign at the others."""
    flow = charge - discharge if unit.site.number % 2 else charge + discharge
    return {**power("batteryPower", flow), "batteryPowerPec": "1"}


def _battery_energies(unit: Inverter, t: float) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for quantity, word in (("charge", "Charge"), ("discharge", "Discharge")):
        members |= energy(f"batteryToday{word}Energy", unit.kwh(quantity, unit.midnight(t), t))
        members |= energy(f"batteryTotal{word}Energy", unit.lifetime_kwh(quantity, t))
    return members


def listed(unit: Inverter, now: float) -> dict[str, Any]:
    """An inverter as `inverterList` gives it."""
    last = unit.last_stamp(now)
    t = unit.begun if last is None else last
    pv, charge, discharge, ac = _flows(unit, t)
    return {
        **_identity(unit),
        **IN_LISTS,
        "fisTime": milliseconds(unit.begun),
        **_named(unit),
        **_state(unit, last, now),
        **power("pac", ac),
        "pac1": 0,
        **power("psumCal", ac),
        **_production_in_lists(unit, t),
        **_strings(unit, pv),
        **_battery_power(unit, charge, discharge),
        "batteryCapacitySoc": unit.soc(t),
        **_battery_energies(unit, t),
    }


def detailed(unit: Inverter, now: float) -> dict[str, Any]:
    """An inverter as `inverterDetail` gives it, with the other spelling of some members."""
    last = unit.last_stamp(now)
    t = unit.begun if last is None else last
    pv, charge, discharge, ac = _flows(unit, t)
    strings = _strings(unit, pv)
    return {
        **_other_spelling(_identity(unit)),
        **IN_DETAILS,
        **_first_day(unit),
        **_named(unit),
        **_state(unit, last, now),
        "machine": unit.device.model,
        "version": "4B0019" if unit.battery else "0F000F",
        "timeStr": datetime.fromtimestamp(t, unit.zone).strftime("%Y-%m-%d %H:%M:%S"),
        **power("pac", ac),
        "pacPec": "1",
        **power("dcPac", pv),
        **_production(unit, t),
        **strings,
        **_electric(strings, ac),
        **_battery_power(unit, charge, discharge),
        **_battery_state(unit, charge, discharge, t),
        **_battery_energies(unit, t),
    }


def _other_spelling(identity: dict[str, Any]) -> dict[str, Any]:
    return {"collectorsn" if name == "collectorSn" else name: value for name, value in identity.items()}


def _first_day(unit: Inverter) -> dict[str, Any]:
    """When it first gave energy, as a number, and as the date of its clock."""
    date = f"{datetime.fromtimestamp(unit.begun, unit.zone):%Y-%m-%d}"
    return {"fisTimeStr": date, "fisGenerateTime": int(unit.begun) * 1000, "fisGenerateTimeStr": date}


def _production_in_lists(unit: Inverter, t: float) -> dict[str, Any]:
    today, total = unit.kwh("pv", unit.midnight(t), t), unit.lifetime_kwh("pv", t)
    rated = unit.device.rated_kw or 1.0
    return {
        **energy("etoday", today),
        **energy("etotal", total),
        "etoday1": round(today, 1),
        "etotal1": float(int(total)),
        "fullHour": round(today / rated, 2),
        "totalFullHour": round(total / rated, 2),
    }


def _production(unit: Inverter, t: float) -> dict[str, Any]:
    today = local(t, unit.zone).date()
    members = energy("eToday", unit.kwh("pv", unit.midnight(t), t))
    for name, span in (("eMonth", "month"), ("eYear", "year")):
        members |= energy(name, unit.kwh("pv", day_start(period_start(today, span), unit.zone), t))
    total = unit.lifetime_kwh("pv", t)
    return members | energy("eTotal", total) | {"allEnergyOriginal": float(int(total))}


def _electric(strings: dict[str, float], ac: float) -> dict[str, Any]:
    members: dict[str, Any] = {"fac": 50.0, "facStr": "Hz", "powerFactor": 1.0}
    for name, watts in strings.items():
        volts = STRING_VOLTS if watts else 0.0
        amperes = round(watts / STRING_VOLTS, 2)
        index = name.removeprefix("pow")
        members |= {f"{name}Str": "W", f"uPv{index}": volts, f"uPv{index}Str": "V"}
        members |= {f"iPv{index}": amperes, f"iPv{index}Str": "A"}
    for phase in (1, 2, 3):
        amperes = round(abs(ac) / 3 / GRID_VOLTS, 2)
        members |= {f"uAc{phase}": GRID_VOLTS, f"uAc{phase}Str": "V", f"iAc{phase}": amperes, f"iAc{phase}Str": "A"}
    return members


def _battery_state(unit: Inverter, charge: float, discharge: float, t: float) -> dict[str, Any]:
    has_battery = unit.battery is not None
    volts = BATTERY_VOLTS if has_battery else 0.0
    current = CHARGING_SIGN * (charge - discharge) / BATTERY_VOLTS
    return {
        "batteryPowerZheng": round(charge, 1),
        "batteryPowerFu": round(discharge, 1),
        "batteryCapacitySoc": unit.soc(t),
        "batteryHealthSoh": 99.0 if has_battery else 0.0,
        "batteryVoltage": volts,
        "batteryVoltageStr": "V",
        "bstteryCurrent": round(current, 2),
        "bstteryCurrentStr": "A",
        "batteryNum": int(has_battery),
        "batteryList": [],
        "batteryType": "1.0" if has_battery else "0.0",
        "energyStorageControl": "33" if has_battery else "0",
    }
