"""Times that no calendar has, in every member of every vendor's answers: never a fault of this server, never a time."""

import json
import re
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.services import PLAYED_VENDORS, served
from tests.truth import vendor_of
from vendors.kit import Level, NotOffered
from vendors.kit.calls.sweep import Sweep
from vendors.kit.http.transport import Transport
from vendors.kit.messages import RawReply
from vendors.kit.parsing.reading import YEARS
from vendors.kit.registry import discover
from vendors.kit.series.read import intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import RequestedWindow

NOW = datetime(2026, 6, 19, 12, 7, tzinfo=UTC)
# A plugin goes by its first name; the others are its vendor's own sandboxes.
VENDORS = [name for name in PLAYED_VENDORS if name == next(iter(discover()[name].hosts))]
ISO = re.compile(r"\d{4}-\d\d(-\d\d([T ]\d\d:\d\d.*)?)?")
# Members in epoch seconds or milliseconds, by number or as text.
EPOCHS = {
    "dataTimestamp",
    "fisGenerateTime",
    "end_at",
    "event_start_time",
    "last_interval_end_at",
    "last_report_at",
    "last_report_date",
    "operational_at",
    "start_at",
}
# An empty time of a database, and the end of its calendar: the first has no date in UTC, the last none on a clock that
# is ahead of it.
ENDS = {
    "first": {"time": "0001-01-01T00:00:00+10:00", "bare": "0001-01-01T00:00:00", "date": "0001-01-01", "epoch": 0},
    "last": {
        "time": "9999-12-31T23:59:59-10:00",
        "bare": "9999-12-31T23:59:59",
        "date": "9999-12-31",
        "epoch": 253_402_300_799,
    },
}


def timeless(value, end, name=""):
    """The JSON with another time wherever it has one."""
    if isinstance(value, dict):
        return {member: timeless(one, end, member) for member, one in value.items()}
    if isinstance(value, list):
        return [timeless(one, end) for one in value]
    if name in EPOCHS and value is not None and str(value).isdecimal():
        in_ms = len(str(value)) > 11
        return type(value)(end["epoch"] * (1000 if in_ms else 1))
    found = ISO.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return value
    if not found[2]:
        return end["date"][: len(value)]
    return end["time" if re.search(r"(Z|[+-]\d\d:?\d\d)$", value) else "bare"]


@pytest.fixture(params=sorted(ENDS))
def spoil(request, monkeypatch):
    """Puts these times in the place of all that vendors tell from now on."""
    fetch = Transport.fetch

    def spoilt(transport, asked, deadline):
        raw = fetch(transport, asked, deadline)
        try:
            told = json.loads(raw.body)
        except ValueError:
            return raw
        body = json.dumps(timeless(told, ENDS[request.param])).encode()
        assert body != json.dumps(told).encode() or not ISO.search(raw.body.decode()), "nothing was changed"
        return RawReply(raw.status, raw.headers, body, raw.url)

    return lambda: monkeypatch.setattr(Transport, "fetch", spoilt)


def times(value):
    """All times in a record."""
    if isinstance(value, datetime):
        yield value
    elif is_dataclass(value):
        for member in fields(value):
            yield from times(getattr(value, member.name))


def window(plugin, operation, key, level):
    series = getattr(plugin, operation)(key, level)
    asked = RequestedWindow(level, NOW - timedelta(days=1), NOW)
    found = intervals(series, asked.widened(series.zone, NOW, series.since), 1000, NOW)
    return [one for one in found if isinstance(one, Interval)]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", VENDORS)
def test_no_vendor_s_impossible_time_is_a_time_or_a_fault(name, spoil):
    with vendor_of(name, 1) as vendor, vendor.at(NOW):
        whole = [*vendor.account.sweep("sites").records, *vendor.account.sweep("devices").records]
        spoil()
        vendor.account.cloud.reply_cache = type(vendor.account.cloud.reply_cache)()
        for record in [*vendor.account.sweep("sites").records, *vendor.account.sweep("devices").records]:
            assert all(at.year in YEARS for at in times(record)), record
        for record in {type(one): one for one in whole}.values():
            check_detail(vendor.plugin, record)
            check_series(vendor, record)


def check_detail(plugin, record):
    operation = {"Site": "site", "SolarInverter": "solar_inverter", "Battery": "battery"}[type(record).__name__]
    sweep = Sweep(plugin)
    sweep.run(lambda plugin: [getattr(plugin, operation)(record.key)])
    assert [failure.detail for failure in sweep.progress.failures] == []
    (found,) = sweep.records
    assert all(at.year in YEARS for at in times(found)), found


def check_series(vendor, record):
    site = "site_" if type(record).__name__ == "Site" else ""
    kinds = {"Site": ("solar", "battery"), "SolarInverter": ("solar",), "Battery": ("battery",)}
    for kind in kinds[type(record).__name__]:
        for level in (Level.QUARTER, Level.DAY):
            try:
                assert window(vendor.plugin, f"{site}{kind}_intervals", record.key, level) == []
            except NotOffered:
                pass


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with served(tmp_path_factory.mktemp("times"), 1) as both:
        yield both


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", VENDORS)
def test_no_impossible_time_ends_in_an_error_of_this_server(service, name, spoil):
    client, played = service
    headers = played.headers(name) | {"Cache-Control": "no-cache"}
    paths = ["/sites", "/solar-inverters", "/batteries"]
    for path, member in zip(tuple(paths), ("sites", "solarInverters", "batteries"), strict=True):
        for item in client.get(path, headers).json[member][:1]:
            paths += [f"{path}/{item['id']}", *series_of(path, item["id"])]
    spoil()
    for path in paths:
        answer = client.get(path, headers)
        assert answer.status_code in (200, 404), (path, answer.text)
        assert answer.status_code == 200 or answer.json["code"] == "not_offered"
        assert "0001-01-01" not in answer.text
        assert "9999-12-31" not in answer.text


def series_of(path, id):
    ways = ("solar-intervals", "battery-intervals") if path == "/sites" else ("intervals",)
    return [f"{path}/{id}/{way}?summaryLevel={level}" for way in ways for level in ("hour", "day")]
