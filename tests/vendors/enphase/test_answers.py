"""Odd answers of both Enphase clouds: in other forms, of other systems, and refusals that are none."""

from contextlib import contextmanager

import pytest

from tests.vendors.enphase.played import BOTH, EACH, ENCHARGE, KEY, SERIES, SYSTEM, devices, error, read
from tests.vendors.support import BASE, open_vendor, records_of
from vendors.kit import BackendError, BadReply, Level, Refused
from vendors.kit.calls.sweep import Sweep


@contextmanager
def refused():
    """As an answer about another system or device, and for no other cause."""
    with pytest.raises(BadReply) as raised:
        yield
    assert raised.value.why == "the answer is about another site or device"


@BOTH
@EACH
@pytest.mark.parametrize("nested", [lambda rows: [rows], lambda rows: [[row] for row in rows], lambda rows: [[], rows]])
def test_intervals_may_be_a_list_of_lists(cloud, vendor, name, nested):
    operation, key, path, found, rows, kwh = SERIES[name]
    add = cloud(vendor)
    add("/devices", found)
    add(path, {"system_id": 7, "intervals": nested(rows)})
    assert [one.kwh for one in read(vendor, operation, key)] == [pytest.approx(one) for one in kwh]


@BOTH
@EACH
@pytest.mark.parametrize("nothing", [None, [], [[]]])
def test_a_series_without_rows_has_no_intervals(cloud, vendor, name, nothing):
    operation, key, path, found, *_ = SERIES[name]
    add = cloud(vendor)
    add("/devices", found)
    add(path, {"system_id": 7, "intervals": nothing})
    assert read(vendor, operation, key) == []


@BOTH
@EACH
def test_another_system_s_answer_is_a_bad_reply_and_one_that_names_none_is_not(cloud, vendor, name):
    operation, key, path, found, rows, kwh = SERIES[name]
    add = cloud(vendor)
    add("/devices", found)
    add(path, {"system_id": "7", "intervals": rows})
    add(path, {"intervals": rows})
    for _ in range(2):
        assert len(read(vendor, operation, key)) == len(kwh)
    add(path, {"system_id": 8, "intervals": rows})
    with refused():
        read(vendor, operation, key)


@BOTH
@pytest.mark.parametrize("name", ["micro", "battery"])
def test_another_device_s_answer_is_a_bad_reply(cloud, vendor, name):
    operation, key, path, found, rows, _ = SERIES[name]
    add = cloud(vendor)
    add("/devices", found)
    add(path, {"system_id": 7, "serial_number": "10", "intervals": rows})
    with refused():
        read(vendor, operation, key)


@BOTH
@pytest.mark.parametrize("path", ["/devices", "/lifetime", "/battery_lifetime"])
def test_no_answer_about_another_system_is_read(cloud, vendor, path):
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
def test_a_detail_leaves_out_what_is_about_another_system_and_says_so(cloud, vendor):
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


def test_the_monitoring_api_s_answer_about_another_system_is_not_the_system(cloud, network):
    cloud("enphase")
    network.replace("GET", f"{BASE}/api/v4/systems/7", json=SYSTEM | {"system_id": 8})
    with refused():
        open_vendor("enphase").site(KEY)


@BOTH
@EACH
@pytest.mark.parametrize("number", [1, 2, 6, 13])
def test_no_data_for_that_time_is_no_interval_and_no_failure(cloud, vendor, name, number):
    operation, key, path, found, *_ = SERIES[name]
    add = cloud(vendor)
    add("/devices", found)
    add(path, refusal(vendor, error(422, number)), 422)
    assert read(vendor, operation, key) == []


def refusal(vendor, said):
    """As the cloud puts it: the Grid Services API passes on what it was told, in `additionalInfo`."""
    if vendor == "enphase":
        return said
    downstream = "Error occurred while getting response from downstream server. Please refer to additionalInfo section"
    return {"code": "422", "displayMessage": downstream, "additionalInfo": said["details"], "errorRefNo": "e20fdf9a"}


@BOTH
@pytest.mark.parametrize("path", ["/lifetime", "/battery_lifetime"])
@pytest.mark.parametrize("number", [1, 2])
def test_no_data_for_those_days_is_no_day(cloud, vendor, path, number):
    add = cloud(vendor)
    add("/devices", devices(encharges=["8"]))
    add(path, refusal(vendor, error(422, number)), 422)
    operation = "site_solar_intervals" if path == "/lifetime" else "site_battery_intervals"
    assert read(vendor, operation, level=Level.DAY) == []


@pytest.mark.parametrize("text", ["start_at can't be before 2 years", "start_date can't be before 2 years"])
def test_what_the_grid_services_api_keeps_no_longer_is_no_interval(cloud, text):
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
    """AC Batteries are batteries, and these calls know nothing of them."""
    add = cloud(vendor)
    said = refusal(vendor, error(422, number))
    add("/devices", devices(acbs=["8"]))
    add("/summary", {"system_id": 7, "battery_capacity_wh": 1200})
    add("/telemetry/battery", said, 422)
    add("/latest_telemetry", {"system_id": 7, "devices": {}})
    sweep = Sweep(open_vendor(vendor))
    sweep.run(lambda plugin: [plugin.site(KEY), plugin.battery(ENCHARGE)])
    site, battery = sweep.records
    assert sweep.progress.failures == []
    assert (site.bess.nameplate_kwh, site.bess.soc_percent, battery.nameplate_kwh) == (1.2, None, 1.2)
