"""A request that the worker refuses gets the same kind of problem document as a request that a route refuses."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
from flask import Flask

from app.config import Settings
from app.server import hooks
from app.server.refusals import DETAILS, MEDIA_TYPE, TITLES, Refusal
from app.web import problems

TYPES = "https://derapi.example.org/errors/"


@pytest.mark.parametrize("status", TITLES)
def test_a_refusal_has_the_members_of_every_other_problem(status: int) -> None:
    refusal = Refusal(status)
    document = refusal.document("an-id", TYPES)
    problem = problems.Problem(status, refusal.code, str(document["detail"]), title=refusal.title)
    assert list(document.items()) == list(problem.body("an-id", TYPES).items())
    assert problems.MEDIA_TYPE == MEDIA_TYPE


def test_every_status_has_a_detail_without_a_placeholder() -> None:
    assert DETAILS.keys() == TITLES.keys()
    assert not [status for status in TITLES if "{" in str(Refusal(status).document("an-id", TYPES)["detail"])]


def test_only_a_503_invites_the_client_to_retry() -> None:
    retries = {status for status in TITLES if b"\r\nRetry-After: 5\r\n" in Refusal(status).response("an-id", TYPES)}
    assert retries == {503}


def test_the_worker_and_the_application_name_the_same_pages_of_errors(
    settings: Settings, start_service: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks.metrics, "share", lambda worker, services: None)  # Its thread would outlive the test.
    app = start_service(replace(settings, public_url="https://derapi.example.org"))
    worker = SimpleNamespace(wsgi=app)
    hooks.post_worker_init(worker)
    assert worker.error_types == TYPES
    assert app.test_client().get("/sites").json["type"] == f"{TYPES}missing_token"
