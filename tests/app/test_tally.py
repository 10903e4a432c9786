"""Log lines that clients can bring about at will stay few."""

import time

import pytest

from app.server import limits, refusals
from app.server.tally import RefusalLog, Tally


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, object]]]:
    lines: list[tuple[str, dict[str, object]]] = []

    class Logger:
        def warning(self, event: str, **members: object) -> None:
            lines.append((event, members))

    monkeypatch.setattr("app.server.tally.logger", Logger())
    return lines


def test_an_event_that_goes_on_is_a_line_at_once_and_then_a_count_now_and_then(
    written: list[tuple[str, dict[str, object]]],
) -> None:
    tally = Tally("closed")
    for second in range(12):
        for _ in range(100):
            tally.add(reason=f"second {second}")
        tally.write_due(1000.0 + second)
    assert written == [
        ("closed", {"count": 100, "reason": "second 0"}),
        ("closed", {"count": 500, "reason": "second 5"}),
        ("closed", {"count": 500, "reason": "second 10"}),
    ]
    tally.write_due(2000.0)
    tally.write_due(3000.0)
    assert written[3:] == [("closed", {"count": 100, "reason": "second 11"})]


def test_refusals_beyond_a_number_per_minute_are_counted_by_status(
    written: list[tuple[str, dict[str, object]]],
) -> None:
    log = RefusalLog()
    for number in range(limits.REFUSALS_PER_MINUTE + 30):
        log.write(refusals.problem(400 if number % 2 else 408), "192.0.2.1", str(number))
    assert len(written) == limits.REFUSALS_PER_MINUTE
    assert written[0] == (
        "refused",
        {"status": 408, "code": "request_timeout", "address": "192.0.2.1", "request_id": "0"},
    )
    log.write_due(time.monotonic() + 61)
    assert written[-1] == ("refused_and_not_logged", {"count": 30, "by_status": {"400": 15, "408": 15}})
    log.write_due(time.monotonic() + 200)
    assert len(written) == limits.REFUSALS_PER_MINUTE + 1
