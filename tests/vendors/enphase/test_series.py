"""Series of Enphase's Monitoring API, and what its plans refuse."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.vendors.support import BASE, cloud_of, open_vendor
from vendors.enphase import series
from vendors.enphase.state import amount, flow_of, mode_of
from vendors.kit import Client, Forbidden, Level, NotOffered, Quality, Reporting, Unauthorized
from vendors.kit.series.read import intervals as read_intervals
from vendors.kit.series.resample import Interval
from vendors.kit.series.windows import Asked

HERE = Path(__file__).parent
SYSTEMS = f"{BASE}/api/v4/systems"
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 6, 17, 18, 0, tzinfo=UTC)
KEY = ("7",)
REFUSED = json.loads((HERE / "errors" / "401-01.json").read_text())


@pytest.fixture
def system(network, monkeypatch):
    """A system in Berlin at that moment; `add` gives it further answers by path."""
    monkeypatch.setattr(Client, "now", NOW)
    network.get(SYSTEMS + "/7", json={"system_id": 7, "timezone": "Europe/Berlin", "operational_at": 1_500_000_000})

    def add(path, body, status=200):
        network.get(SYSTEMS + path, json=body, status=status)
        return network

    return add


def devices(**types):
    return {"devices": {name: [{"serial_number": one, "id": 1} for one in serials] for name, serials in types.items()}}


def telemetry(*rows, of=1):
    return {"total_devices": of, "intervals": list(rows)}


def seconds(*when):
    return int(datetime(*when, tzinfo=BERLIN).timestamp())


def read(operation, level, start, end, key=KEY, cloud=None):
    """The intervals between two moments of Berlin's clock."""
    plugin = open_vendor("enphase", cloud=cloud)
    found = getattr(plugin, operation)(key, level)
    window = Asked(level, datetime(*start), datetime(*end)).widened(found.zone, NOW, found.since)
    return [one for one in read_intervals(found, window, 10_000, NOW) if isinstance(one, Interval)]


def asked(network, part):
    """Parameters of the calls whose URL has this part, without those of a fixed value."""
    return [call.request.params for call in network.calls if part in call.request.url]


def test_the_row_of_midnight_belongs_to_the_day_before(system):
    system("/7/devices", devices(encharges=["8"]))
    system("/7/telemetry/battery", telemetry(
        {"end_at": seconds(2026, 6, 16), "charge": {"enwh": 10}, "discharge": {"enwh": 0}},
        {"end_at": seconds(2026, 6, 16, 0, 15), "charge": {"enwh": 20}, "discharge": {"enwh": 0}},
    ))  # fmt: skip
    found = read("site_battery_intervals", Level.QUARTER, (2026, 6, 15, 23), (2026, 6, 16, 1))
    assert [(one.start.astimezone(BERLIN).day, one.kwh) for one in found] == [(15, (0.01, 0.0)), (16, (0.02, 0.0))]


def test_the_energy_is_enwh_and_never_the_power_beside_it(system):
    system("/7/devices", devices(micros=["9"]))
    rows = [{"end_at": seconds(2026, 6, 16, 12, minute), "powr": 1500, "enwh": 125} for minute in (5, 10, 15)]
    system("/7/telemetry/production_micro", telemetry(*rows))
    (found,) = read("site_solar_intervals", Level.QUARTER, (2026, 6, 16, 12), (2026, 6, 16, 12, 15))
    assert found.kwh == (0.375,)
    assert found.quality is Quality.MEASURED


def test_a_row_without_energy_is_a_gap_and_a_0_is_a_0():
    noon = seconds(2026, 6, 16, 12)
    zero, null = {"end_at": noon, "powr": 0, "enwh": 0}, {"end_at": noon + 300, "powr": 9, "enwh": None}
    rows = [zero, null, {"end_at": noon + 600}]
    assert [sample.kwh for sample in series.production(telemetry(*rows))] == [(0.0,)]


def test_27_of_31_microinverters_are_a_part_and_not_scaled_up(system):
    system("/7/devices", devices(micros=["9"]))
    rows = [
        {"end_at": seconds(2026, 6, 16, 12, minute), "devices_reporting": n, "enwh": 125}
        for minute, n in ((5, 31), (10, 27), (15, 31), (20, 31), (25, 31), (30, 31))
    ]
    system("/7/telemetry/production_micro", telemetry(*rows, of=31))
    first, second = read("site_solar_intervals", Level.QUARTER, (2026, 6, 16, 12), (2026, 6, 16, 12, 30))
    assert (first.kwh, first.quality, first.reporting) == ((0.375,), Quality.PARTIAL, Reporting(27, 31))
    assert (second.kwh, second.quality, second.reporting) == ((0.375,), Quality.MEASURED, Reporting(31, 31))


def test_a_zero_at_the_end_of_the_days_is_not_yet_known_and_one_between_them_is_true(system):
    network = system("/7/energy_lifetime", {"start_date": "2026-06-12", "production": [5000, 0, 7000, 0, 0, 0]})
    found = read("site_solar_intervals", Level.DAY, (2026, 6, 1), (2026, 6, 18))
    assert [(one.start.astimezone(BERLIN).day, one.kwh) for one in found] == [(12, (5.0,)), (13, (0.0,)), (14, (7.0,))]
    assert asked(network, "energy_lifetime") == [{"end_date": "2026-06-17"}]


def test_months_are_the_days_of_the_same_call_and_today_is_partial(system):
    energies = [1000] * (30 + 31 + 17)
    network = system("/7/energy_lifetime", {"start_date": "2026-04-01", "production": energies})
    cloud = cloud_of("enphase")
    months = read("site_solar_intervals", Level.MONTH, (2026, 4, 1), (2026, 6, 18), cloud=cloud)
    assert [one.kwh for one in months] == [(30.0,), (31.0,), (17.0,)]
    assert [one.quality for one in months] == [Quality.MEASURED, Quality.MEASURED, Quality.PARTIAL]
    days = read("site_solar_intervals", Level.DAY, (2026, 6, 16), (2026, 6, 18), cloud=cloud)
    assert [one.quality for one in days] == [Quality.MEASURED, Quality.PARTIAL]
    assert len(asked(network, "energy_lifetime")) == 1


@pytest.mark.parametrize(
    "answer", [{"start_date": None, "production": []}, {"start_date": "2026-06-01", "production": []}]
)
def test_a_system_without_any_day_has_none(system, answer):
    system("/7/energy_lifetime", answer)
    assert read("site_solar_intervals", Level.DAY, (2026, 6, 1), (2026, 6, 18)) == []


def test_a_metered_system_is_read_from_its_meter_a_week_at_a_time(system):
    meter = {"config_type": "Production", "state": "enabled"}
    system("/7/devices", {"devices": {"meters": [meter]}})
    network = system(
        "/7/telemetry/production_meter", telemetry({"end_at": seconds(2026, 6, 16, 12, 15), "wh_del": 250})
    )
    (found,) = read("site_solar_intervals", Level.HOUR, (2026, 6, 15), (2026, 6, 17))
    assert found.kwh == (0.25,)
    assert [params["granularity"] for params in asked(network, "production_meter")] == ["week"]


@pytest.mark.parametrize(
    "meter", [{"config_type": "Net", "state": "enabled"}, {"config_type": "Production", "state": ""}]
)
def test_another_meter_or_a_disabled_one_does_not_count_production(system, meter):
    system("/7/devices", {"devices": {"meters": [meter]}})
    network = system("/7/telemetry/production_micro", telemetry())
    assert read("site_solar_intervals", Level.HOUR, (2026, 6, 16), (2026, 6, 17)) == []
    assert len(asked(network, "production_micro")) == 1


def test_a_day_of_25_hours_is_two_calls_and_one_of_23_is_one(system):
    network = system("/7/devices/micros/9/telemetry", telemetry())
    read("solar_intervals", Level.HOUR, (2025, 10, 26), (2025, 10, 27), key=("7", "9"))
    begins = [int(params["start_at"]) for params in asked(network, "/9/")]
    assert begins == [seconds(2025, 10, 26), seconds(2025, 10, 26) + 86_400]
    network.calls.reset()
    read("solar_intervals", Level.HOUR, (2026, 3, 29), (2026, 3, 30), key=("7", "9"))
    assert [int(params["start_at"]) for params in asked(network, "/9/")] == [seconds(2026, 3, 29)]


def test_a_month_of_a_battery_is_five_calls_without_the_state_of_charge(system):
    system("/7/devices", devices(encharges=["8"]))
    row = {"end_at": seconds(2026, 5, 9, 12), "charge": {"enwh": 5}, "discharge": {"enwh": 3}, "soc": {"percent": 50}}
    network = system("/7/devices/encharges/8/telemetry", telemetry(row))
    (found,) = read("battery_intervals", Level.MONTH, (2026, 5, 1), (2026, 6, 1), key=("7", "8"))
    assert (found.kwh, found.soc_percent) == ((0.005, 0.003), None)
    assert len(asked(network, "/8/")) == 5


def test_what_is_older_than_two_years_is_not_asked_for(system):
    network = system("/7/devices/micros/9/telemetry", telemetry())
    assert read("solar_intervals", Level.DAY, (2024, 5, 1), (2024, 6, 10), key=("7", "9")) == []
    assert asked(network, "/9/") == []
    read("solar_intervals", Level.DAY, (2024, 6, 10), (2024, 6, 21), key=("7", "9"))
    oldest = min(int(params["start_at"]) for params in asked(network, "/9/"))
    assert NOW - timedelta(days=730) < datetime.fromtimestamp(oldest, UTC) < NOW - timedelta(days=728)


def test_months_of_a_microinverter_and_series_of_an_ac_battery_are_not_offered(system):
    system("/7/devices", devices(acbs=["8"]))
    with pytest.raises(NotOffered):
        open_vendor("enphase").solar_intervals(("7", "9"), Level.MONTH)
    with pytest.raises(NotOffered):
        open_vendor("enphase").battery_intervals(("7", "8"), Level.HOUR)


@pytest.mark.parametrize("level", list(Level))
def test_battery_intervals_of_a_system_without_a_battery_are_not_offered_and_cost_no_telemetry(system, level):
    network = system("/7/devices", devices(micros=["9"]))
    with pytest.raises(NotOffered):
        open_vendor("enphase").site_battery_intervals(KEY, level)
    assert [call.request.path_url.rpartition("/")[2] for call in network.calls] == ["7", "devices"]


def test_without_a_time_zone_the_offset_of_the_vendor_s_dates_counts(network, monkeypatch):
    monkeypatch.setattr(Client, "now", NOW)
    network.get(SYSTEMS + "/7", json={"system_id": 7, "timezone": None})
    network.get(SYSTEMS + "/7/telemetry/production_micro", json={"start_date": "2026-06-16T00:00:00+05:30"})
    network.get(SYSTEMS + "/7/devices", json=devices(encharges=["8"]))
    zone = open_vendor("enphase").site_battery_intervals(KEY, Level.DAY).zone
    assert zone.utcoffset(None) == timedelta(hours=5, minutes=30)


@pytest.mark.parametrize(
    ("powers", "flow"),
    [
        ([(20, "Charging")], (0.02, 0.0)),
        ([(-20, "Charging")], (0.02, 0.0)),
        ([(-10, "discharging")], (0.0, 0.01)),
        ([(20, "Charging"), (-50, "Discharging")], (0.0, 0.03)),
        ([(-15, "Idle"), (0, "Idle")], (0.0, 0.0)),
        ([(20, "Charging"), (None, None)], None),
        ([(20, "Dreaming")], None),
        ([], None),
    ],
)
def test_the_mode_tells_the_direction_and_the_power_only_the_size(powers, flow):
    found = flow_of({"power": power, "operational_mode": mode} for power, mode in powers)
    assert found == (flow and pytest.approx(flow))


@pytest.mark.parametrize("word", ["Self - Consumption", "Self-consumption", "self-consumption"])
def test_each_spelling_of_a_mode_is_the_same(word):
    assert mode_of({"battery_mode": word}) == "Self Consumption"


@pytest.mark.parametrize(
    ("told", "kwh"),
    [
        ({"value": 232, "units": "Wh"}, 0.232),
        ({"value": 232, "units": "kWh"}, 232.0),
        ({"value": 232, "units": "furlongs"}, None),
        (232, 0.232),
        (0, 0.0),
        (None, None),
    ],
)
def test_an_amount_is_an_object_with_its_unit_or_a_bare_number(told, kwh):
    assert amount({"energy": told}, "energy", "Wh") == kwh


def test_an_inverter_is_looked_for_on_all_pages_and_in_all_groups(system):
    system("/7/devices", devices(micros=["250"]))
    for first in (0, 100, 200):
        group = [{"serial_number": str(number), "energy": number} for number in range(first, min(first + 100, 260))]
        network = system(
            "/inverters_summary_by_envoy_or_site", [{"micro_inverters": group[:9]}, {"micro_inverters": group[9:]}]
        )
    system("/7/devices/micros/250/telemetry", telemetry())
    system("/7/open_events", {"events": []})
    assert open_vendor("enphase").solar_inverter(("7", "250")).lifetime_production.kwh == 0.25
    assert [params["page"] for params in asked(network, "inverters_summary")] == ["1", "2", "3"]


def test_a_plan_without_single_devices_still_reads_an_inverter(system):
    system("/7/devices", devices(micros=["9"]))
    system("/inverters_summary_by_envoy_or_site", [{"micro_inverters": [{"serial_number": "9", "energy": 7000}]}])
    system("/7/devices/micros/9/telemetry", REFUSED, 401)
    system("/7/open_events", {"events": []})
    found = open_vendor("enphase").solar_inverter(("7", "9"))
    assert (found.lifetime_production.kwh, found.recent_production) == (7.0, None)


@pytest.mark.parametrize(("probe", "failure"), [(200, Forbidden), (401, Unauthorized)])
def test_kept_answers_do_not_make_a_refused_plan_a_bad_token(system, network, probe, failure):
    """The system is known from before, so nothing of this request has shown that the token is good."""
    cloud = cloud_of("enphase")
    system("/7/devices/micros/9/telemetry", REFUSED, 401)
    network.get(SYSTEMS, json={"total": 0, "systems": []} if probe == 200 else REFUSED, status=probe)
    assert open_vendor("enphase", cloud=cloud)._known_site(KEY)
    with pytest.raises(failure):
        read("solar_intervals", Level.HOUR, (2026, 6, 16), (2026, 6, 17), key=("7", "9"), cloud=cloud)
