"""Years whose total is known before their days are."""

from datetime import date
from math import fsum, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.daylight import Panels
from simulation.virtual.sky import DECLINATION_TABLE, GREATEST_CLEARNESS, LEAST_CLEARNESS, SUN_TABLE, Sky
from simulation.virtual.storage_unit import PANELS_KWP_PER_KWH
from simulation.virtual.year import DAY_0, Daily, Fill, Yield, day_of, days_of, total_of

LATITUDES = st.floats(-90, 90) | st.sampled_from([-90.0, -66.6, 0.0, 66.6, 90.0])
LONGITUDES = st.floats(-180, 180) | st.sampled_from([-180.0, 0.0, 180.0])
DAILIES = st.builds(Yield, st.builds(Sky, LATITUDES, LONGITUDES)) | st.builds(
    Fill, st.builds(Sky, LATITUDES, LONGITUDES), st.sampled_from(PANELS_KWP_PER_KWH)
)


@given(daily=DAILIES, year=st.integers(2014, 2030))
def test_the_days_of_a_year_add_up_to_its_total_and_stay_within_what_their_sun_can_give(
    daily: Daily, year: int
) -> None:
    days = days_of(year)
    sums = [day_of(daily, day) for day in days]
    amounts = [after - before for before, after in sums]
    assert fsum(amounts) == sums[-1][1] - sums[0][0] == total_of(daily, year)
    assert sums[-1][1] == day_of(daily, days.stop)[0]
    clear = daily.sky.clear_kwh(days)
    least = daily.amounts([LEAST_CLEARNESS * kwh for kwh in clear])
    most = daily.amounts([GREATEST_CLEARNESS * kwh for kwh in clear])
    assert all(low - 2e-9 <= amount <= high + 2e-9 for low, amount, high in zip(least, amounts, most, strict=True))
    assert all(amount == 0 for amount, kwh in zip(amounts, clear, strict=True) if kwh == 0)


@given(latitude=LATITUDES, tilt=st.floats(0, 60))
def test_the_loop_over_days_gives_the_energy_of_each_arc(latitude: float, tilt: float) -> None:
    panels = Panels(latitude, min(tilt, abs(latitude)))
    energies = [panels.arc(declination).energy * 12 / pi for declination, _ in SUN_TABLE[::7]]
    assert panels.clear_kwh(DECLINATION_TABLE[::7]) == pytest.approx(energies, abs=1e-12)


@given(daily=DAILIES, energy_kwh=st.floats(0, 11))
def test_the_energy_behind_an_amount_is_found_again(daily: Daily, energy_kwh: float) -> None:
    (amount,) = daily.amounts([energy_kwh])
    assert daily.energy_kwh(amount) == pytest.approx(energy_kwh, abs=1e-9)


def test_a_leap_year_has_a_day_more() -> None:
    assert [len(days_of(year)) for year in (2023, 2024, 2025)] == [365, 366, 365]
    assert days_of(2024).start == date(2024, 1, 1).toordinal() - DAY_0


def test_days_before_the_first_year_bring_nothing() -> None:
    assert day_of(Yield(Sky(10.0, 20.0)), days_of(2013)[200]) == (0.0, 0.0)
    assert day_of(Yield(Sky(10.0, 20.0)), days_of(2014)[0])[0] == 0.0
