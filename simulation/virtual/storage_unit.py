"""A virtual battery: flows and state of charge at any instant, from its seed, its nameplate and its mode.

It needs no other device: the panels that charge it are sized by its seed and nameplate, and its flows stay the same
whatever is added to its site or deleted. Each mode is a count of fillings: how often the battery has been filled
since the beginning of 2014, and how often what was filled has been given back.
"""

from collections.abc import Iterable, Iterator
from copy import copy
from datetime import date, datetime
from functools import cached_property
from itertools import groupby, pairwise
from math import isfinite
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from simulation.battery import (
    BACKUP,
    DAY_BORDER,
    GIVE_BACK_FOR,
    GIVE_BACK_FROM,
    MODES,
    ONE_WAY,
    SAVINGS,
    clock_times,
    ease,
)
from simulation.commands import BatteryCommand
from simulation.noise import fraction
from simulation.sun import solar_day, solar_midnight
from simulation.virtual.device_day import Seed, between, device_day
from simulation.virtual.sky import Sky
from simulation.virtual.solar_array import POWER_SECONDS
from simulation.virtual.year import FIRST_YEAR, Fill

# A battery whose floor is higher would hardly have flows, or none; it runs with this floor.
GREATEST_FLOOR_PERCENT = 80.0
PANELS_KWP_PER_KWH = (0.8, 1.0, 1.4)
FIRST_ORDINAL = date(FIRST_YEAR, 1, 1).toordinal()


class StorageFlows(NamedTuple):
    """Energy through the battery's terminals."""

    charge_kwh: float
    discharge_kwh: float


class StoragePower(NamedTuple):
    """Power at the battery's terminals."""

    charge_kw: float
    discharge_kw: float


class Fillings(NamedTuple):
    """How often a battery has been filled, and how often it has given a filling back; their difference is in it."""

    charged: float
    returned: float


class StorageUnit:
    """A battery at a point of the globe; its zone is that of its site's clock, which Savings goes by.

    floor_percent, from 0 to 100, is the state of charge below which it never falls, at most GREATEST_FLOOR_PERCENT.
    """

    def __init__(
        self,
        seed: Seed,
        nameplate_kwh: float,
        mode: str,
        latitude: float,
        longitude: float,
        zone: ZoneInfo,
        floor_percent: float = 10.0,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"battery mode is {mode!r}, expected one of {', '.join(MODES)}")
        if not (nameplate_kwh > 0 and isfinite(nameplate_kwh) and 0 <= floor_percent <= 100):
            raise ValueError("a battery needs a nameplate above 0 kWh and a floor of 0 to 100 percent")
        self.seed = seed
        self.nameplate_kwh = nameplate_kwh
        self.mode = mode
        self.floor_percent = min(floor_percent, GREATEST_FLOOR_PERCENT)
        self.commands: tuple[BatteryCommand, ...] = ()
        self._zone = zone
        self._longitude = longitude
        size = PANELS_KWP_PER_KWH[int(len(PANELS_KWP_PER_KWH) * fraction("panels", seed, nameplate_kwh))]
        self._fill = Fill(Sky(latitude, longitude), size)

    def with_commands(self, commands: tuple[BatteryCommand, ...]) -> Self:
        """The same battery, which obeys these commands and no others."""
        commanded = copy(self)
        commanded.commands = commands
        return commanded

    def flows_kwh(self, start: float, end: float) -> StorageFlows:
        """Energy into and out of the battery between two instants."""
        (flows,) = self.series_kwh((start, end))
        return flows

    def series_kwh(self, borders: Iterable[float]) -> list[StorageFlows]:
        """The flows of each interval between two borders in a row, such as the quarter hours of a day."""
        charge_kwh = self._stored_when_full_kwh / ONE_WAY
        discharge_kwh = self._stored_when_full_kwh * ONE_WAY
        return [
            StorageFlows(charge_kwh * (end.charged - start.charged), discharge_kwh * (end.returned - start.returned))
            for start, end in pairwise(self._fillings(borders))
        ]

    def power_kw(self, at: float) -> StoragePower:
        """Mean powers of the minute that ends at the instant; at most one of them is above 0."""
        flows = self.flows_kwh(at - POWER_SECONDS, at)
        return StoragePower(*(energy_kwh * 3600 / POWER_SECONDS for energy_kwh in flows))

    def soc_percent(self, at: float) -> float:
        """State of charge, from the floor to 100."""
        (percent,) = self.socs_percent((at,))
        return percent

    def socs_percent(self, instants: Iterable[float]) -> list[float]:
        """State of charge at each of the instants."""
        filling_percent = 100 * self._stored_when_full_kwh / self.nameplate_kwh
        levels = (self.floor_percent + filling_percent * (at.charged - at.returned) for at in self._fillings(instants))
        return [max(self.floor_percent, min(100.0, level)) for level in levels]

    @cached_property
    def _stored_when_full_kwh(self) -> float:
        return self.nameplate_kwh * (1 - self.floor_percent / 100)

    def _fillings(self, instants: Iterable[float]) -> Iterator[Fillings]:
        """The count of fillings at each of the instants. Neighbours mostly share a day, which is looked up once."""
        if self.mode == BACKUP:
            return (Fillings(1.0, 0.0) for _ in instants)
        return self._by_the_clock(instants) if self.mode == SAVINGS else self._by_the_sun(instants)

    def _by_the_sun(self, instants: Iterable[float]) -> Iterator[Fillings]:
        """Charges in proportion to PV from morning to afternoon, and gives back from 17:00 to 03:00 solar time."""
        for number, of_day in groupby(instants, lambda t: solar_day(t - DAY_BORDER, self._longitude)):
            day = device_day(self._fill, self.seed, number)
            evening = solar_midnight(number, self._longitude) + GIVE_BACK_FROM
            for t in of_day:
                yield Fillings(
                    between(day.before, day.after, day.charged_share(t)),
                    between(day.before, day.after, ease((t - evening) / GIVE_BACK_FOR)),
                )

    def _by_the_clock(self, instants: Iterable[float]) -> Iterator[Fillings]:
        """Charges from the grid from 01:00 to 05:00 local time, and gives back from 17:00 to 21:00."""
        for local, of_day in groupby(instants, lambda t: datetime.fromtimestamp(t, self._zone).date()):
            charge_from, charge_to, give_from, give_to = clock_times(self._zone, local)
            days = local.toordinal() - FIRST_ORDINAL
            for t in of_day:
                yield Fillings(
                    days + ease((t - charge_from) / (charge_to - charge_from)),
                    days + ease((t - give_from) / (give_to - give_from)),
                )
