"""The log: one JSON object a line on stderr, without secrets.

Secrets are redacted in three ways: fields by their names; values passed to `conceal` during the request, wherever they
occur, tracebacks included; and texts that look like a credential.
"""

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

SECRET_NAME = re.compile(
    r"authorization|secret|token|password|passwd|cookie|credential|api.?key|signature", re.IGNORECASE
)
# Values of authorization headers, JWTs, user:password@host.
SECRET_TEXT = re.compile(
    r"(?i:\b(?:Bearer|Basic)\s+)(?P<scheme>[A-Za-z0-9+/=._~-]{6,})"
    r"|(?P<jwt>\beyJ[\w-]+\.[\w-]+\.[\w-]*)"
    r"|(?<=://)(?P<user>[^/\s@]+)(?=@)"
)
MAX_PATH = 200  # characters

logger = structlog.stdlib.get_logger("app.request")

# One set per request, shared with the threads that work for the request in a copy of its context.
_concealed: ContextVar[set[str] | None] = ContextVar("concealed", default=None)
_failed: ContextVar[dict[str, str] | None] = ContextVar("failed", default=None)


def conceal(*secrets: str) -> None:
    """Hides these values from every log line of the current request, also when encoded."""
    known = _concealed.get()
    if known is None:
        _concealed.set(known := set())
    for secret in secrets:
        # Shorter values would redact parts of ordinary words, and protect nothing.
        if len(secret) >= 4:
            known.add(secret)


def note_failures(codes: Mapping[str, str]) -> None:
    """Adds vendors that failed, each with its error code, to the log line of the current request."""
    failed = _failed.get()
    if failed is not None:
        failed.update(codes)


def _forms(secret: str) -> set[str]:
    """A secret as it is, percent-encoded, and in base64."""
    return {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")}


def _hide(value: Any, known: list[str]) -> Any:
    if isinstance(value, str):
        for secret in known:
            value = value.replace(secret, HIDDEN)
        return SECRET_TEXT.sub(_cut, value)
    if isinstance(value, dict):
        return {
            _hide(str(name), known): HIDDEN if SECRET_NAME.search(str(name)) else _hide(item, known)
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
    """Hides secrets. The last processor before the line is written: no later processor may add text."""
    redacted: EventDict = _hide(dict(event), _known())
    return redacted


def _line(event: EventDict, **options: Any) -> str:
    try:
        return orjson.dumps(event).decode()
    except orjson.JSONEncodeError:  # half a surrogate pair, or a number of more than 64 bits
        return json.dumps(event)


class StderrHandler(logging.Handler):
    """Writes to the current sys.stderr: tests and click's runner replace it and close it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except OSError:
            pass  # The reader of stderr is gone; that must not fail a request.


SHARED_PROCESSORS: list[Processor] = [
    merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


JSON_FORMATTER: dict[str, Any] = {
    "()": structlog.stdlib.ProcessorFormatter,
    "foreign_pre_chain": SHARED_PROCESSORS,
    "processors": [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        redact,
        structlog.processors.JSONRenderer(serializer=_line),
    ],
}


def configuration(level: str) -> dict[str, Any]:
    """Configuration for logging.config.dictConfig, also for gunicorn's loggers."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": JSON_FORMATTER},
        "handlers": {"stderr": {"()": StderrHandler, "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Its messages at the start would fill a screen; app.server.hooks logs one line instead.
            "gunicorn.error": {"handlers": [], "propagate": True, "level": "WARNING"},
            # init_app logs a line for each request; gunicorn's would contain the query string.
            "gunicorn.access": {"handlers": [], "propagate": False, "level": "CRITICAL"},
            # It logs every migration.
            "alembic": {"level": "WARNING"},
        },
    }


def configure(level: str) -> None:
    """Sends structlog and the standard library's logging through the same processors."""
    logging.config.dictConfig(configuration(level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def init_app(app: Flask) -> None:
    """Gives every request an id and one line in the log."""
    app.before_request(_begin)
    app.teardown_request(_forget)
    app.after_request(_write_line)


def _begin() -> None:
    sent_id = request.headers.get("X-Request-ID", "")
    g.request_id = sent_id if REQUEST_ID.fullmatch(sent_id) else uuid.uuid4().hex
    g.started = time.monotonic()
    clear_contextvars()
    bind_contextvars(request_id=g.request_id)
    _concealed.set(set())
    _failed.set({})
    conceal(request.headers.get("Authorization", "").partition(" ")[2].strip())


def _forget(error: BaseException | None) -> None:
    # The thread is reused, and the next line that gunicorn logs on it belongs to no request.
    clear_contextvars()
    _concealed.set(None)
    _failed.set(None)


def _write_line(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    client = g.get("client")
    failed = _failed.get()
    logger.info(
        "request",
        method=request.method,
        # Without the query string. Redacted before it is cut, because a cut secret would not be recognized.
        path=cut(_hide(request.path, _known()), MAX_PATH),
        status=response.status_code,
        milliseconds=round(1000 * (time.monotonic() - g.started)),
        client=client.id if client else None,
        **({"failed": failed} if failed else {}),
    )
    return response
