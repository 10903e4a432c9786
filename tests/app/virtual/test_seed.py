"""`flask virtual seed`: fills a client of mode virtual with a plausible fleet."""

import json
import os
import subprocess
import sys

import pytest

from app.config import ROOT
from app.virtual import fleet, seeding
from app.web.problems import Problem
from simulation.virtual import plausible_fleet
from tests.app.support import run
from tests.app.virtual.support import DEVICES, KINDS


@pytest.fixture(autouse=True)
def _small_batches_without_pauses(monkeypatch):
    monkeypatch.setattr(seeding, "BATCH_SITES", 4)
    monkeypatch.setattr(seeding, "PAUSE_SECONDS", 0)


def seeded(app, *words):
    """The summary of a seeding that succeeds."""
    result = run(app, "virtual", "seed", *words)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusal(app, *words):
    """The only line of a refused seeding."""
    result = run(app, "virtual", "seed", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr.splitlines()[-1]


@pytest.mark.databases
def test_the_summary_counts_what_the_lists_then_show(app, virtual, other):
    summary = seeded(app, virtual.id, "--sites", "10")
    assert summary == {
        "client_id": virtual.id,
        "sites": 10,
        "solar_inverters": len(virtual.ids("solar-inverters")),
        "batteries": 4,
        "time_zones": ["America/Denver", "America/New_York", "Asia/Kolkata", "Australia/Adelaide", "Europe/Berlin"],
    }
    assert len(virtual.ids("sites")) == len(virtual.virtual_ids("sites")) == 10
    assert len(virtual.ids("batteries")) == 4
    assert [other.ids(path) for path in KINDS] == [[], [], []]


def test_the_sites_and_devices_are_those_of_the_plan_and_can_be_read(app, virtual):
    seeded(app, virtual.id, "--sites", "6")
    plans = {plan.name: plan for plan in plausible_fleet(6)}
    sites = virtual.get("/virtual/sites").json["virtualSites"]
    assert {site["name"] for site in sites} == set(plans)
    for site in sites:
        plan = plans[site["name"]]
        assert (site["location"]["lat"], site["location"]["timezone"]) == (plan.latitude, plan.timezone)
        assert len(site["solarInverters"]) == len(plan.inverters)
        assert virtual.get(f"/sites/{site['id']}/solar-intervals?summaryLevel=day").json["intervals"]
        for battery in site["batteries"]:
            shown = virtual.get(f"/virtual/batteries/{battery['id']}").json
            members = ("name", "nameplateKwh", "mode", "stateOfChargePercent")
            planned = (plan.battery.name, plan.battery.nameplate_kwh, plan.battery.mode)
            assert tuple(shown[name] for name in members) == (*planned, plan.battery.state_of_charge_percent)


@pytest.mark.databases
def test_the_ids_are_stored_as_by_the_api(app, virtual):
    seeded(app, virtual.id, "--sites", "9")
    id_table = app.extensions["services"].id_table
    id_table._writer.submit(int).result()
    for path in KINDS:
        ids = virtual.ids(path)
        assert ids
        assert all(id_table.find(id) for id in ids)


def test_a_second_fleet_continues_the_first_with_other_names(app, virtual):
    virtual.create("sites", name="Denver 2")
    for _ in range(2):
        seeded(app, virtual.id, "--sites", "8")
    names = [site["name"] for site in virtual.get("/virtual/sites").json["virtualSites"]]
    assert set(names) == {plan.name for plan in plausible_fleet(17)}
    assert len(names) == 17
    for path in DEVICES:
        pages = virtual.get(f"/virtual/{path}?pageSize=1000").json
        names = [device["name"] for devices in pages.values() for device in devices]
        assert len(set(names)) == len(names)


def test_without_a_number_ten_sites_are_made(app, virtual):
    assert seeded(app, virtual.id)["sites"] == 10


def test_a_pipe_gets_plain_lines_and_stdout_the_summary_only(app, virtual):
    result = run(app, "virtual", "seed", virtual.id, "--sites", "40")
    assert json.loads(result.stdout)["sites"] == 40
    steps = [f"{count} of 40 sites" for count in range(4, 41, 4)]
    assert result.stderr.splitlines() == ["Making sites", *steps]


@pytest.mark.exhaustive
def test_a_terminal_gets_a_bar(settings, virtual):
    leader, follower = os.openpty()
    environ = {**os.environ, "DATABASE_URL": settings.database_url, "SECRET_KEY": "s" * 32, "ID_KEY": "i" * 32}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "virtual", "seed", virtual.id, "--sites", "2"]
    done = subprocess.run(command, env=environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=follower, check=True)
    assert json.loads(done.stdout)["sites"] == 2
    shown = os.read(leader, 100_000).decode()
    for descriptor in (leader, follower):
        os.close(descriptor)
    assert "2 of 2 sites" in shown
    assert "####]  100%" in shown


def test_clients_without_virtual_devices_are_refused_with_the_reason(app, virtual, production):
    assert refusal(app, "0" * 32) == f"Error: There is no client {'0' * 32!r}; `clients list` shows the ids."
    line = refusal(app, production.id)
    assert "is of mode production; only clients of mode virtual have virtual devices" in line
    assert run(app, "clients", "revoke", virtual.id).exit_code == 0
    assert refusal(app, virtual.id) == f"Error: The client {virtual.id} is revoked; create another client."


@pytest.mark.parametrize("sites", ["0", "-1", "1001", "many"])
def test_a_number_of_sites_outside_the_limits_is_refused(app, virtual, sites):
    result = run(app, "virtual", "seed", virtual.id, "--sites", sites)
    assert result.exit_code == 2
    assert "--sites" in result.stderr
    assert virtual.ids("sites") == []


@pytest.mark.databases
@pytest.mark.parametrize(("limit", "most", "kind"), [("MAX_SITES", 7, "sites"), ("MAX_DEVICES", 13, "devices")])
def test_at_a_limit_all_sites_that_fit_are_made_and_the_refusal_counts_them(
    app, virtual, monkeypatch, limit, most, kind
):
    monkeypatch.setattr(fleet, limit, most)
    result = run(app, "virtual", "seed", virtual.id, "--sites", "20")
    made = len(virtual.ids("sites"))
    summary = json.loads(result.stdout)
    assert (result.exit_code, summary["sites"], summary["batteries"]) == (1, made, len(virtual.ids("batteries")))
    line = result.stderr.splitlines()[-1]
    assert line.startswith(f"Error: A client may have {most} virtual {kind} at most")
    assert line.endswith(f" {made} of 20 sites were made.")
    plans = plausible_fleet(20)
    devices = [len(plan.inverters) + (plan.battery is not None) for plan in plans]
    assert made == (7 if kind == "sites" else next(n for n in range(20) if sum(devices[: n + 1]) > most))
    assert sum(len(virtual.ids(path)) for path in DEVICES) == sum(devices[:made])
    again = run(app, "virtual", "seed", virtual.id)
    assert (again.exit_code, json.loads(again.stdout)["sites"]) == (1, 0)
    assert again.stderr.endswith(" 0 of 10 sites were made.\n")


@pytest.mark.databases
def test_between_two_transactions_other_changes_have_their_turn(app, virtual):
    services = app.extensions["services"]
    batches = seeding.seed(services.virtual_fleet, services.inventory, virtual.id, 10)
    assert len(next(batches)) == 4
    virtual.create("sites", name="between")
    assert [len(batch) for batch in batches] == [4, 2]
    assert len(virtual.ids("sites")) == 11


def test_a_client_that_is_revoked_in_between_gets_no_more(app, virtual):
    services = app.extensions["services"]
    batches = seeding.seed(services.virtual_fleet, services.inventory, virtual.id, 10)
    next(batches)
    assert services.clients.revoke(virtual.id)["virtual_sites"] == 4
    with pytest.raises(Problem) as raised:
        next(batches)
    assert raised.value.status == 401
    assert services.virtual_fleet.site_names(virtual.id) == []
