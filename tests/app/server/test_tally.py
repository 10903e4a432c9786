"""Log lines that clients can bring about at will stay few."""

import pytest

from app.server.tally import Tally


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
