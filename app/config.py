"""The settings: the one place that reads the environment.

Values come from the environment, then from a file `.env` beside the project. An empty value counts as absent.
All faults are collected and reported together, so that a first start needs one correction, not ten.
"""

from __future__ import annotations

import math
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app import network
from app.storage import instance_keys

# Of a request's body, in bytes; held in memory while it arrives.
BODY_LIMIT = 64 * 1024
ROOT = Path(__file__).resolve().parent.parent
VENDOR_URL = "VENDOR_URL_"
VENDOR_LIMIT = "VENDOR_LIMIT_"


class SettingsError(Exception):
    """One or more settings are missing or wrong; the message has one line for each."""


def _key(text: str) -> str:
    if len(text) < instance_keys.MINIMUM:
        raise ValueError
    return text


def _between(low: float, high: float, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        number = kind(text)
        if not (math.isfinite(number) and low <= number <= high):
            raise ValueError
        return number

    return parse


def _url(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment or url.username:
        raise ValueError
    _ = url.port  # raises ValueError when it is not a number
    return text.rstrip("/")


def _vendor_url(text: str) -> str:
    """A URL that credentials are sent to: plain http stays on this machine."""
    if urlsplit(text).scheme != "https" and not network.is_loopback(urlsplit(text).hostname or ""):
        raise ValueError
    return _url(text)


def _proxy_url(text: str) -> str:
    url = urlsplit(text)
    # Calls to vendors are encrypted through it; TLS within TLS is not offered.
    if url.scheme != "http" or not url.hostname:
        raise ValueError
    return text


def _database_url(text: str) -> str:
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ValueError from error
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:  # Heroku writes postgres://
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    # A database in memory would be another one in every process.
    if url.drivername != "sqlite" or url.database in {None, "", ":memory:"}:
        raise ValueError
    return text


def _redis_url(text: str) -> str:
    if urlsplit(text).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError
    return text


def _file(text: str) -> str:
    try:
        ssl.create_default_context(cafile=text)
    except OSError as error:  # not readable, or no certificate in it
        raise ValueError from error
    return text


def _log_level(text: str) -> str:
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError
    return text.upper()


def _worker(text: str) -> str:
    if text.lower() not in {"derapi", "gthread"}:
        raise ValueError
    return text.lower()


def _setting(
    expected: str,
    example: str,
    parse: Callable[[str], Any] = str,
    *,
    default: Any = MISSING,
    secret: bool = False,
) -> Any:
    about = {"expected": expected, "example": example, "parse": parse, "secret": secret}
    return field(default=default, repr=not secret, metadata=about)


_KEY = f"any text of at least {instance_keys.MINIMUM} characters"
_PORT = "a port number from 1 to 65535"
_VENDOR = "an https URL (http on loopback only), without query"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting; the environment's name is the field's in capitals. Secrets never show in the repr."""

    secret_key: str = _setting(_KEY, "the output of `openssl rand -hex 32`", _key, secret=True)
    id_key: str = _setting(_KEY, "the output of `openssl rand -hex 32`", _key, secret=True)
    database_url: str = _setting(
        "a Postgres URL or an SQLite file",
        "postgresql://user:password@host/name or sqlite:////var/lib/derapi/derapi.db",
        _database_url,
        secret=True,
    )
    redis_url: str | None = _setting(
        "the URL of a Redis server", "redis://:password@host:6379/0", _redis_url, default=None, secret=True
    )
    public_url: str | None = _setting(
        "the URL of this service as its users see it", "https://derapi.example.org", _url, default=None
    )
    trusted_proxies: int = _setting(
        "the number of proxies in front of this service", "1", _between(0, 10, int), default=0
    )
    port: int = _setting(_PORT, "8000", _between(1, 65535, int), default=8000)
    web_concurrency: int = _setting("a number of processes from 1 to 64", "2", _between(1, 64, int), default=2)
    worker: str = _setting("derapi or gthread", "derapi", _worker, default="derapi")
    request_deadline: float = _setting(
        "seconds, more than 0 and at most 300", "20", _between(0.001, 300, float), default=20.0
    )
    log_level: str = _setting("DEBUG, INFO, WARNING or ERROR", "INFO", _log_level, default="INFO")
    sandbox_url: str | None = _setting(_VENDOR, "http://127.0.0.1:9000", _vendor_url, default=None)
    sandbox_port: int = _setting(_PORT, "9000", _between(1, 65535, int), default=9000)
    proxy_url: str | None = _setting(
        "the URL of an HTTP proxy", "http://proxy.example.org:3128", _proxy_url, default=None, secret=True
    )
    vendor_ca_file: str | None = _setting(
        "a readable file of certificates (PEM)", "/etc/ssl/certs/company.pem", _file, default=None
    )
    instance_path: Path = _setting("a folder", "/var/lib/derapi", Path, default=ROOT / "instance")
    # Base URL by vendor name, from VENDOR_URL_<NAME>.
    vendor_urls: Mapping[str, str] = field(default_factory=dict)
    # Calls and seconds by vendor name, from VENDOR_LIMIT_<NAME>.
    vendor_limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    # True for the default database: it creates and upgrades itself.
    embedded: bool = False


# DYNO is Heroku's; it is in every dyno.
NAMES = frozenset({"DYNO", *(setting.name.upper() for setting in fields(Settings) if setting.metadata)})


def environment() -> dict[str, str]:
    """The environment, and below it the file .env."""
    return {name: value or "" for name, value in dotenv_values(ROOT / ".env").items()} | dict(os.environ)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process; raises SettingsError with all faults at once."""
    if environ is None:
        environ = environment()
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    faults: list[str] = []
    values = _parse(given, faults)
    url, limit = f"{_VENDOR}, for example https://vendor.example.org", "calls/seconds, for example 10/60"
    values["vendor_urls"] = _by_vendor(VENDOR_URL, _vendor_url, url, given, faults)
    values["vendor_limits"] = _by_vendor(VENDOR_LIMIT, _limit, limit, given, faults)
    if "DATABASE_URL" not in given and "DYNO" not in given:
        values |= _embedded(values, given, faults)
    _require(given, values, faults)
    if faults:
        raise SettingsError("\n  ".join(["These settings must be corrected:", *faults]))
    return Settings(**values)


def _parse(given: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    values = {}
    for setting in fields(Settings):
        name = setting.name.upper()
        if name not in given or not setting.metadata:
            continue
        try:
            values[setting.name] = setting.metadata["parse"](given[name])
        except ValueError:
            shown = "" if setting.metadata["secret"] else f" (it is {given[name]!r})"
            faults.append(_fault(name, setting.metadata) + shown)
    return values


def _fault(name: str, about: Mapping[str, Any], why: str = "") -> str:
    return f"{name}: expected {about['expected']}, for example {about['example']}{why}"


def _limit(text: str) -> tuple[int, int]:
    calls, seconds = (int(part) for part in text.split("/"))
    if calls < 1 or not 1 <= seconds <= 31 * 86_400:
        raise ValueError
    return calls, seconds


def _by_vendor(
    prefix: str, parse: Callable[[str], Any], expected: str, given: Mapping[str, str], faults: list[str]
) -> dict[str, Any]:
    found = {}
    for name in (name for name in given if name.startswith(prefix)):
        try:
            found[name.removeprefix(prefix).lower()] = parse(given[name])
        except ValueError:
            faults.append(f"{name}: expected {expected}")
    return found


def _embedded(values: Mapping[str, Any], given: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    """The default for one machine: SQLite and keys of its own in the instance folder."""
    folder = values.get("instance_path", ROOT / "instance").resolve()
    found: dict[str, Any] = {"database_url": f"sqlite:///{folder / 'derapi.db'}", "embedded": True}
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("secret_key", "id_key"):
            if name.upper() not in given:
                found[name] = instance_keys.kept(folder, name)
    except (OSError, ValueError) as error:
        faults.append(f"INSTANCE_PATH: expected a folder to write to, for example /var/lib/derapi ({error})")
    return found


def _require(given: Mapping[str, str], values: Mapping[str, Any], faults: list[str]) -> None:
    about = {setting.name: setting.metadata for setting in fields(Settings)}
    if "DYNO" in given:
        if not values.get("database_url", "").startswith("postgresql"):
            faults.append(
                "DATABASE_URL: expected Postgres on Heroku, because a dyno loses its disk at every restart "
                "and commands run on another dyno; for example `heroku addons:create heroku-postgresql`"
            )
        if "PUBLIC_URL" not in given:
            why = " (on Heroku it is needed for the links in answers and to refuse other hosts' names)"
            faults.append(_fault("PUBLIC_URL", about["public_url"], why))
    if values.get("embedded"):
        return
    for name in ("secret_key", "id_key"):
        if name.upper() not in given:
            why = " (needed with a database of your own: all processes must share it)"
            faults.append(_fault(name.upper(), about[name], why))
