"""Times that no calendar has, in every member of every vendor's replies: they are no times, and cause no fault."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.contract import PLUGINS
from tests.impossible_times import ENDS, spoilt, times
from tests.services import PLAYED_VENDORS, served
from tests.truth import vendor_of
from vendors.kit import Level, NotOffered
from vendors.kit.calls.sweep import Sweep
from vendors.kit.http.transport import Transport
from vendors.kit.parsing.reading import YEARS
from vendors.kit.series.read import intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import RequestedWindow

NOW = datetime(2026, 6, 19, 12, 7, tzinfo=UTC)
VENDORS = [name for name in PLUGINS if name in PLAYED_VENDORS]


@pytest.fixture(params=sorted(ENDS))
def spoil(request, monkeypatch):
    """Puts impossible times in place of all times of the replies that follow."""
    fetch = Transport.fetch

    def fetch_spoilt(transport, called, deadline):
        return spoilt(fetch(transport, called, deadline), request.param)

    return lambda: monkeypatch.setattr(Transport, "fetch", fetch_spoilt)


def intervals_of_a_day(plugin, operation, key, level):
    series = getattr(plugin, operation)(key, level)
    window = RequestedWindow(level, NOW - timedelta(days=1), NOW).widened(series.zone, NOW, series.since)
    return [interval for interval in intervals(series, window, 1000, NOW) if isinstance(interval, Interval)]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", VENDORS)
def test_an_impossible_time_of_a_vendor_is_absent_and_no_failure(name, spoil):
    with vendor_of(name, 1) as vendor, vendor.at(NOW):
        records = [*vendor.account.sweep("sites").records, *vendor.account.sweep("devices").records]
        spoil()
        vendor.account.cloud.reply_cache = type(vendor.account.cloud.reply_cache)()
        for record in [*vendor.account.sweep("sites").records, *vendor.account.sweep("devices").records]:
            assert all(at.year in YEARS for at in times(record)), record
        for record in {type(record): record for record in records}.values():
            check_detail(vendor.plugin, record)
            check_series(vendor, record)


def check_detail(plugin, record):
    operation = {"Site": "site", "SolarInverter": "solar_inverter", "Battery": "battery"}[type(record).__name__]
    sweep = Sweep(plugin)
    sweep.run(lambda plugin: [getattr(plugin, operation)(record.key)])
    assert [failure.detail for failure in sweep.progress.failures] == []
    (detail,) = sweep.records
    assert all(at.year in YEARS for at in times(detail)), detail


def check_series(vendor, record):
    site = "site_" if type(record).__name__ == "Site" else ""
    kinds = {"Site": ("solar", "battery"), "SolarInverter": ("solar",), "Battery": ("battery",)}
    for kind in kinds[type(record).__name__]:
        for level in (Level.QUARTER, Level.DAY):
            try:
                assert intervals_of_a_day(vendor.plugin, f"{site}{kind}_intervals", record.key, level) == []
            except NotOffered:
                pass


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with served(tmp_path_factory.mktemp("times"), 1) as client_and_fleet:
        yield client_and_fleet


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", VENDORS)
def test_an_impossible_time_of_a_vendor_causes_no_error_of_this_server(service, name, spoil):
    client, played = service
    headers = played.headers(name) | {"Cache-Control": "no-cache"}
    paths = ["/sites", "/solar-inverters", "/batteries"]
    for path, member in zip(tuple(paths), ("sites", "solarInverters", "batteries"), strict=True):
        for item in client.get(path, headers).json[member][:1]:
            paths += [f"{path}/{item['id']}", *series_of(path, item["id"])]
    spoil()
    for path in paths:
        response = client.get(path, headers)
        assert response.status_code in (200, 404), (path, response.text)
        assert response.status_code == 200 or response.json["code"] == "not_offered"
        assert "0001-01-01" not in response.text
        assert "9999-12-31" not in response.text


def series_of(path, id):
    names = ("solar-intervals", "battery-intervals") if path == "/sites" else ("intervals",)
    return [f"{path}/{id}/{name}?summaryLevel={level}" for name in names for level in ("hour", "day")]
