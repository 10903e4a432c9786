"""Checks of this machine's set-up: settings, database, migrations, Redis and keys. Each yields its rows."""

import time
from collections.abc import Iterator

import redis

from app.credentials.cipher import Cipher
from app.credentials.key_check import without_key
from app.doctor.findings import Finding, Outcome
from app.doctor.setup import Setup
from app.storage import schema_revision
from app.storage.database_faults import DatabaseFault

REDIS_SECONDS = 2.0
UPGRADE = "Run `flask --app wsgi db upgrade`."
NOT_YET = "There is none yet: the service makes it when it starts."
SEE_SETTINGS = "See the rows of the settings."


def check_settings(setup: Setup) -> Iterator[Finding]:
    """Every setting that is missing or wrong."""
    for fault in setup.faults:
        name, _, detail = fault.partition(": ")
        yield Finding("settings", name, Outcome.FAULT, detail, "Correct it in the environment or in .env.")
    if not setup.faults:
        yield Finding("settings", "all", Outcome.OK, "The service can start with them.")
    if _counts_the_proxy(setup):
        detail = "PUBLIC_URL is https, and no proxy is trusted: all callers count as the address of the proxy."
        action = "Set it to the number of proxies in front of the service."
        yield Finding("settings", "TRUSTED_PROXIES", Outcome.WARNING, detail, action)


def _counts_the_proxy(setup: Setup) -> bool:
    """Whether limits on addresses would meet the proxy that ends TLS: the service itself speaks plain HTTP."""
    has_proxy = (setup.settings.public_url or "").startswith("https:")
    return has_proxy and not setup.settings.trusted_proxies and not setup.is_refused("TRUSTED_PROXIES")


def check_database(setup: Setup) -> Iterator[Finding]:
    """Whether the database answers."""
    if setup.database is None:
        yield Finding("database", "DATABASE_URL", Outcome.SKIPPED, "The setting is missing or wrong.")
        return
    kind, started = setup.database.engine.dialect.name, time.monotonic()
    if setup.is_before_first_start:
        yield Finding("database", kind, Outcome.SKIPPED, NOT_YET)
        return
    try:
        setup.look_up(schema_revision.current)
    except DatabaseFault as fault:
        yield Finding("database", kind, Outcome.FAULT, str(fault), "Correct DATABASE_URL, or start the database.")
    else:
        yield Finding("database", kind, Outcome.OK, f"It answered in {_ms(started)}.")


def check_migrations(setup: Setup) -> Iterator[Finding]:
    """Whether the tables are those of this version."""
    if setup.is_before_first_start:
        yield Finding("migrations", "tables", Outcome.SKIPPED, NOT_YET)
        return
    try:
        revision = setup.look_up(schema_revision.current)
    except DatabaseFault:
        yield Finding("migrations", "tables", Outcome.SKIPPED, "The database does not answer.")
        return
    yield _tables(revision, schema_revision.known()[0], setup.settings.embedded)


def _tables(revision: str | None, head: str, upgrades_itself: bool) -> Finding:
    name = "tables"
    if schema_revision.is_behind(revision):
        detail = f"They are of revision {revision}, this version needs {head}." if revision else "There are none."
        if upgrades_itself:
            return Finding("migrations", name, Outcome.OK, f"{detail} The service upgrades them at its next start.")
        return Finding("migrations", name, Outcome.FAULT, detail, UPGRADE)
    if revision != head:
        detail = f"They are of revision {revision}, newer than this version's {head}."
        return Finding("migrations", name, Outcome.WARNING, detail, "Update the service on this host.")
    return Finding("migrations", name, Outcome.OK, f"They are of this version's revision, {head}.")


def check_redis(setup: Setup) -> Iterator[Finding]:
    """Whether Redis answers."""
    if not setup.settings.redis_url:
        detail = "Not in use: without REDIS_URL each process counts calls by itself."
        yield Finding("redis", "REDIS_URL", Outcome.SKIPPED, detail)
        return
    started = time.monotonic()
    client = redis.Redis.from_url(
        setup.settings.redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
    )
    try:
        client.ping()
    except (redis.RedisError, OSError) as error:
        # Only the name of its class: the text may hold the URL.
        detail = f"It does not answer ({type(error).__name__}); each process goes on alone."
        yield Finding("redis", "server", Outcome.FAULT, detail, "Start it, or correct REDIS_URL.")
    else:
        yield Finding("redis", "server", Outcome.OK, f"It answered in {_ms(started)}.")
    finally:
        client.close()


def check_keys(setup: Setup) -> Iterator[Finding]:
    """Whether the keys are there and open what is stored. No key is shown."""
    for name, keys in (("SECRET_KEY", setup.settings.signing_keys), ("ID_KEY", (setup.settings.id_key,))):
        if any(keys):
            yield Finding("keys", name, Outcome.OK, "It is set.")
        elif not _makes_key(setup, name):
            yield Finding("keys", name, Outcome.FAULT, "It is missing or wrong.", SEE_SETTINGS)
        elif setup.is_before_first_start:
            yield Finding("keys", name, Outcome.SKIPPED, NOT_YET)
        else:
            detail = "There is none, but a database: the next start makes another key."
            yield Finding("keys", name, Outcome.WARNING, detail, "Restore it first, if there is a backup.")
    yield _credential_keys(setup)


def _makes_key(setup: Setup, name: str) -> bool:
    """Whether the service will generate a key that is not there, in a file of the instance folder."""
    return setup.settings.embedded and not setup.is_refused(name, f"{name}S", "INSTANCE_PATH")


def _credential_keys(setup: Setup) -> Finding:
    name, cipher = "CREDENTIAL_KEYS", Cipher(setup.settings.credential_keys)
    is_made = not cipher.key_ids and _makes_key(setup, name)
    if setup.is_before_first_start and is_made:
        return Finding("keys", name, Outcome.SKIPPED, NOT_YET)
    if setup.is_before_first_start and cipher.key_ids:
        return Finding("keys", name, Outcome.OK, f"{len(cipher.key_ids)} set, and no credential is stored yet.")
    try:
        missing = setup.look_up(lambda session: without_key(session, cipher))
    except DatabaseFault:
        detail = f"{len(cipher.key_ids)} set; the database does not say which are needed."
        return Finding("keys", name, Outcome.WARNING, detail, "See the rows of the database and its migrations.")
    if missing:
        detail = f"{len(cipher.key_ids)} set, and {sum(missing.values())} stored credentials need another key."
        return Finding("keys", name, Outcome.FAULT, detail, "Add the former key behind the new one.")
    if is_made:
        return Finding("keys", name, Outcome.SKIPPED, NOT_YET)
    if not cipher.key_ids:
        return Finding("keys", name, Outcome.SKIPPED, "None set: /vendor-credentials answers 503.")
    return Finding("keys", name, Outcome.OK, f"{len(cipher.key_ids)} set, and they open all stored credentials.")


def _ms(started: float) -> str:
    return f"{(time.monotonic() - started) * 1000:.0f} ms"
