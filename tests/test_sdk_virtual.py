"""Every operation of the official SDK's virtual module, unmodified, against a service that listens on a socket."""

import datetime
from importlib import import_module
from pkgutil import iter_modules

import derapi.api.virtual
import pytest
from derapi.api.batteries import get_battery, get_battery_intervals, list_batteries
from derapi.api.sites import get_site, get_site_battery_intervals, get_site_solar_inverter_intervals
from derapi.api.solar_inverters import get_solar_inverter, get_solar_inverter_intervals, list_solar_inverters
from derapi.models import (
    BatteryMode,
    CreateVirtualBatteryRequest,
    CreateVirtualSiteRequest,
    CreateVirtualSolarInverterRequest,
    SiteLocation,
    SolarInverterLifetimeProduction,
    SolarInverterRecentProduction,
)
from derapi.types import UNSET

from tests.sdk import sdk_client, sdk_service

pytestmark = [pytest.mark.databases, pytest.mark.exhaustive]

OPERATIONS = {module.name: import_module(f"derapi.api.virtual.{module.name}")
              for module in iter_modules(derapi.api.virtual.__path__)}  # fmt: skip
DEVICES = {
    "battery": (CreateVirtualBatteryRequest, get_battery, get_battery_intervals, list_batteries),
    "solar_inverter": (
        CreateVirtualSolarInverterRequest,
        get_solar_inverter,
        get_solar_inverter_intervals,
        list_solar_inverters,
    ),
}
LISTS = {"site": "list_virtual_sites", "battery": "list_virtual_batteries",
         "solar_inverter": "list_virtual_solar_inverters"}  # fmt: skip
NOON = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC)


@pytest.fixture
def served(tmp_path, database_url):
    """The URL of the service and the token of a virtual client."""
    with sdk_service(tmp_path, database_url, "virtual") as opened:
        yield opened


@pytest.fixture
def client(served):
    """The SDK's client as its own tests make it."""
    with sdk_client(*served) as opened:
        yield opened


def virtual_ids(client, kind, **options):
    return [item.id for item in OPERATIONS[LISTS[kind]].sync_depaginated(client=client, **options)]


def test_every_operation_of_the_sdks_virtual_module_works(client):
    assert len(OPERATIONS) == 12
    site = site_with_all_members(client)
    names = {
        "battery": battery_with_all_members(client, site),
        "solar_inverter": inverter_with_all_members(client, site),
    }
    for kind, device in names.items():
        assert virtual_ids(client, kind) == [device.id]
        assert OPERATIONS[f"get_virtual_{kind}"].sync(device.id, client=client).id == device.id
        device_without_a_site(client, kind)
    shown = OPERATIONS["get_virtual_site"].sync(site.id, client=client)
    assert [item.id for item in shown.batteries] == [names["battery"].id]
    assert OPERATIONS["delete_virtual_battery"].sync_detailed(names["battery"].id, client=client).status_code == 204
    assert OPERATIONS["delete_virtual_site"].sync_detailed(site.id, client=client).status_code == 204
    for kind in LISTS:
        assert virtual_ids(client, kind) == []


def site_with_all_members(client):
    place = SiteLocation(current_utc_offset=-7, lat=33.4, lon=-112.1, timezone="America/Phoenix")
    body = CreateVirtualSiteRequest(name="Home", location=place, location_utc_offset=-7, operational_since=NOON)
    site = OPERATIONS["create_virtual_site"].sync(client=client, body=body)
    assert (site.name, site.vendor, site.operational_since) == ("Home", "virtual", NOON)
    for shown in (get_site.sync(site.id, client=client), OPERATIONS["get_virtual_site"].sync(site.id, client=client)):
        assert (shown.id, shown.location.timezone, shown.location.current_utc_offset) == (
            site.id,
            "America/Phoenix",
            -7,
        )
    assert virtual_ids(client, "site") == [site.id]
    return site


def battery_with_all_members(client, site):
    body = CreateVirtualBatteryRequest(name="B", site_id=site.id, reported_at=NOON, model="M", serial_number="S",
                                       nameplate_kwh=13.5, mode=BatteryMode.BACKUP,
                                       state_of_charge_percent=55)  # fmt: skip
    battery = OPERATIONS["create_virtual_battery"].sync(client=client, body=body)
    assert battery.to_dict() | body.to_dict() == battery.to_dict()
    return battery


def inverter_with_all_members(client, site):
    body = CreateVirtualSolarInverterRequest(
        name="I",
        site_id=site.id,
        reported_at=NOON,
        model="M",
        serial_number="S",
        recent_production=SolarInverterRecentProduction(kwh=1.5, start=NOON),
        lifetime_production=SolarInverterLifetimeProduction(kwh=99, start=None),
    )
    inverter = OPERATIONS["create_virtual_solar_inverter"].sync(client=client, body=body)
    assert inverter.to_dict() | body.to_dict() == inverter.to_dict()
    return inverter


def device_without_a_site(client, kind):
    """As the SDK's own tests: a name alone, the ordinary path, the lists at once, and yesterday's intervals."""
    request, get, get_intervals, list_all = DEVICES[kind]
    created = OPERATIONS[f"create_virtual_{kind}"].sync(client=client, body=request(name="hi"))
    device = get.sync(created.id, client=client)
    assert (device.name, device.vendor, device.site_id) == ("hi", "virtual", created.site_id)
    assert created.id in [item.id for item in list_all.sync_depaginated(client=client)]
    assert created.id in virtual_ids(client, kind, page_size=1)
    now = datetime.datetime.now(datetime.UTC)
    window = {"start": now - datetime.timedelta(hours=25), "end": now - datetime.timedelta(hours=1)}
    page = get_intervals.sync(created.id, client=client, **window)
    assert len(page.intervals) in (24, 25)
    assert page.next_page_token is UNSET
    assert page.intervals[0].start.utcoffset() is not None
    for read in (get_site_solar_inverter_intervals, get_site_battery_intervals):
        of_site = read.sync(created.site_id, client=client, **window)
        assert len(of_site.intervals) in (0, 24, 25)
    assert OPERATIONS[f"delete_virtual_{kind}"].sync_detailed(created.id, client=client).status_code == 204
