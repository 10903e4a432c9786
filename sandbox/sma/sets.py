"""The values of SMA's measurement sets over a span of time, in W or Wh: of a plant, or of one of its devices."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.sma.constants import (
    BATTERY_VOLTS,
    GRID_FREQUENCY,
    GRID_VOLTS,
    ISOLATION_OHMS,
    STATE_OF_HEALTH,
    STRING_VOLTS,
)
from sandbox.sma.plants import Plant
from simulation import Device

PLANT_SET = "EnergyBalance"
# By what a device is.
INVERTER_SETS = ("EnergyAndPowerPv", "PowerDc", "PowerAc")
BATTERY_SETS = ("EnergyAndPowerBattery", "PowerAc")
METER_SETS = ("EnergyAndPowerConsumption", "EnergyAndPowerInOut", "EnergyMix")
# Seen among those of an inverter that has no sensor: it has no rows.
SENSOR_SET = "Sensor"

_Amount = Callable[[str], float]
_Values = dict[str, Any]


@dataclass(frozen=True)
class Series:
    """The rows of one set of a plant, or of one of its devices. The meter at the grid is that of the plant."""

    plant: Plant
    device: Device | None
    set_type: str
    in_wh: bool

    def row(self, start: float, end: float) -> _Values | None:
        """The values of a fine row; None while the device is silent."""
        site = self.plant.site
        if self.device and self.device.kind == "solar_inverter" and site.pv_kwh(end) <= site.pv_kwh(start):
            return None
        if self.set_type == SENSOR_SET:
            return None
        values = self._values(self._wh(start, end) if self.in_wh else self._watts(start, end))
        soc = site.soc_percent(end)
        if "batteryCharging" in values and soc is not None:
            values |= _charge(round(soc, 2)) if self.device else {"batteryStateOfCharge": round(soc, 2)}
        return values

    def energies(self, start: float, end: float) -> _Values:
        """The energies of any span, in Wh; nothing for sets that have none."""
        return self._values(self._wh(start, end)) if self.set_type in ENERGIES else {}

    def _values(self, amount: _Amount) -> _Values:
        if self.set_type == PLANT_SET:
            return balance(amount, bool(self.plant.batteries))
        return (ENERGIES.get(self.set_type) or PRESENT[self.set_type])(amount)

    def _wh(self, start: float, end: float) -> _Amount:
        view, site = self.plant.view, self.plant.site

        def amount(quantity: str) -> float:
            if quantity == "load":
                return float(round(1000 * (site.load_kwh(end) - site.load_kwh(start))))
            if self.device is None:
                return float(view.site_energy_wh(quantity, start, end))
            return float(view.energy_wh(self.device, quantity, start, end)) if self._has(quantity) else 0.0

        return amount

    def _watts(self, start: float, end: float) -> _Amount:
        view, site = self.plant.view, self.plant.site

        def amount(quantity: str) -> float:
            if quantity == "load":
                return round(3_600_000 * (site.load_kwh(end) - site.load_kwh(start)) / (end - start), 3)
            return round(view.power_w(self.device, quantity, end, over=end - start), 3) if self._has(quantity) else 0.0

        return amount

    def _has(self, quantity: str) -> bool:
        """Whether this device has the quantity; a plant has all."""
        return self.device is None or (self.device.kind == "solar_inverter") == (quantity == "pv")


def sets_of(plant: Plant, device_id: str, further: tuple[str, ...]) -> tuple[str, ...]:
    """The sets that the device offers; of an inverter some further ones."""
    device, entry = plant.device(device_id), plant.entries[device_id]
    if device is None:
        return METER_SETS if entry["product"] == "Energy Meter" and "Gas" not in entry["name"] else ()
    return (*further, *INVERTER_SETS) if device.kind == "solar_inverter" else BATTERY_SETS


def balance(amount: _Amount, has_battery: bool) -> _Values:
    """The energy balance of a plant."""
    pv, load, charge, discharge = amount("pv"), amount("load"), amount("charge"), amount("discharge")
    net = pv + discharge - charge - load
    feed_in, drawn = round(max(net, 0.0), 3), round(max(-net, 0.0), 3)
    values = {"pvGeneration": pv, "totalGeneration": pv, "totalConsumption": load}
    if has_battery:
        values |= {"batteryCharging": charge, "batteryDischarging": discharge}
    return values | {
        "gridFeedIn": feed_in,
        "gridConsumption": drawn,
        "selfConsumption": round(max(pv - feed_in, 0.0), 3),
        "selfSupply": round(max(load - drawn, 0.0), 3),
    }


def _charge(percent: float) -> _Values:
    """The state of a pack, of which a battery inverter has one."""
    return {
        "batteryStateOfCharge": percent,
        "batteryStateOfHealth": STATE_OF_HEALTH,
        "batteryStateOfChargeArray": _inputs(percent),
        "batteryStateOfHealthArray": _inputs(STATE_OF_HEALTH),
        "batteryVoltage": _inputs(BATTERY_VOLTS),
    }


def _in_out(amount: _Amount) -> _Values:
    values = balance(amount, has_battery=False)
    return {name: values[name] for name in ("gridFeedIn", "gridConsumption")}


def _mix(amount: _Amount) -> _Values:
    """The sources of the energy that the plant uses, as shares of 1."""
    load, drawn = amount("load"), balance(amount, has_battery=False)["gridConsumption"]
    if load <= 0:
        return {"totalConsumption": load}
    battery = min(amount("discharge"), max(load - drawn, 0.0))
    shares = {"pvConsumptionRate": load - drawn - battery, "batteryConsumptionRate": battery}
    shares["gridConsumptionRate"] = drawn
    return {name: round(min(1.0, max(0.0, share / load)), 3) for name, share in shares.items()} | {
        "totalConsumption": load
    }


def _ac(amount: _Amount) -> _Values:
    """Power on three equal phases: what a device gives, less what it takes."""
    watts = amount("pv") + amount("discharge") - amount("charge")
    values: _Values = {"activePower": round(watts, 3), "gridFrequency": GRID_FREQUENCY}
    for phase in "ABC":
        values[f"activePowerPhase{phase}"] = round(watts / 3, 3)
        values[f"voltagePhase{phase}"] = GRID_VOLTS
        values[f"currentPhase{phase}"] = round(abs(watts) / 3 / GRID_VOLTS, 3)
    return values


def _dc(amount: _Amount) -> _Values:
    """Power of two equal inputs."""
    watts = round(amount("pv") / 2, 3)
    return {
        "dcPowerInput": _inputs(watts, watts),
        "dcVoltageInput": _inputs(STRING_VOLTS, STRING_VOLTS),
        "dcCurrentInput": _inputs(*2 * (round(watts / STRING_VOLTS, 3),)),
        "isolationResistance": ISOLATION_OHMS,
    }


def _inputs(*values: float) -> list[_Values]:
    return [{"index": index, "value": value} for index, value in zip("ABCDEF", values, strict=False)]


# Sets with energies, in rows of every length, and sets of the present, in fine rows alone.
ENERGIES: dict[str, Callable[[_Amount], _Values]] = {
    PLANT_SET: lambda amount: balance(amount, has_battery=True),
    "EnergyAndPowerPv": lambda amount: {"pvGeneration": amount("pv")},
    "EnergyAndPowerBattery": lambda amount: {
        "batteryCharging": amount("charge"),
        "batteryDischarging": amount("discharge"),
    },
    "EnergyAndPowerConsumption": lambda amount: {"consumption": amount("load")},
    "EnergyAndPowerInOut": _in_out,
}
PRESENT: dict[str, Callable[[_Amount], _Values]] = {"PowerAc": _ac, "PowerDc": _dc, "EnergyMix": _mix}
