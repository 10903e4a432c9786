"""Lines that a caller can cause at will are bounded for each minute, and the lines left out are counted."""

import structlog
from structlog.contextvars import bound_contextvars
from structlog.testing import capture_logs

from app.bounded_log import BoundedLog, clean


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def a_log(clock: Clock, per_minute: int = 2) -> BoundedLog:
    return BoundedLog(structlog.stdlib.get_logger("x"), "call refused", per_minute, clock)


def test_a_bounded_number_of_lines_a_minute_is_written_and_the_others_are_counted() -> None:
    clock = Clock()
    with capture_logs() as lines:
        log = a_log(clock)
        for number in range(5):
            log.warning(number=number)
        assert [line["number"] for line in lines] == [0, 1]
        clock.now += 60
        log.warning(number=5)
    assert lines[2:] == [
        {"event": "call refused", "log_level": "warning", "left_out": 3, "per_minute": 2},
        {"event": "call refused", "log_level": "warning", "number": 5},
    ]


def test_the_count_is_written_without_a_further_line_and_once() -> None:
    clock = Clock()
    with capture_logs() as lines:
        log = a_log(clock)
        for _ in range(3):
            log.warning()
        clock.now += 59
        log.settle()
        assert len(lines) == 2, "the minute has not ended"
        clock.now += 1
        log.settle()
        log.settle()
        assert [line.get("left_out") for line in lines] == [None, None, 1]
        clock.now += 60
        log.settle()
        assert len(lines) == 3


def test_the_count_belongs_to_no_request() -> None:
    clock = Clock()
    seen: list[object] = []

    class Logger:
        def warning(self, event: str, **fields: object) -> None:
            seen.append(structlog.contextvars.get_contextvars().get("request_id"))

    log = BoundedLog(Logger(), "x", 1, clock)
    with bound_contextvars(request_id="abc"):
        log.warning()
        log.warning()
        clock.now += 60
        log.settle()
    assert seen == ["abc", None]


def test_texts_of_callers_are_cut_and_cannot_break_or_disguise_a_line() -> None:
    assert clean("a\x00b\r\nc\u202ed") == "a?b??c?d"
    assert clean("x" * 65) == "x" * 63 + "…"
    assert clean("x" * 64) == "x" * 64
    assert clean("ä") == "ä"
