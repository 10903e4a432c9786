"""The official Python SDK, unmodified, against this service and the played vendors."""

import datetime

import httpx
import pytest
from derapi import AuthenticatedClient
from derapi.api.batteries import get_battery, get_battery_intervals, list_batteries
from derapi.api.sites import (
    get_site,
    get_site_battery_intervals,
    get_site_solar_inverter_intervals,
    list_sites,
)
from derapi.api.solar_inverters import get_solar_inverter, get_solar_inverter_intervals, list_solar_inverters
from derapi.models import SummaryLevel, Vendor
from derapi.types import UNSET

from tests.services import served
from vendors.kit.registry import discover

LISTS = ((list_sites, "sites"), (list_solar_inverters, "solar_inverters"), (list_batteries, "batteries"))
END = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
WINDOWS = {
    SummaryLevel.VALUE_3: datetime.timedelta(hours=20),
    SummaryLevel.HOUR: datetime.timedelta(days=2),
    SummaryLevel.DAY: datetime.timedelta(days=9),
    SummaryLevel.MONTH: datetime.timedelta(days=70),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with served(tmp_path_factory.mktemp("sdk"), sites=3) as opened:
        yield opened


# The SDK cannot read a site or device of a vendor that is not in its enumeration.
KNOWN = sorted(discover().keys() & {vendor.value for vendor in Vendor})


@pytest.fixture(params=KNOWN)
def vendor(request):
    return request.param


def test_the_sdk_knows_vendors_of_this_service():
    assert KNOWN


@pytest.fixture
def client(vendor, service):
    """The SDK's client with one vendor's credential, over the service itself instead of a socket."""
    api, played = service
    client = AuthenticatedClient("http://localhost", token=api.token)
    headers = {"Authorization": f"Bearer {api.token}"} | played.headers(vendor)
    transport = httpx.WSGITransport(api.app)
    return client.set_httpx_client(httpx.Client(transport=transport, base_url="http://localhost", headers=headers))


@pytest.mark.one_in(2)
def test_every_page_of_every_list_can_be_read(client, vendor):
    for read, member in LISTS:
        paged_ids = [item.id for item in read.sync_depaginated(client=client, page_size=2)]
        whole = read.sync(client=client, vendor=Vendor(vendor), page_size=1000)
        assert paged_ids == [item.id for item in getattr(whole, member)]
        assert whole.errors.to_dict() == {}
        assert paged_ids


@pytest.mark.one_in(2)
def test_every_site_and_device_can_be_read_and_belongs_together(client, vendor):
    inverters, batteries = set(), set()
    for item in list_sites.sync_depaginated(client=client):
        site = get_site.sync(item.id, client=client)
        assert (site.id, site.vendor) == (item.id, vendor)
        assert site.name
        inverters |= {device.id for device in site.solar_inverters}
        batteries |= {device.id for device in site.batteries}
        for device in site.solar_inverters[:3]:
            inverter = get_solar_inverter.sync(device.id, client=client)
            assert (inverter.id, inverter.site_id) == (device.id, site.id)
            assert inverter.reported_at.utcoffset() == datetime.timedelta(0)
        for device in site.batteries:
            battery = get_battery.sync(device.id, client=client)
            assert (battery.id, battery.site_id) == (device.id, site.id)
    assert inverters == {item.id for item in list_solar_inverters.sync_depaginated(client=client)}
    assert batteries == {item.id for item in list_batteries.sync_depaginated(client=client)}


@pytest.mark.one_in(4)
def test_intervals_of_every_level_come_page_by_page(client, vendor):
    offered = 0
    for read, id in series(client):
        for level, span in WINDOWS.items():
            query = {"client": client, "summary_level": level, "start": END - span, "end": END}
            intervals = pages(read, id, 7, query)
            if intervals is None:
                continue
            offered += 1
            starts = [interval.start for interval in intervals]
            assert starts == sorted(set(starts))
            assert intervals == pages(read, id, 1000, query)
    assert offered >= 8


def pages(read, id, size, query):
    """The intervals of all pages; None where the vendor does not offer them."""
    intervals, page = [], {}
    while True:
        answer = read.sync_detailed(id, page_size=size, **query, **page)
        if answer.status_code == 404 and b"not_offered" in answer.content:
            return None
        assert answer.status_code == 200, answer.content
        intervals += answer.parsed.intervals
        if answer.parsed.next_page_token is UNSET:
            return intervals
        page = {"page_token": answer.parsed.next_page_token}


def series(client):
    """The series of the first site with a battery, and of its devices."""
    for item in list_sites.sync_depaginated(client=client):
        site = get_site.sync(item.id, client=client)
        if site.batteries:
            yield get_site_solar_inverter_intervals, site.id
            yield get_site_battery_intervals, site.id
            yield get_solar_inverter_intervals, site.solar_inverters[0].id
            yield get_battery_intervals, site.batteries[0].id
            return
