"""A gunicorn with changed internals is refused before the start, and the error names the change."""

import inspect

import pytest
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.workers import gthread
from gunicorn.workers.gthread import TConn, ThreadWorker

from app.server import compatibility, connection, worker
from app.server.connection import Connection
from app.server.refusals import STATUSES
from app.server.worker import Worker

THREAD_WORKER = "gunicorn.workers.gthread.ThreadWorker"


def refusal() -> str:
    """Returns the line with which the worker is refused."""
    with pytest.raises(SystemExit) as raised:
        compatibility.require()
    line = str(raised.value)
    assert "\n" not in line
    assert "set WORKER=gthread" in line
    return line


def test_the_pinned_gunicorn_has_all_internals() -> None:
    compatibility.require()


def test_a_removed_method_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ThreadWorker, "murder_pending")
    assert f"({THREAD_WORKER}.murder_pending(self))" in refusal()


def test_a_method_that_is_no_longer_callable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ThreadWorker, "murder_pending", None)
    assert f"({THREAD_WORKER}.murder_pending(self))" in refusal()


def test_a_method_with_another_parameter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ThreadWorker, "finish_request", lambda self, conn, fs, deadline: None)
    assert f"{THREAD_WORKER}.finish_request(self, conn, fs)" in refusal()


def test_a_removed_class_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(gthread, "TConn")
    assert "(gunicorn.workers.gthread.TConn)" in refusal()


def test_a_removed_attribute_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(self: TConn, cfg: object, sock: object, client: object, server: object) -> None:
        vars(self).update(cfg=cfg, sock=sock, client=client, parser=None)

    monkeypatch.setattr(TConn, "__init__", init)
    assert "(gunicorn.workers.gthread.TConn.timeout)" in refusal()


def test_a_constructor_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(self: ThreadWorker, *args: object) -> None:
        raise TypeError("an argument is missing")

    monkeypatch.setattr(ThreadWorker, "__init__", init)
    assert "an argument is missing" in refusal()


def test_a_new_default_or_annotation_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait_for_and_dispatch_events(self: ThreadWorker, timeout: float = 2.0) -> None: ...

    monkeypatch.setattr(ThreadWorker, "wait_for_and_dispatch_events", wait_for_and_dispatch_events)
    compatibility.require()


@pytest.mark.parametrize(("ours", "base"), [(Worker, ThreadWorker), (Connection, TConn)])
def test_every_overridden_method_is_checked(ours: type, base: type) -> None:
    overridden = {name for name in vars(ours) if inspect.isroutine(vars(base).get(name))} - {"__init__"}
    checked = {method.partition("(")[0] for method in compatibility.METHODS[f"{base.__module__}.{base.__name__}"]}
    assert overridden
    assert overridden <= checked


def test_every_class_of_gunicorn_that_the_worker_imports_is_checked() -> None:
    imported = {
        f"{cls.__module__}.{cls.__name__}"
        for cls in [*vars(worker).values(), *vars(connection).values(), *STATUSES]
        if isinstance(cls, type) and cls.__module__.startswith("gunicorn")
    }
    assert len(imported) > 5
    assert imported <= compatibility.METHODS.keys()


@pytest.mark.parametrize("cls", [ThreadWorker, TConn, RequestParser, Request])
def test_every_class_with_checked_attributes_is_sampled(cls: type) -> None:
    assert cls.__name__ in compatibility.ATTRIBUTES
    assert [sample for sample in compatibility.sample_objects() if type(sample) is cls]
