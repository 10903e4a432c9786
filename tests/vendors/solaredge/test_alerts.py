"""SolarEdge's alerts as a device's log."""

from datetime import UTC, datetime

from tests.vendors.solaredge.played import CHICAGO, device, sample
from tests.vendors.support import open_vendor


def alert(number=1, **of):
    (one,) = sample("alerts_open_fixture")
    return one | {"alertId": number, "siteId": 1} | of


def errors_of(installed, *pages):
    installed("/devices", [device("INVERTER", "7E1234B5-67")])
    installed("/inverters/telemetry", {"inverters": {}})
    for page in pages:
        network = installed("/alerts", page)
    inverter = open_vendor("solaredge").solar_inverter(("1", "7E1234B5-67"))
    return inverter.recent_errors, sum("/alerts" in call.request.url for call in network.calls)


def test_an_alert_that_is_not_open_any_more_is_not_told(installed):
    found, _ = errors_of(installed, [alert(1, status="CLOSED"), alert(2, type="Arc"), alert(3, status=None)])
    assert [message.text for message in found.found] == ["EQUIPMENT: Arc", "EQUIPMENT: DC Isolation"]


def test_an_alert_on_two_pages_is_told_once(installed):
    found, _ = errors_of(installed, [alert(number) for number in range(100)], [alert(99)])
    assert len(found.found) == 100
    assert found.start.isoformat() == CHICAGO["installationDate"]


def test_of_more_alerts_than_are_read_the_oldest_one_that_was_is_the_beginning(installed):
    pages = [
        [alert(100 * page + one, firstTrigger=f"2026-05-{30 - page}T12:00:00Z") for one in range(100)]
        for page in range(9)
    ]
    found, calls = errors_of(installed, *pages)
    assert (calls, len(found.found)) == (5, 500)
    assert found.start == datetime(2026, 5, 26, 12, tzinfo=UTC)


def test_an_alert_of_another_site_is_not_told(installed):
    found, _ = errors_of(installed, [alert(1, siteId=2), alert(2)])
    assert len(found.found) == 1
