"""Which CPU a worker process is pinned to."""

import os
from collections.abc import Callable

import pytest

from app.server import cpu_affinity


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the CPUs that the system allows."""

    def set_allowed(*cpus: int) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(cpus), raising=False)

    return set_allowed


def test_as_many_workers_as_cpus_are_each_pinned_to_a_different_cpu(allow: Callable[..., None]) -> None:
    allow(3, 5)
    first = cpu_affinity.choose(2, [])
    assert {first, cpu_affinity.choose(2, [first])} == {3, 5}


def test_a_worker_that_replaces_a_dead_worker_gets_its_cpu(allow: Callable[..., None]) -> None:
    allow(0, 1, 2)
    assert cpu_affinity.choose(3, [0, 2]) == 1


def test_twice_as_many_workers_as_cpus_share_them_evenly(allow: Callable[..., None]) -> None:
    allow(0, 1)
    taken: list[int | None] = []
    for _ in range(4):
        taken.append(cpu_affinity.choose(4, taken))
    assert taken.count(0) == taken.count(1) == 2


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 6, 7])
def test_workers_that_cannot_be_spread_evenly_are_not_pinned(allow: Callable[..., None], workers: int) -> None:
    allow(0, 1, 2, 3)
    assert cpu_affinity.choose(workers, []) is None


def test_a_system_without_cpu_affinity_pins_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    assert cpu_affinity.choose(2, []) is None
    cpu_affinity.pin(None)


def test_a_system_that_refuses_to_pin_does_not_prevent_the_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(pid: int, cpus: set[int]) -> None:
        raise PermissionError("not here")

    monkeypatch.setattr(os, "sched_setaffinity", refuse, raising=False)
    caplog.set_level("WARNING", logger="app.server.cpu_affinity")
    cpu_affinity.pin(1)
    assert "this process is pinned to no CPU: not here" in caplog.text
