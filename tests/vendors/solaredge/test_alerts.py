"""SolarEdge's alerts as a device's log."""

from datetime import UTC, datetime

from tests.vendors.solaredge.played import CHICAGO, device, sample
from tests.vendors.support import open_vendor


def alert(number=1, **of):
    (recorded,) = sample("alerts_open_fixture")
    return recorded | {"alertId": number, "siteId": 1} | of


def errors_of(installed, *pages):
    installed("/devices", [device("INVERTER", "7E1234B5-67")])
    installed("/inverters/telemetry", {"inverters": {}})
    for page in pages:
        network = installed("/alerts", page)
    inverter = open_vendor("solaredge").solar_inverter(("1", "7E1234B5-67"))
    return inverter.recent_errors, sum("/alerts" in call.request.url for call in network.calls)


def test_alerts_that_are_over_are_left_out(installed):
    errors, _ = errors_of(installed, [alert(1, status="CLOSED"), alert(2, type="Arc"), alert(3, status=None)])
    assert [message.text for message in errors.found] == ["EQUIPMENT: Arc", "EQUIPMENT: DC Isolation"]


def test_an_alert_on_two_pages_counts_once(installed):
    errors, _ = errors_of(installed, [alert(number) for number in range(100)], [alert(99)])
    assert len(errors.found) == 100
    assert errors.start.isoformat() == CHICAGO["installationDate"]


def test_where_not_all_alerts_are_read_the_log_begins_with_the_oldest_that_was(installed):
    pages = [
        [alert(100 * page + number, firstTrigger=f"2026-05-{30 - page}T12:00:00Z") for number in range(100)]
        for page in range(9)
    ]
    errors, calls = errors_of(installed, *pages)
    assert (calls, len(errors.found)) == (5, 500)
    assert errors.start == datetime(2026, 5, 26, 12, tzinfo=UTC)


def test_an_alert_of_another_site_is_left_out(installed):
    errors, _ = errors_of(installed, [alert(1, siteId=2), alert(2)])
    assert len(errors.found) == 1
