"""A plausible fleet of virtual sites: homes and businesses around five cities, each with another clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import NamedTuple, TypeVar

from simulation.battery import BACKUP, SAVINGS, SELF_CONSUMPTION
from simulation.noise import fraction

# How far sites lie from their city, in degrees; the zone of each city reaches that far.
AROUND = 0.8
INVERTERS_PER_SITE = (1, 1, 1, 1, 1, 2, 2, 2, 3, 4)
# Without sizes, since an inverter's rating follows from the seed that it gets when it is made.
INVERTER_MODELS = ("String Inverter", "Hybrid Inverter", "Three-Phase Inverter")
BATTERY_EVERY = 3
NAMEPLATES_KWH = (5.0, 7.7, 10.0, 13.5, 15.4, 20.0)
MODES = (SELF_CONSUMPTION, SELF_CONSUMPTION, SAVINGS, SELF_CONSUMPTION, BACKUP)
FLOORS_PERCENT = (5.0, 10.0, 15.0, 20.0)

T = TypeVar("T")


class City(NamedTuple):
    """A city, in degrees north and east, and the zone of its surroundings."""

    name: str
    latitude: float
    longitude: float
    timezone: str


CITIES = (
    City("Berlin", 52.5, 13.4, "Europe/Berlin"),
    City("Denver", 39.7, -105.0, "America/Denver"),
    City("Adelaide", -34.9, 138.8, "Australia/Adelaide"),
    City("Jaipur", 26.9, 75.8, "Asia/Kolkata"),
    City("Atlanta", 33.2, -83.8, "America/New_York"),
)


@dataclass(frozen=True)
class InverterPlan:
    """An inverter to be made."""

    name: str
    model: str


@dataclass(frozen=True)
class BatteryPlan:
    """A battery to be made; mode as the API spells it."""

    name: str
    nameplate_kwh: float
    mode: str
    state_of_charge_percent: float


@dataclass(frozen=True)
class SitePlan:
    """A site to be made, with its devices; timezone is an IANA name."""

    name: str
    latitude: float
    longitude: float
    timezone: str
    inverters: tuple[InverterPlan, ...]
    battery: BatteryPlan | None


def plausible_fleet(number_of_sites: int, seed: int | str = 1) -> tuple[SitePlan, ...]:
    """The first of plausible_sites()."""
    if number_of_sites < 0:
        raise ValueError(f"a fleet cannot have {number_of_sites} sites")
    return tuple(islice(plausible_sites(seed), number_of_sites))


def plausible_sites(seed: int | str = 1) -> Iterator[SitePlan]:
    """Sites without end that take the cities in turn; every third has a battery."""
    return (site_plan(number, seed) for number in count())


def site_plan(number: int, seed: int | str) -> SitePlan:
    """One site of the fleet, counted from 0."""
    lap, index = divmod(number, len(CITIES))
    city = CITIES[index]
    name = f"{city.name} {lap + 1}"

    def scatter(axis: str) -> float:
        return AROUND * (2 * fraction(seed, number, axis) - 1)

    inverters = pick(INVERTERS_PER_SITE, seed, number, "inverters")
    return SitePlan(
        name=name,
        latitude=round(city.latitude + scatter("latitude"), 4),
        longitude=round(city.longitude + scatter("longitude"), 4),
        timezone=city.timezone,
        inverters=tuple(
            InverterPlan(f"{name} inverter {place + 1}", pick(INVERTER_MODELS, seed, number, "model", place))
            for place in range(inverters)
        ),
        battery=battery_plan(name, number, seed) if number % BATTERY_EVERY == 0 else None,
    )


def battery_plan(site_name: str, number: int, seed: int | str) -> BatteryPlan:
    """The battery of a site."""
    return BatteryPlan(
        name=f"{site_name} battery",
        nameplate_kwh=pick(NAMEPLATES_KWH, seed, number, "nameplate"),
        mode=MODES[number // BATTERY_EVERY % len(MODES)],
        state_of_charge_percent=pick(FLOORS_PERCENT, seed, number, "floor"),
    )


def pick(choices: tuple[T, ...], *words: object) -> T:
    """One of the choices, by the words alone."""
    return choices[int(len(choices) * fraction(*words))]
