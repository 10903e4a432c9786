"""GET /health."""

from dataclasses import replace
from pathlib import Path

from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.version import VERSION


def test_health_needs_nothing_and_names_the_version(http: FlaskClient) -> None:
    answer = http.get("/health")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "version": VERSION, "database": "ok"}


def test_health_without_a_database_says_so_and_does_not_fail(settings: Settings, tmp_path: Path) -> None:
    gone = replace(settings, database_url=f"sqlite:///{tmp_path / 'no' / 'folder.db'}", embedded=False)
    answer = create_app(gone).test_client().get("/health")
    assert answer.status_code == 200
    assert answer.json == {"status": "degraded", "version": VERSION, "database": "unavailable"}
