"""Odd replies of both Enphase clouds: in other forms, about other systems, and refusals that mean no data."""

from contextlib import contextmanager

import pytest

from tests.vendors.enphase.played import BOTH, EACH, ENCHARGE, KEY, SERIES, SYSTEM, devices, error, read
from tests.vendors.support import BASE, open_vendor, records_of
from vendors.kit import BackendError, BadReply, Level, Refused
from vendors.kit.calls.sweep import Sweep


@contextmanager
def refused():
    """Expects BadReply, and for a reply about another system or device only."""
    with pytest.raises(BadReply) as raised:
        yield
    assert raised.value.why == "the answer is about another site or device"


@BOTH
@EACH
@pytest.mark.parametrize("nested", [lambda rows: [rows], lambda rows: [[row] for row in rows], lambda rows: [[], rows]])
def test_intervals_may_be_a_list_of_lists(cloud, vendor, name, nested):
    operation, key, path, listed, rows, kwh = SERIES[name]
    add = cloud(vendor)
    add("/devices", listed)
    add(path, {"system_id": 7, "intervals": nested(rows)})
    assert [interval.kwh for interval in read(vendor, operation, key)] == [pytest.approx(energy) for energy in kwh]


@BOTH
@EACH
@pytest.mark.parametrize("nothing", [None, [], [[]]])
def test_a_series_without_rows_has_no_intervals(cloud, vendor, name, nothing):
    operation, key, path, listed, *_ = SERIES[name]
    add = cloud(vendor)
    add("/devices", listed)
    add(path, {"system_id": 7, "intervals": nothing})
    assert read(vendor, operation, key) == []


@BOTH
@EACH
def test_a_reply_about_another_system_is_bad_and_a_reply_that_names_no_system_is_read(cloud, vendor, name):
    operation, key, path, listed, rows, kwh = SERIES[name]
    add = cloud(vendor)
    add("/devices", listed)
    add(path, {"system_id": "7", "intervals": rows})
    add(path, {"intervals": rows})
    for _ in range(2):
        assert len(read(vendor, operation, key)) == len(kwh)
    add(path, {"system_id": 8, "intervals": rows})
    with refused():
        read(vendor, operation, key)


@BOTH
@pytest.mark.parametrize("name", ["micro", "battery"])
def test_a_reply_about_another_device_is_bad(cloud, vendor, name):
    operation, key, path, listed, rows, _ = SERIES[name]
    add = cloud(vendor)
    add("/devices", listed)
    add(path, {"system_id": 7, "serial_number": "10", "intervals": rows})
    with refused():
        read(vendor, operation, key)


@BOTH
@pytest.mark.parametrize("path", ["/devices", "/lifetime", "/battery_lifetime"])
def test_devices_and_days_of_another_system_are_not_read(cloud, vendor, path):
    add = cloud(vendor)
    another = {"system_id": 8, "devices": {"micros": []}, "start_date": None}
    if path == "/battery_lifetime":
        add("/devices", devices(encharges=["8"]))
    add(path, another)
    with refused():
        read_whole(vendor, path)


def read_whole(vendor, path):
    if path == "/devices":
        return list(records_of(open_vendor(vendor).devices("7")))
    return read(vendor, f"site_{'battery' if 'battery' in path else 'solar'}_intervals", level=Level.DAY)


@BOTH
def test_a_single_read_leaves_out_a_reply_about_another_system_and_reports_it(cloud, vendor):
    add = cloud(vendor)
    add("/devices", devices(encharges=[{"serial_number": "8", "id": 1}]))
    add("/summary", {"system_id": 7, "current_power": 500, "battery_capacity_wh": 5000})
    add("/telemetry/battery", {"system_id": 8, "soc": 50, "last_reported_aggregate_soc": "50%", "intervals": []})
    add("/latest_telemetry", {"system_id": 8, "devices": {}})
    sweep = Sweep(open_vendor(vendor))
    sweep.run(lambda plugin: [plugin.site(KEY)])
    (site,) = sweep.records
    assert (site.power_kw, site.bess.soc_percent, site.charge_kw) == (0.5, None, None)
    assert {failure.code for failure in sweep.progress.failures} == {"bad_reply"}


def test_a_system_of_the_monitoring_api_is_not_read_from_a_reply_about_another(cloud, network):
    cloud("enphase")
    network.replace("GET", f"{BASE}/api/v4/systems/7", json=SYSTEM | {"system_id": 8})
    with refused():
        open_vendor("enphase").site(KEY)


@BOTH
@EACH
@pytest.mark.parametrize("number", [1, 2, 6, 13])
def test_a_refusal_for_want_of_data_means_no_intervals_and_is_no_failure(cloud, vendor, name, number):
    operation, key, path, listed, *_ = SERIES[name]
    add = cloud(vendor)
    add("/devices", listed)
    add(path, refusal(vendor, error(422, number)), 422)
    assert read(vendor, operation, key) == []


def refusal(vendor, body):
    """The refusal of this cloud: the Grid Services API passes on that of the Monitoring API in `additionalInfo`."""
    if vendor == "enphase":
        return body
    downstream = "Error occurred while getting response from downstream server. Please refer to additionalInfo section"
    return {"code": "422", "displayMessage": downstream, "additionalInfo": body["details"], "errorRefNo": "e20fdf9a"}


@BOTH
@pytest.mark.parametrize("path", ["/lifetime", "/battery_lifetime"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_refusal_for_want_of_days_means_no_days(cloud, vendor, path, number):
    add = cloud(vendor)
    add("/devices", devices(encharges=["8"]))
    add(path, refusal(vendor, error(422, number)), 422)
    operation = "site_solar_intervals" if path == "/lifetime" else "site_battery_intervals"
    assert read(vendor, operation, level=Level.DAY) == []


@pytest.mark.parametrize("text", ["start_at can't be before 2 years", "start_date can't be before 2 years"])
def test_the_grid_services_api_has_no_intervals_of_more_than_two_years_ago(cloud, text):
    add = cloud("enphasevpp")
    add("/devices", devices(micros=["9"]))
    add("/telemetry/production_micro", {"code": "422", "displayMessage": text + " of current date"}, 422)
    assert read("enphasevpp", "site_solar_intervals") == []


@BOTH
def test_another_422_is_still_a_failure(cloud, vendor):
    add = cloud(vendor)
    add("/devices", devices(micros=["9"]))
    add("/telemetry/production_micro", refusal(vendor, error(422, 4)), 422)
    with pytest.raises(BackendError if vendor == "enphasevpp" else Refused):
        read(vendor, "site_solar_intervals")


@BOTH
@pytest.mark.parametrize("number", [7, 8])
def test_a_system_without_iq_batteries_has_no_settings_and_no_charge(cloud, vendor, number):
    """AC Batteries are batteries, and these calls do not cover them."""
    add = cloud(vendor)
    body = refusal(vendor, error(422, number))
    add("/devices", devices(acbs=["8"]))
    add("/summary", {"system_id": 7, "battery_capacity_wh": 1200})
    add("/telemetry/battery", body, 422)
    add("/latest_telemetry", {"system_id": 7, "devices": {}})
    sweep = Sweep(open_vendor(vendor))
    sweep.run(lambda plugin: [plugin.site(KEY), plugin.battery(ENCHARGE)])
    site, battery = sweep.records
    assert sweep.progress.failures == []
    assert (site.bess.nameplate_kwh, site.bess.soc_percent, battery.nameplate_kwh) == (1.2, None, 1.2)
