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
from math import inf, isfinite
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from simulation.battery import (
    BACKUP,
    DAY_BORDER,
    GIVE_BACK_FOR,
    GIVE_BACK_FROM,
    MODES,
    ONE_WAY,
    RATED_C,
    SAVINGS,
    Flows,
    clock_times,
    ease,
)
from simulation.commanded import CommandedCycle, Storage
from simulation.commands import BatteryCommand
from simulation.noise import fraction
from simulation.sun import solar_day, solar_midnight
from simulation.virtual.device_day import Seed, between, device_day
from simulation.virtual.household import LOAD_KWH_PER_DAY, Household
from simulation.virtual.sky import Sky
from simulation.virtual.solar_array import POWER_SECONDS
from simulation.virtual.year import FIRST_YEAR, Fill, Yield

# A battery whose floor is higher would hardly have flows, or none; it runs with this floor.
GREATEST_FLOOR_PERCENT = 80.0
# A power reading takes at least so long, also when a command has begun just before.
LEAST_POWER_SECONDS = 1.0
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
        self.commanded: CommandedCycle | None = None
        """Its flows if it obeys commands."""
        self._zone = zone
        self._longitude = longitude
        size = PANELS_KWP_PER_KWH[int(len(PANELS_KWP_PER_KWH) * fraction("panels", seed, nameplate_kwh))]
        self._fill = Fill(Sky(latitude, longitude), size)

    def with_commands(self, commands: tuple[BatteryCommand, ...]) -> Self:
        """The same battery, which obeys these commands and no others."""
        obeying = copy(self)
        obeying.commanded = CommandedCycle(self._storage, commands) if commands else None
        return obeying

    @property
    def rated_kw(self) -> float:
        """The greatest power that a command brings about, at the terminals."""
        return RATED_C * self.nameplate_kwh

    def flows_kwh(self, start: float, end: float) -> StorageFlows:
        """Energy into and out of the battery between two instants."""
        (flows,) = self.series_kwh((start, end))
        return flows

    def series_kwh(self, borders: Iterable[float]) -> list[StorageFlows]:
        """The flows of each interval between two borders in a row, such as the quarter hours of a day."""
        return [
            StorageFlows(end.charge_kwh - start.charge_kwh, end.discharge_kwh - start.discharge_kwh)
            for start, end in pairwise(self._flows(borders))
        ]

    def power_kw(self, at: float) -> StoragePower:
        """Mean power of the minute that ends at the instant, or since a command has begun or ended within it.

        It goes one way: at most one of the two is above 0.
        """
        changed = self.commanded.phase_start(at) if self.commanded else -inf
        start = max(at - POWER_SECONDS, changed)
        end = max(at, start + LEAST_POWER_SECONDS)
        flows = self.flows_kwh(start, end)
        kw = (flows.charge_kwh - flows.discharge_kwh) * 3600 / (end - start)
        return StoragePower(max(0.0, kw), max(0.0, -kw))

    def soc_percent(self, at: float) -> float:
        """State of charge, from the floor to 100."""
        (percent,) = self.socs_percent((at,))
        return percent

    def socs_percent(self, instants: Iterable[float]) -> list[float]:
        """State of charge at each of the instants."""
        percent_per_kwh = 100 / self.nameplate_kwh
        levels = (self.floor_percent + percent_per_kwh * flows.stored_kwh for flows in self._flows(instants))
        return [max(self.floor_percent, min(100.0, level)) for level in levels]

    @cached_property
    def _stored_when_full_kwh(self) -> float:
        return self.nameplate_kwh * (1 - self.floor_percent / 100)

    @cached_property
    def _storage(self) -> Storage:
        """The battery as it is commanded."""
        household = Household(
            self.seed,
            Yield(self._fill.sky),
            self._fill.kwp_per_kwh * self.nameplate_kwh,
            LOAD_KWH_PER_DAY * self.nameplate_kwh,
        )
        return Storage(
            lambda t: next(self._cycle((t,))),
            self.nameplate_kwh,
            self.floor_percent,
            self.rated_kw,
            household.pv_kwh,
            household.load_kwh,
        )

    def _flows(self, instants: Iterable[float]) -> Iterator[Flows]:
        """Energy so far, and what is stored above the floor, at each of the instants."""
        return map(self.commanded, instants) if self.commanded else self._cycle(instants)

    def _cycle(self, instants: Iterable[float]) -> Iterator[Flows]:
        """The flows of a battery that is not commanded."""
        stored_kwh = self._stored_when_full_kwh
        charge_kwh, discharge_kwh = stored_kwh / ONE_WAY, stored_kwh * ONE_WAY
        for at in self._fillings(instants):
            stored = stored_kwh * (at.charged - at.returned)
            yield Flows(charge_kwh * at.charged, discharge_kwh * at.returned, stored)

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
