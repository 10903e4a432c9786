"""A separate service for each test: temporary database, fixed keys, no environment."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import hypothesis
import pytest
import requests
import responses
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import make_url
from werkzeug.routing import Rule

from app import create_app
from app.config import Settings
from app.storage.database import Database
from tests.databases import Postgres, postgres_server
from tests.described_errors import _every_error_is_described  # noqa: F401 - a fixture
from tests.pools import wait_for_pools
from tests.selection import pytest_collection_modifyitems  # noqa: F401 - a hook

# The same examples in every run; and a machine that is busy with other tests is no fault of the code.
hypothesis.settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")


REPORT = pytest.StashKey[list[str]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes lines that are printed after the run: what a long test did."""
    return request.config.stash.setdefault(REPORT, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(REPORT, []):
        terminalreporter.write_line(line)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_url" in metafunc.fixturenames and metafunc.definition.get_closest_marker("databases"):
        postgres = pytest.param("postgres", marks=pytest.mark.exhaustive)
        metafunc.parametrize("database_url", ["sqlite", postgres], indirect=True)


@pytest.fixture(scope="session", autouse=True)
def _routes_compiled_once() -> Iterator[None]:
    """The code that writes a route as a URL, which is the same in every application that has this route.

    A sandbox has 140 routes, and to compile them takes longer than most of its tests."""
    compiled: dict[object, Callable[..., tuple[str, str]]] = {}
    compile_builder = Rule._compile_builder

    def compiled_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = rule.rule, tuple(rule._trace), append_unknown, str(rule.defaults)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    with mock.patch.object(Rule, "_compile_builder", compiled_once):
        yield


@pytest.fixture(autouse=True)
def _patience_with_the_disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look-ups may take longer than in operation: the disk is busy with the databases of all other tests."""
    if request.path.name != "test_database_down.py":
        monkeypatch.setattr("app.storage.database.READ_SECONDS", 15.0)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database: SQLite, and Postgres as well in tests that are marked with `databases`."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path / 'derapi.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.url()


@pytest.fixture(scope="session")
def _with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with its tables: a copy takes a third of the time of a start less than to make them anew."""
    path = tmp_path_factory.mktemp("database") / "derapi.db"
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    database.close()
    return path


@pytest.fixture
def settings(database_url: str, _with_tables: Path) -> Settings:
    """For a new database: SQLite with its tables, or an empty Postgres."""
    path = make_url(database_url).database
    if database_url.startswith("sqlite") and path is not None:
        shutil.copyfile(_with_tables, path)
    return Settings(
        secret_key="s" * 32,
        id_key="i" * 32,
        credential_keys=("c" * 32,),
        database_url=database_url,
        embedded=True,
        log_level="ERROR",
    )


class Clock:
    """A clock in seconds that a test moves on."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def service_clock() -> Clock:
    """The clock of everything that expires in the service."""
    return Clock()


@pytest.fixture
def start_service(service_clock: Clock) -> Iterator[Callable[..., Flask]]:
    """Makes services that are closed after the test: a connection that stays open fails a later test, the one that is
    running when Python collects it as garbage."""
    started: list[Flask] = []

    def start(settings: Settings, clock: Callable[[], float] = service_clock) -> Flask:
        started.append(create_app(settings, clock))
        return started[-1]

    yield start
    for service in started:
        service.extensions["services"].close()


@pytest.fixture
def app(settings: Settings, start_service: Callable[..., Flask]) -> Flask:
    return start_service(settings)


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def new_client(app: Flask) -> Callable[..., tuple[str, str]]:
    """Creates an API client; returns its id and secret."""

    def create(mode: str = "production", api_version: str = "v1") -> tuple[str, str]:
        client: tuple[str, str] = app.extensions["services"].clients.create("test", mode, api_version)
        return client

    return create


@pytest.fixture
def token(http: FlaskClient, new_client: Callable[..., tuple[str, str]]) -> str:
    """An access token of a fresh production client."""
    answer = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=new_client())
    assert answer.json is not None
    return str(answer.json["access_token"])


@pytest.fixture
def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    """Recorded replies instead of a network. A call without one fails the test: `responses` answers it with a
    connection error, which a plugin would take for an outage of its vendor."""
    target = "vendors.kit.http.adapter.DeadlineAdapter.send"
    with responses.RequestsMock(assert_all_requests_are_fired=False, target=target) as mock:
        yield mock
        # A call that the test did not wait for would meet the next test's replies.
        wait_for_pools()
        missing = [call.request.url for call in mock.calls if isinstance(call.response, requests.ConnectionError)]
    assert not missing, f"no recorded reply: {missing}"
