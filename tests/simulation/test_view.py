"""Views: counters in whole steps that add up at every level."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation import Battery, Device, Site, View

MakeSite = Callable[..., Site]
JUNE_2024 = int(datetime(2024, 6, 1, tzinfo=UTC).timestamp())
INSTANTS = st.integers(1_400_000_000, 1_800_000_000)
SHARES = st.lists(st.integers(1, 50), min_size=1, max_size=31).map(lambda parts: [part / sum(parts) for part in parts])


def device(kind: str, share: float, number: int = 0) -> Device:
    return Device(kind, share, {"id": str(number)}, f"S{number}", "Model", f"Device {number}", 5.0)


def view_of(site: Site, pv_shares: list[float], battery_shares: list[float], step_wh: int = 1) -> View:
    kinds = [("solar_inverter", share) for share in pv_shares]
    kinds += [("battery", share) for share in battery_shares]
    return View(site, [device(kind, share, n) for n, (kind, share) in enumerate(kinds)], step_wh)


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    return make_site("Adelaide", Battery(9.0, "Self Consumption"))


@given(shares=SHARES, instants=st.lists(INSTANTS, min_size=2, max_size=20), step=st.sampled_from([1, 10, 100]))
def test_any_split_of_a_window_gives_the_same_total(
    site: Site, shares: list[float], instants: list[int], step: int
) -> None:
    view = view_of(site, shares, [0.5, 0.5], step)
    borders = sorted(instants)
    for quantity in ("pv", "charge", "discharge"):
        parts = [view.site_energy_wh(quantity, a, b) for a, b in pairwise(borders)]
        assert sum(parts) == view.site_energy_wh(quantity, borders[0], borders[-1])
        assert min(parts) >= 0


@given(shares=SHARES, start=INSTANTS, seconds=st.integers(1, 40_000_000))
def test_devices_add_up_to_the_site_to_the_watt_hour(site: Site, shares: list[float], start: int, seconds: int) -> None:
    view = view_of(site, shares, shares)
    end = start + seconds
    for quantity, kind in (("pv", "solar_inverter"), ("charge", "battery"), ("discharge", "battery")):
        devices = [device for device in view.devices if device.kind == kind]
        assert sum(view.energy_wh(device, quantity, start, end) for device in devices) == view.site_energy_wh(
            quantity, start, end
        )


@given(shares=SHARES, t=INSTANTS, step=st.sampled_from([1, 100, 1000]))
def test_a_counter_is_whole_steps_and_less_than_one_step_behind_the_truth(
    site: Site, shares: list[float], t: int, step: int
) -> None:
    view = view_of(site, shares, [])
    for device in view.devices:
        reading = view.reading_wh(device, "pv", t, step)
        assert reading % step == 0
        assert -1e-6 <= site.pv_kwh(t) * 1000 * device.share - reading < step


def test_readings_never_fall_second_by_second(site: Site) -> None:
    view = view_of(site, [0.37, 0.63], [1.0])
    for quantity in ("pv", "charge", "discharge"):
        readings = [view.site_reading_wh(quantity, JUNE_2024 + 7 * n) for n in range(12_500)]
        assert readings == sorted(readings)
        assert readings[-1] > readings[0]


def test_the_step_of_a_view_holds_unless_another_is_asked_for(site: Site) -> None:
    view = view_of(site, [1.0], [], step_wh=100)
    (only,) = view.devices
    assert view.reading_wh(only, "pv", JUNE_2024) % 100 == 0
    fine = view.reading_wh(only, "pv", JUNE_2024, 1)
    assert view.reading_wh(only, "pv", JUNE_2024) == fine // 100 * 100
    assert view.reading_wh(only, "pv", JUNE_2024, 1000) == fine // 1000 * 1000


def test_power_is_the_mean_of_the_seconds_before_and_is_split_like_energy(site: Site) -> None:
    view = view_of(site, [0.25, 0.75], [0.4, 0.6])
    noon = JUNE_2024 + 3 * 3600
    mean_w = (site.pv_kwh(noon) - site.pv_kwh(noon - 900)) * 4000
    assert view.power_w(None, "pv", noon, over=900) == pytest.approx(mean_w)
    assert view.power_w(view.devices[0], "pv", noon, over=900) == pytest.approx(mean_w / 4)
    assert 0 < view.power_w(None, "pv", noon) <= site.pv_kwp * 1000
    assert view.power_w(None, "pv", noon + 12 * 3600) == 0
    charging = view.power_w(None, "charge", noon)
    assert charging > 0
    assert view.power_w(view.devices[2], "charge", noon) == pytest.approx(0.4 * charging)


def test_a_dialect_that_shows_no_battery_reads_nothing_from_it(site: Site) -> None:
    view = view_of(site, [1.0], [])
    assert site.charge_kwh(JUNE_2024) > 0
    assert view.site_reading_wh("charge", JUNE_2024) == 0
    assert view.power_w(None, "charge", JUNE_2024 + 3 * 3600) == 0


def test_the_readings_of_a_new_site_begin_at_zero(make_site: MakeSite) -> None:
    started = datetime(2022, 3, 3, 13, 37, tzinfo=UTC)
    fresh = make_site("Berlin", Battery(9.0, "Self Consumption"), since=started)
    view = view_of(fresh, [0.5, 0.5], [1.0])
    for t in (0, started.timestamp() - 1, started.timestamp()):
        assert [view.site_reading_wh(q, t) for q in ("pv", "charge", "discharge")] == [0, 0, 0]


@pytest.mark.parametrize(("kind", "quantity"), [("battery", "pv"), ("solar_inverter", "charge"), ("battery", "steam")])
def test_a_quantity_that_the_device_lacks_is_refused(site: Site, kind: str, quantity: str) -> None:
    view = view_of(site, [1.0], [1.0])
    one = next(found for found in view.devices if found.kind == kind)
    with pytest.raises(ValueError, match=quantity):
        view.reading_wh(one, quantity, JUNE_2024)
    with pytest.raises(ValueError, match=quantity):
        view.power_w(one, quantity, JUNE_2024)


def test_shares_that_do_not_add_up_to_one_are_refused(site: Site) -> None:
    with pytest.raises(ValueError, match="solar_inverter"):
        view_of(site, [0.5, 0.4], [1.0])
    with pytest.raises(ValueError, match="battery"):
        view_of(site, [1.0], [0.5, 0.6])


def test_thirds_are_accepted_as_shares(site: Site) -> None:
    view = view_of(site, [1 / 3] * 3, [])
    whole = view.site_reading_wh("pv", JUNE_2024)
    assert 0 <= site.pv_kwh(JUNE_2024) * 1000 - whole < 3
