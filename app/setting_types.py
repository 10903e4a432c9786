"""Types of settings: marshmallow fields and validators for values that arrive as text."""

import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import marshmallow as ma
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app import network
from app.storage import instance_keys

MAX_LIMIT_SECONDS = 31 * 86_400


class Parsed(ma.fields.Field[Any]):
    """A text that `parse` turns into the value, or refuses with a ValueError."""

    def __init__(self, *, parse: Callable[[str], Any], **options: Any) -> None:
        super().__init__(**options)
        self._parse = parse

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return self._parse(value)
        except ValueError:
            raise self.make_error("validator_failed") from None


def service_url(text: str) -> str:
    """An http or https URL without user, query and fragment; loses its last slash."""
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment or url.username:
        raise ValueError
    _ = url.port  # Raises ValueError when it is not a number.
    return text.rstrip("/")


def vendor_url(text: str) -> str:
    """A URL that credentials are sent to: plain http stays on this machine."""
    if urlsplit(text).scheme != "https" and not network.is_loopback(urlsplit(text).hostname or ""):
        raise ValueError
    return service_url(text)


def proxy_url(text: str) -> str:
    """The URL of an HTTP proxy. Calls to vendors are encrypted through it; TLS within TLS is not offered."""
    url = urlsplit(text)
    if url.scheme != "http" or not url.hostname:
        raise ValueError
    return text


def database_url(text: str) -> str:
    """A Postgres URL, for psycopg whatever driver it names, or the URL of an SQLite file."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ValueError from error
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:  # Heroku writes postgres://
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    # Each process would have its own database in memory.
    if url.drivername != "sqlite" or url.database in {None, "", ":memory:"}:
        raise ValueError
    return text


def redis_url(text: str) -> str:
    """A URL that the Redis client understands."""
    if urlsplit(text).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError
    return text


def without_certificate_check(redis_url: str) -> str:
    """The URL of a Redis whose certificate no authority has signed, as on Heroku, unless it says how to check it.

    The connection is encrypted; redis-py would refuse it, and the processes would never share anything.
    """
    parts = urlsplit(redis_url)
    if parts.scheme != "rediss" or "ssl_" in parts.query:
        return redis_url
    query = "&".join(filter(None, [parts.query, "ssl_cert_reqs=none&ssl_check_hostname=false"]))
    return parts._replace(query=query).geturl()


def certificate_file(text: str) -> str:
    """The path of a readable file with at least one certificate."""
    try:
        ssl.create_default_context(cafile=text)
    except OSError as error:
        raise ValueError from error
    return text


def log_level(text: str) -> str:
    """A level of the standard library's logging, in any case."""
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError
    return text.upper()


def worker(text: str) -> str:
    """This project's gunicorn worker or gunicorn's own, in any case."""
    if text.lower() not in {"derapi", "gthread"}:
        raise ValueError
    return text.lower()


def keys(text: str) -> tuple[str, ...]:
    """Keys, the newest first, from texts with commas between them."""
    texts = tuple(key.strip() for key in text.split(","))
    if min(map(len, texts)) < instance_keys.MINIMUM:
        raise ValueError(f"a key has fewer than {instance_keys.MINIMUM} characters")
    return texts


def caller_limit(text: str) -> tuple[int, int] | None:
    """Requests and seconds, from `requests/seconds`; None from `off`."""
    return None if text.lower() == "off" else call_limit(text)


def call_limit(text: str) -> tuple[int, int]:
    """Calls and seconds, from `calls/seconds`."""
    calls, seconds = (int(part) for part in text.split("/"))
    if calls < 1 or not 1 <= seconds <= MAX_LIMIT_SECONDS:
        raise ValueError
    return calls, seconds
