"""One request at a time changes the battery control of a site, over all processes."""

import threading

import pytest
from sqlalchemy import update

from app.control.leases import SPARE_SECONDS, STEP_SECONDS, WAIT_SECONDS, Purpose, SiteLeases
from app.storage.database import Database
from app.storage.once_tables import ControlLeaseRow
from app.web.problems import Problem
from vendors.kit.deadline import Deadline

SITE = "site-0123456789abcdef"


@pytest.fixture
def databases(database_url):
    """The same database as two processes have it."""
    opened = [Database(database_url) for _ in range(2)]
    opened[0].upgrade()
    yield opened
    for database in opened:
        database.close()


@pytest.fixture
def leases(databases):
    """The leases as two processes have them; neither waits in real time."""
    return [SiteLeases(database, sleep=lambda seconds: None) for database in databases]


def take(leases, holder, purpose=Purpose.PLAN, site=SITE):
    return leases.take(site, holder, purpose, 60)


@pytest.mark.databases
def test_another_process_gets_the_lease_once_it_is_released(leases):
    assert take(leases[0], "first")
    assert not take(leases[1], "second")
    leases[1].release(SITE, "second")
    assert not take(leases[1], "second"), "only its holder ends a lease"
    leases[0].release(SITE, "first")
    assert take(leases[1], "second")


def test_sites_do_not_wait_for_each_other(leases):
    assert take(leases[0], "first")
    assert take(leases[1], "second", site="site-fedcba9876543210")


@pytest.mark.databases
def test_the_lease_of_a_process_that_was_killed_ends_by_the_clock_of_the_database(leases, databases):
    assert take(leases[0], "killed")
    with databases[1].session() as session:
        session.execute(update(ControlLeaseRow).values(expires_at=ControlLeaseRow.expires_at - 59))
    assert not take(leases[1], "second")
    with databases[1].session() as session:
        session.execute(update(ControlLeaseRow).values(expires_at=ControlLeaseRow.expires_at - 1.1))
    assert take(leases[1], "second")
    leases[0].release(SITE, "killed")
    assert not take(leases[0], "third"), "what it had left behind does not end the lease of another"


@pytest.mark.databases
def test_of_many_processes_one_gets_the_lease(databases):
    many = [SiteLeases(database) for database in databases for _ in range(4)]
    taken, start = [], threading.Barrier(len(many))

    def compete(number):
        start.wait(30)
        taken.append(take(many[number], f"holder {number}"))

    threads = [threading.Thread(target=compete, args=[number]) for number in range(len(many))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(taken) == [False] * 7 + [True]


def test_a_second_plan_is_refused_at_once_with_the_time_after_which_the_first_has_ended(leases):
    with leases[0].plan(SITE, Deadline(20)):
        with pytest.raises(Problem) as refusal, leases[1].plan(SITE, Deadline(20)):
            pass
        assert (refusal.value.status, refusal.value.code) == (409, "control_busy")
        assert 20 < int(refusal.value.headers["Retry-After"]) <= 20 + SPARE_SECONDS
    with leases[1].plan(SITE, Deadline(20)):
        pass


def test_the_lease_ends_with_a_plan_that_fails(leases):
    with pytest.raises(ZeroDivisionError), leases[0].plan(SITE, Deadline(20)):
        raise ZeroDivisionError
    assert take(leases[1], "second")


def test_a_look_leaves_the_site_to_a_plan_that_is_being_written(leases):
    with leases[0].plan(SITE, Deadline(20)), leases[1].look(SITE, Deadline(20)) as is_taken:
        assert not is_taken
    with leases[1].look(SITE, Deadline(20)) as is_taken:
        assert is_taken


def test_a_plan_waits_for_a_look_that_is_under_way(databases):
    first = SiteLeases(databases[0])
    assert take(first, "looking", Purpose.LOOK)
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 3:
            first.release(SITE, "looking")

    with SiteLeases(databases[1], sleep).plan(SITE, Deadline(20)):
        assert not take(first, "another")
    assert waited == [STEP_SECONDS] * 3


def test_a_plan_does_not_wait_for_a_look_for_ever(leases, databases):
    assert take(leases[0], "looking", Purpose.LOOK)
    waited = []
    with pytest.raises(Problem) as refusal, SiteLeases(databases[1], waited.append).plan(SITE, Deadline(20)):
        pass
    assert refusal.value.code == "control_busy"
    assert sum(waited) == pytest.approx(WAIT_SECONDS)
