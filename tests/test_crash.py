"""`kill -9` at any moment: confirmed transactions are complete, all others absent, and the next process goes on."""

import multiprocessing
import random
import threading

import pytest
from sqlalchemy import func, select, text

from app.auth.clients import Clients
from app.storage.database import ClientRow, Database, IdTableRow
from tests import writing

# Children of a fork server have the modules loaded when they start, and no threads of this process.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.writing"])


def killed(target, url, seconds, names=("",)):
    """Starts a process per name and kills all some seconds after their first reports; returns their reports."""
    reports = []
    pipes = [processes.Pipe(duplex=False) for _ in names]
    running = [
        processes.Process(target=target, args=(url, sender, *([name] if name else [])))
        for (_, sender), name in zip(pipes, names, strict=True)
    ]
    for process in running:
        process.start()
    for receiver, sender in pipes:
        sender.close()
        reports.append(receiver.recv())
    threading.Event().wait(seconds)
    for process in running:
        process.kill()
        process.join()
    for receiver, _ in pipes:
        try:
            while True:
                reports.append(receiver.recv())
        except (EOFError, OSError):
            receiver.close()
    return reports


def kill_writers(url, seed):
    """Kills two writers at work; returns the number of transactions that they reported as committed."""
    chance = random.Random(seed)
    reports = killed(writing.write, url, chance.uniform(0.0, 0.15), (f"{seed}a", f"{seed}b"))
    check_next_start(url, reports)
    return len(reports)


def check_next_start(url, reports):
    """Checks that the next process finds all reported transactions and no incomplete one, and can write."""
    database = Database(url)
    database.upgrade()
    with database.session() as session:
        assert session.scalars(text("PRAGMA integrity_check")).all() == ["ok"]
        clients = dict(session.execute(select(ClientRow.id, ClientRow.revoked_at)).all())
        batches = dict(session.execute(select(IdTableRow.vendor, func.count()).group_by(IdTableRow.vendor)).all())
    for kind, name in reports:
        if kind == "batch":
            assert batches[name] == writing.BATCH
        else:
            assert name in clients
            assert kind == "client" or clients[name] is not None
    assert set(batches.values()) <= {writing.BATCH}, "an incomplete transaction"
    id, secret = Clients(database).create("afterwards", "production", "v1")
    verified = Clients(database).verified(id, secret)
    assert verified is not None
    assert verified.id == id
    database.close()


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path / 'derapi.db'}"
    database = Database(url)
    database.upgrade()
    database.close()
    return url


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", range(0, 50, 10))
def test_kill_9_in_the_middle_of_writes_leaves_a_consistent_database(url, first):
    assert sum(kill_writers(url, seed) for seed in range(first, first + 10)) > 30, "more than one each"


@pytest.mark.exhaustive
def test_kill_9_in_the_middle_of_an_upgrade_leaves_a_database_that_can_be_upgraded(tmp_path):
    for seed in range(10):
        url = f"sqlite:///{tmp_path / f'{seed}.db'}"
        killed(writing.upgrade, url, random.Random(seed).uniform(0.0, 0.1))
        check_next_start(url, [])


@pytest.mark.soak
def test_two_hundred_kills_leave_a_consistent_database(url, report):
    confirmed = sum(kill_writers(url, seed) for seed in range(1000, 1200))
    report(f"kill -9: 200 times while two processes write, {confirmed} transactions confirmed, 0 lost, none incomplete")
