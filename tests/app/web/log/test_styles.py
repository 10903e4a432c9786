"""The log's two styles: columns on a terminal, JSON lines elsewhere; the same redaction in both."""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog

from app import create_app
from app.web import log
from app.web.log import redaction

ESCAPE = "\x1b["


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., None]]:
    """Configures the log as on a terminal."""

    def configure(*, has_colors: bool = False) -> None:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        log.configure("DEBUG", has_colors=has_colors)

    yield configure
    monkeypatch.undo()
    log.configure("ERROR")


def fail_with(message: str) -> None:
    try:
        try:
            raise KeyError(message)
        except KeyError as error:
            raise ValueError(message) from error
    except ValueError:
        structlog.stdlib.get_logger("x").exception("failed", vendor="solis")


def test_a_terminal_gets_columns_with_the_same_fields(on_terminal: Callable[..., None], capsys) -> None:
    on_terminal()
    logging.getLogger("some.library").warning("took %d s", 3, extra={"vendor": "solis", "note": "two words"})
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(r"\d{4}-\d\d-\d\dT\S+Z \[warning *\] took 3 s +\[some\.library\]", line)
    assert "vendor=solis" in line
    assert "note='two words'" in line


def test_a_pipe_gets_json(capsys, lines) -> None:
    structlog.stdlib.get_logger("x").info("hello", number=1)
    assert json.loads(capsys.readouterr().err)["number"] == 1


@pytest.mark.parametrize("has_colors", [True, False])
def test_colors_are_left_out_when_they_are_not_wanted(on_terminal, capsys, has_colors: bool) -> None:
    on_terminal(has_colors=has_colors)
    structlog.stdlib.get_logger("x").info("hello")
    assert (ESCAPE in capsys.readouterr().err) == has_colors


def test_no_color_reaches_the_log(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("app.log.configure", lambda level, **options: seen.append(options))
    for no_color in (True, False):
        create_app(type(settings)(**{**vars(settings), "no_color": no_color})).extensions["services"].close()
    assert [options["has_colors"] for options in seen] == [False, True]


def test_a_traceback_on_a_terminal_has_its_causes_and_no_values_of_variables(on_terminal, capsys) -> None:
    on_terminal()
    fail_with("made up")
    written = capsys.readouterr().err
    assert "KeyError: 'made up'" in written
    assert "ValueError: made up" in written
    assert written.count("Traceback (most recent call last):") == 2
    assert "locals" not in written


def test_the_secrets_of_a_request_are_hidden_on_a_terminal_as_well(on_terminal, capsys) -> None:
    on_terminal()
    redaction.begin()
    log.conceal("open-sesame")
    structlog.stdlib.get_logger("x").info("sent open-sesame", token="abc-abc", url="https://me:pa55@a.example")
    fail_with("refused open-sesame")
    redaction.end()
    written = capsys.readouterr().err
    assert written.count(log.HIDDEN) >= 5
    for secret in ("open-sesame", "abc-abc", "pa55"):
        assert secret not in written


def test_text_of_a_vendor_in_an_exception_is_one_short_line_in_both_styles(on_terminal, capsys, lines) -> None:
    forged = "x\n2026-01-01T00:00:00Z [info     ] request \x1b[2J" + "y" * 500
    fail_with(forged)
    (written,) = lines()
    messages = [line for line in written["exception"].split("\n") if line.startswith(("KeyError", "ValueError"))]
    assert [len(message) for message in messages] == [len("KeyError: ") + 200, len("ValueError: ") + 200]
    on_terminal()
    fail_with(forged)
    shown = capsys.readouterr().err.splitlines()
    assert not [line for line in shown[1:] if line.startswith("2026")]
    assert max(map(len, shown)) < 300
    assert "\x1b" not in "".join(shown)


def test_a_secret_across_the_limit_of_a_message_is_hidden_whole(lines) -> None:
    redaction.begin()
    log.conceal("open-sesame-12345")
    fail_with("x" * 190 + "open-sesame-12345")
    redaction.end()
    (line,) = lines()
    assert "open-sesame" not in line["exception"]
    assert "sesa" not in line["exception"]


def test_an_exception_without_a_readable_message_is_logged(lines) -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    try:
        raise Broken
    except Broken:
        structlog.stdlib.get_logger("x").exception("failed")
    (line,) = lines()
    assert "Broken: (its message cannot be shown)" in line["exception"]


def test_the_fields_of_the_service_stay_readable_whatever_a_caller_sends_as_a_secret(app, lines) -> None:
    client_id, _ = app.extensions["services"].clients.create("test", "production", "v1")
    with app.test_request_context("/health"):
        app.preprocess_request()
        log.disclose(client_id)
        log.conceal(client_id, client_id[:8], "info", "request", "app.request")
        structlog.stdlib.get_logger("app.request").info("request", client=client_id, other=f"it is {client_id}")
    (line,) = lines()
    assert (line["client"], line["level"], line["event"]) == (client_id, "info", "request")
    assert line["logger"] == "app.request"
    assert line["other"] == f"it is {log.HIDDEN}"
