"""State of sites and devices by the Grid Services API."""

from datetime import UTC, datetime

import pytest

from vendors.enphase.state import charge_of, flow_of_all, newest_charge, with_charge, with_day, with_summary
from vendors.kit import Site, SolarInverter

NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)
TODAY = int(NOW.timestamp()) - 3600
EVENING = 1_781_712_000
BEFORE, LATER = EVENING - 1500, EVENING + 30_000


@pytest.mark.parametrize("name", ["pwr", "powr"])
def test_the_power_of_a_microinverter_is_that_of_its_newest_row_under_either_name(name):
    inverter = SolarInverter(key=("7", "9"), vendor_id="9", site_key=("7",), vendor_site_id="7")
    midnight = int(NOW.timestamp()) - 43_200
    rows = [{"end_at": midnight + 600, name: 120, "enwh": 10}, {"end_at": midnight + 300, name: 60, "enwh": 5}]
    updated = with_day(inverter, NOW, {"start_at": midnight, "intervals": rows})
    assert (updated.power_kw, updated.measured_at) == (0.12, datetime.fromtimestamp(midnight + 600, UTC))
    assert (updated.recent_production.kwh, updated.recent_production.start.timestamp()) == (0.015, midnight)
    assert updated.lifetime_production is None
    assert with_day(inverter, NOW, {"start_at": midnight, "intervals": []}) == inverter


@pytest.mark.parametrize(
    ("watts", "interval", "report", "measured"),
    [
        (900, BEFORE, EVENING, BEFORE),
        (900, None, EVENING, EVENING),
        (0, BEFORE, LATER, LATER),
        (0, BEFORE, None, BEFORE),
        (None, BEFORE, EVENING, EVENING),
    ],
    ids=["in the sun", "in the sun, no interval", "in the dark", "in the dark, no report", "without a power"],
)
def test_a_site_s_power_has_the_time_of_its_last_interval_and_not_that_of_the_report(watts, interval, report, measured):
    summary = {"current_power": watts, "last_interval_end_at": interval, "last_report_at": report}
    site = with_summary(Site(key=("7",), vendor_id="7", name="7"), NOW, summary)
    assert site.measured_at == datetime.fromtimestamp(measured, UTC)


@pytest.mark.parametrize(
    ("reports", "flow", "measured"),
    [
        ([BEFORE, BEFORE + 300], (0.3, 0.0), BEFORE),
        ([LATER, LATER + 300], (0.3, 0.0), EVENING),
        ([EVENING, EVENING - 4000], (None, None), EVENING),
        ([None, None], (0.3, 0.0), EVENING),
    ],
    ids=["a little earlier", "later", "one of them hours ago", "at no time"],
)
def test_the_power_of_batteries_is_left_out_if_it_is_much_older_than_the_site_s(reports, flow, measured):
    site = Site(key=("7",), vendor_id="7", name="7", measured_at=datetime.fromtimestamp(EVENING, UTC))
    charging = {"power": 150, "operational_mode": "Charging"}
    rows = [{"id": id, **charging, "last_report_at": at} for id, at in enumerate(reports, 1)]
    charged = with_charge(site, 50.0, flow_of_all(None, {"devices": {"encharges": rows}}))
    assert (charged.charge_kw, charged.discharge_kw) == flow
    assert (charged.measured_at, charged.bess.soc_percent) == (datetime.fromtimestamp(measured, UTC), 50.0)


@pytest.mark.parametrize(
    ("answer", "percent"),
    [
        ({"soc": 89.5, "intervals": [{"end_at": 9, "soc": {"percent": 1.0}}]}, 89.5),
        ({"last_reported_soc": "99%"}, 99.0),
        ({"start_at": TODAY - 9, "intervals": [{"end_at": TODAY, "soc": {"percent": 0.0}}]}, 0.0),
        ({"last_reported_soc": None, "intervals": []}, None),
        ({}, None),
    ],
)
def test_the_state_of_charge_is_next_to_the_rows_or_in_the_newest_row(answer, percent):
    assert newest_charge(NOW, answer) == percent


def test_the_charge_of_a_site_is_never_read_from_a_row():
    assert charge_of({"soc": None, "intervals": [{"end_at": 9, "soc": {"percent": 1.0}}]}) is None
