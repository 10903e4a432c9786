"""No text of a caller or a vendor makes another line, a second field or a long line (promise 32)."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog
from _pytest.logging import LogCaptureHandler
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.web import log

NASTY = [
    '\n{"event": "request", "level": "info"}',
    "\r\n2026-01-01T00:00:00Z [info     ] request",
    "\x1b[2J\x1b]0;title\x07",
    "a\u2028b\u2029c\x85d\x0be\x0cf",
    "\u202egnp.exe",
    '"}, {"',
    "\ud800",
    "x" * 70_000,
]
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(max_size=300))
PATHS = st.text(max_size=100) | st.sampled_from(NASTY[:5])
# What a header can hold when it reaches the application: a caller sends any byte but the ends of a line.
HEADER_TEXTS = st.one_of(
    st.sampled_from(['{"a": 1}', "\x1b[2J", "x" * 5_000, "\x85\xa0"]),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=100),
)
UNSAFE = set(map(chr, [*range(32), *range(127, 160), 0x2028, 0x2029, 0x202E]))
many = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def check_json(written: str, expected: int) -> list[dict[str, object]]:
    """That each line parses, has no character that ends a line for any reader, and a bounded length."""
    lines = written.splitlines()
    assert len(lines) == expected
    for line in lines:
        assert not UNSAFE & set(json.dumps(json.loads(line), ensure_ascii=False).replace("\\n", ""))
        assert len(line) < 40_000
    return [json.loads(line) for line in lines]


@pytest.fixture
def terminal(monkeypatch, lines, capsys):
    """Reads the log in the style of a terminal."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    log.configure("INFO", has_colors=False)
    return lambda: capsys.readouterr().err


@many
@given(
    path=st.text(max_size=100) | st.sampled_from(NASTY[:5]),
    query=st.text(max_size=50),
    agent=HEADER_TEXTS,
    sent_id=HEADER_TEXTS,
)
@example(path="%0a%7b%22event%22", query="a=%0d%0a", agent="x", sent_id="a b")
def test_a_request_is_one_line_whatever_its_path_query_agent_and_id(http, lines, capsys, path, query, agent, sent_id):
    capsys.readouterr()
    answer = http.get("/", base_url="http://localhost", headers={"User-Agent": agent, "X-Request-ID": sent_id},
                      environ_overrides={"PATH_INFO": f"/{path}".encode(errors="replace").decode("latin-1"),
                                         "QUERY_STRING": query.encode(errors="replace").decode("latin-1")})  # fmt: skip
    (line,) = check_json(capsys.readouterr().err, 1)
    assert line["event"] == "request"
    assert len(line["path"]) <= 200
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert set(line) <= {"event", "level", "logger", "timestamp", "request_id", "method", "path", "status",
                         "milliseconds", "client"}  # fmt: skip


@many
@given(path=PATHS)
def test_a_request_is_one_line_on_a_terminal(http, terminal, path):
    terminal()
    http.get("/", environ_overrides={"PATH_INFO": f"/{path}".encode(errors="replace").decode("latin-1")})
    (line,) = terminal().splitlines()
    assert " request " in line
    assert not UNSAFE & set(line)


@contextmanager
def unreported() -> Iterator[None]:
    """Lines that pytest does not report: between processes, no report can hold half a character."""
    root = logging.getLogger()
    handlers = [handler for handler in root.handlers if isinstance(handler, LogCaptureHandler)]
    for handler in handlers:
        root.removeHandler(handler)
    yield
    for handler in handlers:
        root.addHandler(handler)


@many
@given(text=TEXTS)
def test_any_text_in_any_place_stays_in_its_line(lines, capsys, text):
    capsys.readouterr()
    logger = structlog.stdlib.get_logger("x")
    with unreported():
        logger.warning("failed", why=text, nested={text: [text]}, number=1)
        try:
            raise ValueError(text)
        except ValueError:
            logger.exception("failed", why=text)
    plain, failed = check_json(capsys.readouterr().err, 2)
    assert set(plain) == {"event", "level", "logger", "timestamp", "why", "nested", "number"}
    assert max(map(len, failed["exception"].split("\n"))) <= 250


@many
@given(text=TEXTS)
def test_any_text_stays_in_its_line_on_a_terminal(terminal, text):
    terminal()
    with unreported():
        structlog.stdlib.get_logger("x").warning("failed", why=text, number=1)
    (line,) = terminal().splitlines()
    assert not UNSAFE & set(line)
    assert len(line) < 4_500


@pytest.mark.parametrize("sent_id", ["a" * 65, "a b", "a\x1bb", "ä", "a;b", "../a", "a\u2028"])
def test_an_unsafe_id_is_replaced(http, sent_id):
    sent = {"X-Request-ID": sent_id.encode("latin-1", "replace").decode("latin-1")}
    id = http.get("/health", headers=sent).headers["X-Request-ID"]
    assert id != sent_id
    assert len(id) == 32


def test_a_safe_id_is_echoed(http):
    id = "Abc-123_x.9"
    assert http.get("/health", headers={"X-Request-ID": id}).headers["X-Request-ID"] == id
