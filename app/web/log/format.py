"""Formats of the log: columns if stderr is a terminal, else one JSON object a line."""

import json
import logging.config
import sys
from typing import Any

import orjson
import structlog
from structlog.contextvars import merge_contextvars
from structlog.typing import EventDict, Processor

from app.web.log.redaction import redact, traceback_text


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


def _line(event: EventDict, **options: Any) -> str:
    try:
        return orjson.dumps(event).decode()
    except orjson.JSONEncodeError:  # a number of more than 64 bits
        return json.dumps(event)


def formatter(renderer: Processor) -> dict[str, Any]:
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": SHARED_PROCESSORS,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.ExceptionRenderer(traceback_text),
            redact,
            renderer,
        ],
    }


def renderer(*, is_terminal: bool, has_colors: bool) -> Processor:
    """Writes the redacted line."""
    if is_terminal:
        # Not the formatter of tracebacks that structlog prefers, which would show the values of variables.
        plain = structlog.dev.plain_traceback
        return structlog.dev.ConsoleRenderer(colors=has_colors, exception_formatter=plain)
    return structlog.processors.JSONRenderer(serializer=_line)


def is_terminal() -> bool:
    """Whether a person reads stderr."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # none, or closed
        return False


def configuration(level: str, *, has_colors: bool = True) -> dict[str, Any]:
    """Configuration for logging.config.dictConfig, also for gunicorn's loggers."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter(renderer(is_terminal=is_terminal(), has_colors=has_colors))},
        "handlers": {"stderr": {"()": StderrHandler, "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Its messages at the start would fill a screen; app.server.hooks logs one line instead.
            "gunicorn.error": {"handlers": [], "propagate": True, "level": "WARNING"},
            # request_line.py logs a line for each request; gunicorn's would contain the query string.
            "gunicorn.access": {"handlers": [], "propagate": False, "level": "CRITICAL"},
            # It logs every migration.
            "alembic": {"level": "WARNING"},
            # app.web.traces logs a collector that does not answer once, and not for each batch.
            "opentelemetry": {"level": "CRITICAL"},
            "urllib3": {"level": "WARNING"},
            # At DEBUG it logs each row that it reads: hashes of secrets, and encrypted credentials.
            "sqlalchemy": {"level": "WARNING"},
        },
    }


def configure(level: str, *, has_colors: bool = True) -> None:
    """Sends structlog and the standard library's logging through the same processors."""
    logging.config.dictConfig(configuration(level, has_colors=has_colors))
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
