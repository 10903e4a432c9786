"""GET /health."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from app.config import Settings
from app.version import VERSION


def test_health_needs_nothing_and_names_the_version(http: FlaskClient) -> None:
    answer = http.get("/health")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "version": VERSION, "database": "ok"}


def test_health_without_a_database_says_so_and_does_not_fail(
    settings: Settings, tmp_path: Path, start_service: Callable[[Settings], Flask]
) -> None:
    gone = replace(settings, database_url=f"sqlite:///{tmp_path / 'no' / 'folder.db'}", embedded=False)
    answer = start_service(gone).test_client().get("/health")
    assert answer.status_code == 200
    assert answer.json == {"status": "degraded", "version": VERSION, "database": "unavailable"}
