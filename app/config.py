"""The settings: the one place that reads the environment.

Values come from the environment, then from a file `.env` in the project's folder. An empty value counts as absent.
All faults are collected and reported together, so that a first start needs one correction, not ten.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from environs import Env, EnvValidationError
from marshmallow.validate import Length, Range

from app import setting_types
from app.setting_types import Parsed
from app.storage import instance_keys

# Of a request's body, in bytes; held in memory while it arrives.
BODY_LIMIT = 64 * 1024
ROOT = Path(__file__).resolve().parent.parent
VENDOR_URL = "VENDOR_URL_"
VENDOR_LIMIT = "VENDOR_LIMIT_"
REQUIRED = object()


class SettingsError(Exception):
    """One or more settings are missing or wrong. `faults`: a line for each; by default the message itself."""

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = faults or (message,)


def settings_error(faults: Sequence[str]) -> SettingsError:
    """The error that reports several faults at once."""
    return SettingsError("\n  ".join(["These settings must be corrected:", *faults]), faults)


def setting(
    expected: str, example: str, kind: str = "parsed", *, default: Any = REQUIRED, secret: bool = False, **options: Any
) -> Any:
    """A field of `Settings`.

    expected, example: for the message that reports a fault. kind: the method of `environs.Env` that reads the value,
    with its options. A secret value appears in no message and in no repr.
    """
    description = {"expected": expected, "example": example, "kind": kind, "options": options, "secret": secret}
    if default is REQUIRED:
        return field(repr=not secret, metadata=description)
    return field(default=default, repr=not secret, metadata=description)


def caller_limit(requests: int, seconds: int) -> Any:
    """A setting for a limit on callers, with its default."""
    example = f"{requests}/{seconds}"
    return setting("requests/seconds, or off", example, parse=setting_types.caller_limit, default=(requests, seconds))


KEY = (f"any text of at least {instance_keys.MINIMUM} characters", "the output of `openssl rand -hex 32`", "str")
KEYS = (
    f"texts of at least {instance_keys.MINIMUM} characters, the newest first, with commas between them",
    "the output of `openssl rand -hex 32`",
)
KEY_LENGTH = Length(min=instance_keys.MINIMUM)
PORT_NUMBER = "a port number from 1 to 65535"
PORTS = Range(1, 65535)
VENDOR_ADDRESS = "an https URL (http on loopback only), without query"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting; its name in the environment is the field's in capitals."""

    secret_keys: tuple[str, ...] = setting(*KEYS, parse=setting_types.keys, default=(), secret=True)
    # The same for one key, which may contain commas. Read `signing_keys`.
    secret_key: str | None = setting(*KEY, validate=KEY_LENGTH, default=None, secret=True)
    id_key: str = setting(*KEY, validate=KEY_LENGTH, secret=True)
    credential_keys: tuple[str, ...] = setting(*KEYS, parse=setting_types.keys, default=(), secret=True)
    database_url: str = setting(
        "a Postgres URL or an SQLite file",
        "postgresql://user:password@host/name or sqlite:////var/lib/derapi/derapi.db",
        parse=setting_types.database_url,
        secret=True,
    )
    redis_url: str | None = setting(
        "the URL of a Redis server",
        "redis://:password@host:6379/0",
        parse=setting_types.redis_url,
        default=None,
        secret=True,
    )
    public_url: str | None = setting(
        "the URL of this service as its users see it",
        "https://derapi.example.org",
        parse=setting_types.service_url,
        default=None,
    )
    trusted_proxies: int = setting(
        "the number of proxies in front of this service", "1", "int", validate=Range(0, 10), default=0
    )
    client_limit: tuple[int, int] | None = caller_limit(12_000, 60)
    address_limit: tuple[int, int] | None = caller_limit(24_000, 60)
    failed_login_limit: tuple[int, int] | None = caller_limit(10, 60)
    failed_login_address_limit: tuple[int, int] | None = caller_limit(50, 60)
    port: int = setting(PORT_NUMBER, "8000", "int", validate=PORTS, default=8000)
    web_concurrency: int = setting("a number of processes from 1 to 64", "2", "int", validate=Range(1, 64), default=2)
    worker: str = setting("derapi or gthread", "derapi", parse=setting_types.worker, default="derapi")
    request_deadline: float = setting(
        "seconds, at least 0.001 and at most 300", "20", "float", validate=Range(0.001, 300), default=20.0
    )
    drain_seconds: float = setting(
        "seconds, at least 0 and at most 60", "5", "float", validate=Range(0, 60), default=5.0
    )
    log_level: str = setting("DEBUG, INFO, WARNING or ERROR", "INFO", parse=setting_types.log_level, default="INFO")
    metrics_token: str | None = setting(*KEY, validate=KEY_LENGTH, default=None, secret=True)
    # https://no-color.org: any value counts.
    no_color: bool = setting("any text", "1", parse=bool, default=False)
    otel_exporter_otlp_endpoint: str | None = setting(
        "the http or https URL of a collector", "http://127.0.0.1:4318", parse=setting_types.service_url, default=None
    )
    otel_exporter_otlp_traces_endpoint: str | None = setting(
        "the http or https URL that a collector takes traces at",
        "http://127.0.0.1:4318/v1/traces",
        parse=setting_types.service_url,
        default=None,
    )
    otel_exporter_otlp_headers: str | None = setting(
        "name=value with commas between them", "api-key=...", "str", default=None, secret=True
    )
    otel_service_name: str = setting("a name", "derapi", "str", default="derapi")
    demo_sign_in: bool = setting("true or false", "false", "bool", default=False)
    sandbox_url: str | None = setting(
        VENDOR_ADDRESS, "http://127.0.0.1:9000", parse=setting_types.vendor_url, default=None
    )
    sandbox_port: int = setting(PORT_NUMBER, "9000", "int", validate=PORTS, default=9000)
    proxy_url: str | None = setting(
        "the URL of an HTTP proxy",
        "http://proxy.example.org:3128",
        parse=setting_types.proxy_url,
        default=None,
        secret=True,
    )
    vendor_ca_file: str | None = setting(
        "a readable file of certificates (PEM)",
        "/etc/ssl/certs/company.pem",
        parse=setting_types.certificate_file,
        default=None,
    )
    instance_path: Path = setting("a folder", "/var/lib/derapi", "path", default=ROOT / "instance")
    # Base URL by vendor name, from VENDOR_URL_<NAME>.
    vendor_urls: Mapping[str, str] = field(default_factory=dict)
    # Calls and seconds by vendor name, from VENDOR_LIMIT_<NAME>.
    vendor_limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    # True for the default database: it creates and upgrades itself.
    embedded: bool = False

    @property
    def signing_keys(self) -> tuple[str, ...]:
        """The keys of access tokens and page tokens, the newest first."""
        return self.secret_keys if self.secret_key is None else (self.secret_key,)


# By the setting's name in the environment.
DESCRIPTIONS = {setting.name.upper(): setting.metadata for setting in fields(Settings) if setting.metadata}
# DYNO is Heroku's; it is in every dyno.
NAMES = frozenset({"DYNO", *DESCRIPTIONS})


class Environment(Env):
    """Reads settings from a mapping and collects their faults by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self.values = values
        self.add_parser_from_field("parsed", Parsed)

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self.values.get(env_key, default)

    def faulty(self) -> list[str]:
        """The names of the settings whose values were refused, in the order in which they were read."""
        try:
            self.seal()
        except EnvValidationError as error:
            return list(error.error_messages)
        return []


def environment() -> dict[str, str]:
    """The environment, and below it the file .env."""
    return {name: value or "" for name, value in dotenv_values(ROOT / ".env").items()} | dict(os.environ)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process; raises SettingsError with all faults at once."""
    values, faults = read(environ)
    if faults:
        raise settings_error(faults)
    return Settings(**values)


def read(environ: Mapping[str, str] | None = None, *, creates: bool = True) -> tuple[dict[str, Any], list[str]]:
    """The settings that are correct, by their field, and a line for each that is missing or wrong.

    creates: whether the default for one machine makes its folder and keys; otherwise keys that are not there are empty.
    """
    if environ is None:
        environ = environment()
    present = {name: value.strip() for name, value in environ.items() if value.strip()}
    env = Environment(present)
    values: dict[str, Any] = {
        name.lower(): getattr(env, description["kind"])(name, **description["options"])
        for name, description in DESCRIPTIONS.items()
        if name in present
    }
    values["vendor_urls"] = _by_vendor(env, VENDOR_URL, setting_types.vendor_url)
    values["vendor_limits"] = _by_vendor(env, VENDOR_LIMIT, setting_types.call_limit)
    faults = [_fault(name, present[name]) for name in env.faulty()]
    if "DYNO" in present and values.get("redis_url"):
        values["redis_url"] = setting_types.without_certificate_check(values["redis_url"])
    if "DATABASE_URL" not in present and "DYNO" not in present:
        values |= _embedded(values, present, faults, creates)
    _require(present, values, faults)
    refused = {fault.partition(":")[0].lower() for fault in faults}
    return {name: value for name, value in values.items() if name not in refused}, faults


def _by_vendor(env: Environment, prefix: str, parse: Any) -> dict[str, Any]:
    names = [name for name in env.values if name.startswith(prefix)]
    return {name.removeprefix(prefix).lower(): env.parsed(name, parse=parse) for name in names}


def _fault(name: str, value: str | None = None, why: str = "") -> str:
    """One line: the setting, what it should be, and what it is unless that is secret."""
    if name.startswith(VENDOR_URL):
        return f"{name}: expected {VENDOR_ADDRESS}, for example https://vendor.example.org"
    if name.startswith(VENDOR_LIMIT):
        return f"{name}: expected calls/seconds, for example 10/60"
    description = DESCRIPTIONS[name]
    shown = "" if value is None or description["secret"] else f" (it is {value!r})"
    return f"{name}: expected {description['expected']}, for example {description['example']}{shown}{why}"


def _embedded(
    values: Mapping[str, Any], present: Mapping[str, str], faults: list[str], creates: bool
) -> dict[str, Any]:
    """The default for one machine: SQLite and generated keys in the instance folder."""
    folder = values.get("instance_path", ROOT / "instance").resolve()
    defaults: dict[str, Any] = {"database_url": f"sqlite:///{folder / 'derapi.db'}", "embedded": True}
    key = instance_keys.read_or_create if creates else instance_keys.read
    try:
        (instance_keys.make_folder if creates else instance_keys.require_writable)(folder)
        if "ID_KEY" not in present:
            defaults["id_key"] = key(folder, "id_key")
        if not {"SECRET_KEY", "SECRET_KEYS"} & present.keys():
            defaults["secret_keys"] = _keys_of(folder / "secret_key", key(folder, "secret_key"))
        if "CREDENTIAL_KEYS" not in present:
            defaults["credential_keys"] = _keys_of(folder / "credential_keys", key(folder, "credential_keys"))
    except (OSError, ValueError) as error:
        faults.append(f"INSTANCE_PATH: expected a folder to write to, for example /var/lib/derapi ({error})")
    return defaults


def _keys_of(path: Path, text: str) -> tuple[str, ...]:
    """The keys in the text of a file."""
    try:
        return setting_types.keys(text) if text else ()
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _require(present: Mapping[str, str], values: Mapping[str, Any], faults: list[str]) -> None:
    """Adds a fault for each setting that these circumstances demand and that is absent."""
    if "DYNO" in present:
        if not (values.get("database_url") or "").startswith("postgresql"):
            faults.append(
                "DATABASE_URL: expected Postgres on Heroku, because a dyno loses its disk at every restart "
                "and commands run on another dyno; for example `heroku addons:create heroku-postgresql`"
            )
        if "PUBLIC_URL" not in present:
            why = " (on Heroku it is needed for the links in answers and to refuse other hosts' names)"
            faults.append(_fault("PUBLIC_URL", why=why))
    if {"SECRET_KEY", "SECRET_KEYS"} <= present.keys():
        faults.append("SECRET_KEY, SECRET_KEYS: expected one of them, not both; the first of SECRET_KEYS signs")
    if values.get("embedded"):
        return
    for name in ("SECRET_KEY", "ID_KEY"):
        if name not in present and f"{name}S" not in present:
            why = " (with DATABASE_URL it is required, because all processes must share it)"
            faults.append(_fault(name, why=why))
