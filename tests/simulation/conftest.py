"""Sites and calendars that the tests of the simulation share."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from simulation import PLACES, Battery, Place, Site

MakeSite = Callable[..., Site]


@pytest.fixture(scope="session")
def places() -> dict[str, Place]:
    """The places by name."""
    return {place.name: place for place in PLACES}


@pytest.fixture(scope="session")
def make_site(places: dict[str, Place]) -> MakeSite:
    """A site of 8 kWp that is operational since the beginning of 2015, unless said otherwise."""

    def make(
        name: str,
        battery: Battery | None = None,
        pv_kwp: float = 8.0,
        since: datetime = datetime(2015, 1, 1, tzinfo=UTC),
        seed: int = 1,
    ) -> Site:
        return Site(0, f"{name} 1", places[name], pv_kwp, battery, since, seed)

    return make


def _midnight(zone: ZoneInfo, day: date) -> float:
    """The first instant of a local date."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


@pytest.fixture(scope="session")
def midnight() -> Callable[[ZoneInfo, date], float]:
    """The first instant of a local date, in epoch seconds."""
    return _midnight


@pytest.fixture(scope="session")
def clock_changes() -> Callable[[ZoneInfo, int], list[date]]:
    """The local dates of a year that do not last 24 hours."""

    def dates(zone: ZoneInfo, year: int) -> Iterator[date]:
        day = date(year, 1, 1)
        while day.year == year:
            following = day + timedelta(days=1)
            if _midnight(zone, following) - _midnight(zone, day) != 86_400:
                yield day
            day = following

    return lambda zone, year: list(dates(zone, year))
