import os

import pytest

from app.server import cpu_affinity


@pytest.fixture
def allowed(monkeypatch):
    def allow(*found):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(found), raising=False)

    return allow


def test_as_many_workers_as_processors_get_one_each(allowed):
    allowed(3, 5)
    first = cpu_affinity.choose(2, [])
    assert {first, cpu_affinity.choose(2, [first])} == {3, 5}


def test_a_worker_in_the_place_of_a_dead_one_gets_its_processor(allowed):
    allowed(0, 1, 2)
    assert cpu_affinity.choose(3, [0, 2]) == 1


def test_twice_as_many_workers_share_processors_evenly(allowed):
    allowed(0, 1)
    taken = []
    for _ in range(4):
        taken.append(cpu_affinity.choose(4, taken))
    assert sorted(taken) == [0, 0, 1, 1]


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 6, 7])
def test_workers_that_cannot_be_shared_out_evenly_go_where_the_system_wants_them(allowed, workers):
    allowed(0, 1, 2, 3)
    assert cpu_affinity.choose(workers, []) is None


def test_where_the_system_knows_no_such_choice_there_is_none(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cpu_affinity.choose(2, []) is None
    cpu_affinity.keep_to(None)


def test_a_system_that_refuses_the_choice_is_no_reason_not_to_start(monkeypatch, caplog):
    def refuse(pid, processors):
        raise PermissionError("not here")

    monkeypatch.setattr(os, "sched_setaffinity", refuse, raising=False)
    caplog.set_level("WARNING", logger="app.server.cpu_affinity")
    cpu_affinity.keep_to(1)
    assert "this process keeps to no processor: not here" in caplog.text
