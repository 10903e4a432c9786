"""The log: one JSON object a line on stderr, without secrets.

Three nets catch secrets: fields are hidden by their names; values that `conceal` was told during a request
are replaced wherever they occur, tracebacks included; and so is what looks like a credential.
"""

from __future__ import annotations

import base64
import json
import logging.config
import re
import sys
import time
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

import orjson
import structlog
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars, merge_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from app.bounded_log import cut

HIDDEN = "[hidden]"
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_secret_name = re.compile(
    r"authorization|secret|token|password|passwd|cookie|credential|api.?key|signature", re.IGNORECASE
)
# Values of authorization headers, JWTs, user:password@host.
_secret_text = re.compile(
    r"(?i:\b(?:Bearer|Basic)\s+)(?P<scheme>[A-Za-z0-9+/=._~-]{6,})"
    r"|(?P<jwt>\beyJ[\w-]+\.[\w-]+\.[\w-]*)"
    r"|(?<=://)(?P<user>[^/\s@]+)(?=@)"
)
_MAX_PATH = 200  # characters
# One set per request. It is shared with the threads that work for the request, when they run in its context.
_concealed: ContextVar[set[str] | None] = ContextVar("concealed", default=None)
_failed: ContextVar[dict[str, str] | None] = ContextVar("failed", default=None)


def conceal(*secrets: str) -> None:
    """Hides these values from every log line of the current request, also when encoded."""
    known = _concealed.get()
    if known is None:
        _concealed.set(known := set())
    for secret in secrets:
        # Shorter values would blacken ordinary words, and nobody protects anything with them.
        if len(secret) >= 4:
            known.add(secret)


def note_failures(codes: Mapping[str, str]) -> None:
    """Names vendors that failed, each with the code of its failure, in the line of the current request."""
    failed = _failed.get()
    if failed is not None:
        failed.update(codes)


def _forms(secret: str) -> set[str]:
    """What a secret looks like, also when encoded."""
    return {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")}


def _hide(value: Any, known: list[str]) -> Any:
    if isinstance(value, str):
        for secret in known:
            value = value.replace(secret, HIDDEN)
        return _secret_text.sub(_cut, value)
    if isinstance(value, dict):
        return {
            _hide(str(name), known): HIDDEN if _secret_name.search(str(name)) else _hide(item, known)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_hide(item, known) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _hide(str(value), known)


def _cut(match: re.Match[str]) -> str:
    group = match.lastgroup or "jwt"
    return match.group(0).replace(match.group(group), HIDDEN)


def _known() -> list[str]:
    """The secrets of the current request in all their forms, the longest first: one may contain another."""
    return sorted({form for secret in list(_concealed.get() or ()) for form in _forms(secret)}, key=len, reverse=True)


def redact(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """The last processor before the line is written: nothing that comes later may add text."""
    hidden: EventDict = _hide(dict(event), _known())
    return hidden


def _line(event: EventDict, **options: Any) -> str:
    try:
        return orjson.dumps(event).decode()
    except orjson.JSONEncodeError:  # half a surrogate pair, or a number of more than 64 bits
        return json.dumps(event)


class StderrHandler(logging.Handler):
    """Writes to whatever stderr is at the time: tests and click's runner put another in its place and close it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except OSError:
            pass  # nobody reads any more; that must not fail a request


_SHARED: list[Processor] = [
    merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configuration(level: str) -> dict[str, Any]:
    """For logging.config.dictConfig, and for gunicorn, which has loggers of its own."""
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _SHARED,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(serializer=_line),
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"stderr": {"()": StderrHandler, "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Its start would fill a screen; gunicorn.conf.py says the one thing that matters.
            "gunicorn.error": {"handlers": [], "propagate": True, "level": "WARNING"},
            # Every request has a line of ours; gunicorn's would have the query string in it.
            "gunicorn.access": {"handlers": [], "propagate": False, "level": "CRITICAL"},
            # It tells of every migration.
            "alembic": {"level": "WARNING"},
        },
    }


def configure(level: str) -> None:
    """Sends structlog and the standard library's logging through the same processors."""
    logging.config.dictConfig(configuration(level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def init_app(app: Flask) -> None:
    """Gives every request an id and one line in the log."""
    logger = structlog.stdlib.get_logger("app.request")

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        g.started = time.monotonic()
        clear_contextvars()
        bind_contextvars(request_id=g.request_id)
        _concealed.set(set())
        _failed.set({})
        conceal(request.headers.get("Authorization", "").partition(" ")[2].strip())

    @app.teardown_request
    def forget(error: BaseException | None) -> None:
        # The thread lives on, and what gunicorn logs on it next belongs to no request.
        clear_contextvars()
        _concealed.set(None)
        _failed.set(None)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.request_id
        client = g.get("client")
        failed = _failed.get()
        logger.info(
            "request",
            method=request.method,
            # Never the query string. Half a secret would not be recognized: it is hidden before the path is cut.
            path=cut(_hide(request.path, _known()), _MAX_PATH),
            status=response.status_code,
            milliseconds=round(1000 * (time.monotonic() - g.started)),
            client=client.id if client else None,
            **({"failed": failed} if failed else {}),
        )
        return response
