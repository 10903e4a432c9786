"""A fleet of sites, made from a seed: the same seed and number always give the same site."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from simulation.battery import BACKUP, SAVINGS, SELF_CONSUMPTION, Battery
from simulation.noise import fraction
from simulation.places import PLACES
from simulation.site import Site

# Every eight sites in a row hold each mode, and some without a battery.
MODES = (SELF_CONSUMPTION, None, BACKUP, SELF_CONSUMPTION, SAVINGS, SELF_CONSUMPTION, SAVINGS, None)
COMMERCIAL_EVERY, FIRST_COMMERCIAL = 6, 2
FLOORS = (5.0, 10.0, 20.0)


class Fleet:
    """`sites` sites that take the places in order, over and over."""

    def __init__(self, sites: int = 8, seed: int = 1) -> None:
        if sites < 0:
            raise ValueError(f"a fleet cannot have {sites} sites")
        self.seed = seed
        self.sites = tuple(_site(number, seed) for number in range(sites))


def _site(number: int, seed: int) -> Site:
    lap, index = divmod(number, len(PLACES))
    place = PLACES[index]
    pv_kwp = _pv_kwp(number, lap, seed)
    return Site(
        number=number,
        name=f"{place.name} {lap + 1}",
        place=place,
        pv_kwp=pv_kwp,
        battery=_battery(number, lap, seed, pv_kwp),
        operational_since=_operational_since(number, seed, ZoneInfo(place.timezone)),
        seed=seed,
        load_kwh_per_day=round(pv_kwp * (2.6 + fraction(seed, number, "load")), 1),
    )


def _pv_kwp(number: int, lap: int, seed: int) -> float:
    """4 to 12 kWp for a home, 30 to 200 for a business; the lap moves the businesses on to other places."""
    chance = fraction(seed, number, "pv")
    if (number + lap) % COMMERCIAL_EVERY == FIRST_COMMERCIAL:
        return float(round(30 + 170 * chance))
    return round(4 + 8 * chance, 1)


def _battery(number: int, lap: int, seed: int, pv_kwp: float) -> Battery | None:
    mode = MODES[(number + lap) % len(MODES)]
    if mode is None:
        return None
    capacity_kwh = round(pv_kwp * (0.8 + 0.7 * fraction(seed, number, "battery")), 1)
    floor = FLOORS[int(len(FLOORS) * fraction(seed, number, "floor"))]
    return Battery(capacity_kwh, mode, floor)


def _operational_since(number: int, seed: int, zone: ZoneInfo) -> datetime:
    """A moment of a working day between 09:00 and 16:00 local time, 2015 to 2024."""
    days = int(3650 * fraction(seed, number, "day"))
    minutes = 5 * int(84 * fraction(seed, number, "minute"))
    chosen = datetime(2015, 1, 2, 9, tzinfo=zone) + timedelta(days=days, minutes=minutes)
    return chosen - timedelta(days=max(0, chosen.weekday() - 4))
