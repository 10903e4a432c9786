"""Which worker process leaves a new connection to another worker process."""

import mmap

import pytest

from app.server import connection_share
from app.server.connection_share import COUNT, NO_WORKER, SLOTS, another_has_fewer, publish, withdraw


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = mmap.mmap(-1, SLOTS * COUNT.size)
    counts.write(COUNT.pack(NO_WORKER) * SLOTS)
    monkeypatch.setattr(connection_share, "counts", counts)


def test_a_worker_with_more_connections_leaves_the_next_connection_to_another_worker() -> None:
    publish(1, 2)
    publish(2, 1)
    assert another_has_fewer(2)
    assert not another_has_fewer(1)


def test_workers_with_equal_numbers_both_accept() -> None:
    publish(1, 2)
    publish(2, 2)
    assert not another_has_fewer(2)


def test_no_connection_is_left_to_a_worker_that_has_ended() -> None:
    publish(1, 5)
    publish(2, 0)
    assert another_has_fewer(5)
    withdraw(2)
    assert not another_has_fewer(5)


def test_a_later_worker_reuses_the_slot_of_a_worker_that_has_ended() -> None:
    publish(3, 7)
    publish(3 + SLOTS, 1)
    assert not another_has_fewer(1)
    assert another_has_fewer(2)
