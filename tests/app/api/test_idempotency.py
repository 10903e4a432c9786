"""A request with an Idempotency-Key is made once, and answered for a day as it was the first time."""

import threading

import pytest
from flask import Flask, Response, request
from sqlalchemy import func, select, update

from app.api import idempotency
from app.auth.scopes import Scope, needs
from app.storage.once_tables import IdempotencyKeyRow
from app.web.problems import Problem
from app.web.strict_api import Blueprint
from tests.app.virtual.support import Caller


class Counter:
    """An operation that counts how often it was made, and answers as it is asked to."""

    def __init__(self, app: Flask) -> None:
        self.made = 0
        self.under_way: threading.Event | None = None
        self.may_end = threading.Event()
        blueprint = Blueprint("Counter", __name__)
        idempotency.protect(blueprint, ["PUT"])

        @blueprint.route("/counter/<name>", methods=["PUT", "GET"])
        @needs(Scope.READ)
        def count(name: str) -> Response:
            self.made += 1
            if self.under_way is not None:
                self.under_way.set()
                assert self.may_end.wait(30)
            status = request.get_json()["status"]
            if status == 500:
                raise ZeroDivisionError
            if status >= 400:
                raise Problem(status, "wrong", "It went wrong.")
            return Response(f"made {self.made} times", status, content_type="text/plain; charset=utf-8")

        app.register_blueprint(blueprint)


@pytest.fixture
def counter(app):
    return Counter(app)


@pytest.fixture
def client(app, counter):
    return Caller(app, "production")


def put(client, key="k", status=200, path="/counter/a", method="PUT", **members):
    return client.call(method, path, {"Idempotency-Key": key}, json={"status": status, **members})


@pytest.fixture
def rows(app):
    """Reads or changes the rows."""
    database = app.extensions["services"].database

    def run(statement):
        with database.session() as session:
            return session.execute(statement)

    return run


@pytest.mark.parametrize("status", [200, 201, 400, 404, 422])
def test_the_same_request_is_answered_as_the_first_time_and_not_made_again(client, counter, status):
    first, second = put(client, status=status), put(client, status=status)
    assert (second.status_code, second.data, second.content_type) == (status, first.data, first.content_type)
    assert counter.made == 1
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("status", [403, 409, 429, 500, 502])
def test_a_request_that_was_not_carried_out_is_made_again(client, counter, status):
    put(client, status=status)
    assert put(client, status=status).status_code == status
    assert counter.made == 2


@pytest.mark.parametrize("other", [{"members": 1}, {"path": "/counter/b"}], ids=str)
def test_another_request_with_the_same_key_is_refused(client, counter, other):
    put(client)
    answer = put(client, **other)
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert counter.made == 1


def test_another_key_and_another_client_make_the_request_again(client, counter, app):
    put(client, "one")
    put(client, "two")
    put(Caller(app, "production"), "one")
    assert counter.made == 3


def test_without_a_key_or_where_nothing_is_changed_each_request_is_made(client, counter):
    for _ in range(2):
        client.call("PUT", "/counter/a", json={"status": 200})
        put(client, method="GET")
    assert counter.made == 4


@pytest.mark.databases
def test_while_the_first_is_under_way_the_second_is_refused(client, counter, app):
    counter.under_way = threading.Event()
    answers = []
    first = threading.Thread(target=lambda: answers.append(put(client)))
    first.start()
    try:
        assert counter.under_way.wait(30)
        answer = put(Caller(app, "production", auth=client.auth))
        assert (answer.status_code, answer.json["code"]) == (409, "idempotency_key_in_use")
        assert answer.headers["Retry-After"]
    finally:
        counter.may_end.set()
        first.join(30)
    assert put(client).data == answers[0].data
    assert counter.made == 1


@pytest.mark.databases
def test_the_request_of_a_process_that_was_killed_is_made_again_after_its_time(client, counter, rows):
    put(client)
    rows(update(IdempotencyKeyRow).values(status=None, body=None, holder="killed"))
    assert put(client).status_code == 409
    rows(update(IdempotencyKeyRow).values(leased_until=IdempotencyKeyRow.leased_until - 3600))
    assert put(client).data == b"made 2 times"
    assert put(client).data == b"made 2 times"


@pytest.mark.databases
def test_a_key_is_forgotten_after_a_day(client, counter, rows):
    put(client)
    rows(update(IdempotencyKeyRow).values(expires_at=IdempotencyKeyRow.expires_at - 86_390))
    put(client)
    assert counter.made == 1
    rows(update(IdempotencyKeyRow).values(expires_at=IdempotencyKeyRow.expires_at - 20))
    assert put(client, note="another request").status_code == 200
    assert counter.made == 2
    assert rows(select(func.count()).select_from(IdempotencyKeyRow)).scalar() == 1


def test_an_answer_beyond_the_limit_is_not_kept(client, counter, monkeypatch, rows):
    monkeypatch.setattr(idempotency, "MAX_BODY", 3)
    put(client)
    assert rows(select(func.count()).select_from(IdempotencyKeyRow)).scalar() == 0


def test_neither_the_key_nor_the_request_is_stored(client, counter, rows):
    put(client, "a-key-that-says-something", note="a-body-that-says-something")
    [row] = rows(select(*IdempotencyKeyRow.__table__.columns))
    assert "says-something" not in str(row)


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "schl\u00fcssel"])
def test_a_key_that_is_none_is_refused(client, counter, key):
    answer = put(client, key)
    assert (answer.status_code, answer.json["code"]) == (400, "validation_error")
    assert "Idempotency-Key" in answer.json["detail"]
    assert counter.made == 0


def test_a_request_without_the_scope_claims_no_key(app, counter, rows):
    service = app.extensions["services"]
    caller = Caller(app, "production", auth=service.clients.create("test", "production", "v1", {Scope.CONTROL}))
    assert put(caller).status_code == 403
    assert rows(select(func.count()).select_from(IdempotencyKeyRow)).scalar() == 0
