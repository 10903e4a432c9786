"""Whether a battery is connected to a Solis inverter: no single member tells, and all inverters have all members."""

from collections.abc import Mapping

from vendors.kit.parsing.reading import Raw, flag, number, optional_text

# These stay when a battery is taken away.
COUNTERS = ("batteryTotalChargeEnergy", "batteryTotalDischargeEnergy")
# Members of a list's row that this module reads.
HINTS = (
    *COUNTERS, "batteryNum", "batteryList", "batteryType", "batteryTypeName", "batteryCapacitySoc", "batteryVoltage",
    "energyStorageControl",
)  # fmt: skip
# Two firmwares report a missing battery in these words, in one or both of these members; compared without blanks, which
# may be missing.
NO_BATTERY = "nobattery"
TYPES = ("batteryType", "batteryTypeName")


def has_battery(raw: Raw) -> bool:
    """Whether a battery is connected to this inverter, as far as the answer tells."""
    return not says_no_battery(raw) and (has_counted(raw) or shows_battery(raw))


def is_in_doubt(raw: Raw) -> bool:
    """Whether only the counters show a battery, which may have been taken away; the inverter's detail tells."""
    is_charged = above_0(raw, "batteryCapacitySoc")
    return has_counted(raw) and not is_charged and not says_no_battery(raw) and not shows_battery(raw)


def says_no_battery(raw: Raw) -> bool:
    """Whether the inverter reports that it has no battery: all its places for batteries are empty, or else its own
    battery type tells."""
    listed = raw.get("batteryList")
    places = [place for place in listed if isinstance(place, Mapping)] if isinstance(listed, list) else []
    empty = [flag(place, "noBattery") is True or names_no_battery(place) for place in places]
    return all(empty) if any(empty) else names_no_battery(raw)


def names_no_battery(raw: Raw) -> bool:
    return any((optional_text(raw, name) or "").lower().replace(" ", "") == NO_BATTERY for name in TYPES)


def has_counted(raw: Raw) -> bool:
    """Whether a battery has ever been charged or discharged."""
    return any(above_0(raw, name) for name in COUNTERS)


def shows_battery(raw: Raw) -> bool:
    """Whether the inverter names or measures a battery."""
    return (
        above_0(raw, "batteryNum")
        or bool(raw.get("batteryList"))
        or (above_0(raw, "batteryCapacitySoc") and above_0(raw, "batteryVoltage"))
        or raw.get("energyStorageControl", "0") not in ("0", 0, "", None)
    )


def above_0(raw: Raw, name: str) -> bool:
    return (number(raw, name) or 0) > 0
