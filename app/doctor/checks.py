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


def check_settings(setup: Setup) -> Iterator[Finding]:
    """Every setting that is missing or wrong."""
    for fault in setup.faults:
        name, _, detail = fault.partition(": ")
        yield Finding("settings", name, Outcome.FAULT, detail, "Correct it in the environment or in .env.")
    if not setup.faults:
        yield Finding("settings", "all", Outcome.OK, "The service can start with them.")


def check_database(setup: Setup) -> Iterator[Finding]:
    """Whether the database answers."""
    if setup.database is None:
        yield Finding("database", "DATABASE_URL", Outcome.SKIPPED, "The setting is missing or wrong.")
        return
    kind, started = setup.database.engine.dialect.name, time.monotonic()
    try:
        setup.look_up(schema_revision.current)
    except DatabaseFault as fault:
        yield Finding("database", kind, Outcome.FAULT, str(fault), "Correct DATABASE_URL, or start the database.")
    else:
        yield Finding("database", kind, Outcome.OK, f"It answered in {_ms(started)}.")


def check_migrations(setup: Setup) -> Iterator[Finding]:
    """Whether the tables are those of this version."""
    try:
        revision = setup.look_up(schema_revision.current)
    except DatabaseFault:
        yield Finding("migrations", "tables", Outcome.SKIPPED, "The database does not answer.")
        return
    head = schema_revision.known()[0]
    if schema_revision.is_behind(revision):
        detail = f"They are of revision {revision}, this version needs {head}." if revision else "There are none."
        yield Finding("migrations", "tables", Outcome.FAULT, detail, UPGRADE)
    elif revision != head:
        detail = f"They are of revision {revision}, newer than this version's {head}."
        yield Finding("migrations", "tables", Outcome.WARNING, detail, "Update the service on this host.")
    else:
        yield Finding("migrations", "tables", Outcome.OK, f"They are of this version's revision, {head}.")


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
    for name, key in (("SECRET_KEY", setup.settings.secret_key), ("ID_KEY", setup.settings.id_key)):
        if key:
            yield Finding("keys", name, Outcome.OK, "It is set.")
        else:
            yield Finding("keys", name, Outcome.FAULT, "It is missing or wrong.", "Set it: `openssl rand -hex 32`.")
    yield _credential_keys(setup)


def _credential_keys(setup: Setup) -> Finding:
    name, cipher = "CREDENTIAL_KEYS", Cipher(setup.settings.credential_keys)
    try:
        missing = setup.look_up(lambda session: without_key(session, cipher))
    except DatabaseFault:
        detail = f"{len(cipher.key_ids)} set; the database does not say which are needed."
        return Finding("keys", name, Outcome.WARNING, detail, "See the rows of the database and its migrations.")
    if missing:
        detail = f"{len(cipher.key_ids)} set, and {sum(missing.values())} stored credentials need another key."
        return Finding("keys", name, Outcome.FAULT, detail, "Add the former key behind the new one.")
    if not cipher.key_ids:
        return Finding("keys", name, Outcome.SKIPPED, "None set: /vendor-credentials answers 503.")
    return Finding("keys", name, Outcome.OK, f"{len(cipher.key_ids)} set, and they open all stored credentials.")


def _ms(started: float) -> str:
    return f"{(time.monotonic() - started) * 1000:.0f} ms"
