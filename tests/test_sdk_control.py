"""The official SDK's two operations of battery control, unmodified, against a service that listens on a socket."""

import datetime

import pytest
from derapi.api.sites import get_site, get_site_battery_control, put_site_battery_control
from derapi.api.virtual import create_virtual_battery, create_virtual_site
from derapi.models import (
    CreateVirtualBatteryRequest,
    CreateVirtualSiteRequest,
    PutSiteBatteryControlRequest,
    PutSiteBatteryControlRequestInterval,
    SiteBatteryControlCommand,
    SiteLocation,
)

from tests.sdk import sdk_client, sdk_service

pytestmark = [pytest.mark.databases, pytest.mark.exhaustive]
PHOENIX = SiteLocation(current_utc_offset=-7, lat=33.4, lon=-112.1, timezone="America/Phoenix")


@pytest.fixture
def client(tmp_path, database_url):
    """The SDK's client of a virtual client."""
    with sdk_service(tmp_path, database_url, "virtual") as served, sdk_client(*served) as opened:
        yield opened


def test_a_plan_is_written_read_and_cancelled(client):
    site = create_virtual_site.sync(client=client, body=CreateVirtualSiteRequest(location=PHOENIX)).id
    battery = CreateVirtualBatteryRequest(site_id=site, nameplate_kwh=13.5, state_of_charge_percent=55)
    create_virtual_battery.sync(client=client, body=battery)
    start = datetime.datetime.now(datetime.UTC)
    end = start + datetime.timedelta(minutes=15)
    interval = PutSiteBatteryControlRequestInterval(
        start=start, end=end, command=SiteBatteryControlCommand.CHARGE, kw=0.5
    )
    plan = PutSiteBatteryControlRequest([interval])
    written = put_site_battery_control.sync(site, client=client, body=plan)
    read = get_site_battery_control.sync(site, client=client)
    for answer in (written, read):
        assert answer.id == site
        [shown] = answer.intervals
        assert (shown.command.value, shown.kw, shown.end) == ("charge", 0.5, end)
        assert shown.status.split(":")[0] in ("accepted", "taken", "verified")
    assert get_site.sync(site, client=client).id == site
    assert put_site_battery_control.sync(site, client=client, body=PutSiteBatteryControlRequest([])).intervals == []
