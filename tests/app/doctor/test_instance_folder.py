"""`flask doctor` on the default database and generated keys: it looks at them and makes none of them."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app import cli_doctor, config
from app.doctor.diagnosis import diagnose
from app.doctor.findings import EXIT_CODES, Finding, Outcome, as_table, worst
from app.storage.database import Database
from tests.app.doctor.cloud import cloud
from tests.processes import FLASK, clean, ended

KEY, FORMER_KEY = "k" * 32, "f" * 32
IN_FOLDER = [("database", "sqlite"), ("migrations", "tables"), *(("keys", name) for name in ("SECRET_KEY", "ID_KEY"))]
IN_FOLDER += [("keys", "CREDENTIAL_KEYS")]
Environ = dict[str, str]


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[Environ]:
    """The default set-up in an instance folder that is not there yet."""
    with cloud() as (url, _):
        yield {"INSTANCE_PATH": str(tmp_path / "instance"), "SANDBOX_URL": url}


def start_once(environ: Environ, revision: str = "head") -> None:
    """Does to the instance folder what a start of the service does."""
    database = Database(config.load(environ).database_url)
    database.upgrade(revision)
    database.close()


def diagnosed(environ: Environ) -> Mapping[tuple[str, str], Finding]:
    return {(finding.check, finding.subject): finding for finding in diagnose(environ)}


@pytest.mark.exhaustive
@pytest.mark.parametrize("changes", [{}, {"SECRET_KEYS": f"{KEY},{FORMER_KEY}"}, {"SECRET_KEY": KEY}])
def test_the_default_set_up_is_healthy_after_a_start_with_one_key_or_several(
    environ: Environ, changes: Environ
) -> None:
    environ |= changes
    start_once(environ)
    findings = diagnose(environ)
    assert EXIT_CODES[worst(findings)] == 0, as_table(findings)
    outcomes = {(finding.check, finding.subject): finding.outcome for finding in findings}
    assert {row: outcomes[row] for row in IN_FOLDER} == dict.fromkeys(IN_FOLDER, Outcome.OK)


@pytest.mark.exhaustive
def test_several_signing_keys_with_a_database_of_your_own_are_healthy(environ: Environ, tmp_path: Path) -> None:
    environ |= {"DATABASE_URL": f"sqlite:///{tmp_path / 'own.db'}", "SECRET_KEYS": f"{KEY},{FORMER_KEY}"}
    environ |= {"ID_KEY": KEY}
    start_once(environ)
    findings = diagnose(environ)
    assert worst(findings) is Outcome.OK, as_table(findings)


def test_before_the_first_start_the_command_finds_no_fault_and_creates_nothing(
    environ: Environ, tmp_path: Path
) -> None:
    done = ended([*FLASK, "doctor", "--json"], clean(**environ))
    assert done.returncode == 0, done.stdout + done.stderr
    found = {(row["check"], row["subject"]): row for row in json.loads(done.stdout)["findings"]}
    assert {row: found[row]["outcome"] for row in IN_FOLDER} == dict.fromkeys(IN_FOLDER, "skipped")
    assert all("makes it when it starts" in found[row]["detail"] for row in IN_FOLDER)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.exhaustive
def test_an_empty_instance_folder_stays_empty(environ: Environ) -> None:
    folder = Path(environ["INSTANCE_PATH"])
    folder.mkdir()
    assert worst(diagnose(environ)) is Outcome.OK
    assert list(folder.iterdir()) == []


def test_tables_of_a_former_version_are_left_to_the_start_that_upgrades_them(environ: Environ) -> None:
    start_once(environ, "0001")
    for _ in range(2):
        row = diagnosed(environ)["migrations", "tables"]
        assert row.outcome is Outcome.OK
        assert "0001" in row.detail
        assert "next start" in row.detail


@pytest.mark.exhaustive
def test_a_wrong_key_in_the_environment_is_a_fault_also_before_the_first_start(environ: Environ) -> None:
    rows = diagnosed(environ | {"SECRET_KEYS": "short"})
    assert rows["settings", "SECRET_KEYS"].outcome is Outcome.FAULT
    assert rows["keys", "SECRET_KEY"].outcome is Outcome.FAULT
    assert rows["keys", "ID_KEY"].outcome is Outcome.SKIPPED


@pytest.mark.exhaustive
def test_a_wrong_credential_key_is_no_healthy_row_before_the_first_start(environ: Environ) -> None:
    rows = diagnosed(environ | {"CREDENTIAL_KEYS": "short"})
    assert rows["keys", "CREDENTIAL_KEYS"].outcome is Outcome.WARNING
    assert diagnosed(environ | {"CREDENTIAL_KEYS": KEY})["keys", "CREDENTIAL_KEYS"].outcome is Outcome.OK


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["SECRET_KEY", "ID_KEY"])
def test_a_key_that_is_lost_and_would_be_replaced_is_a_warning(environ: Environ, name: str) -> None:
    start_once(environ)
    (Path(environ["INSTANCE_PATH"]) / name.lower()).unlink()
    assert diagnosed(environ)["keys", name].outcome is Outcome.WARNING


def test_a_damaged_key_file_is_a_fault(environ: Environ) -> None:
    start_once(environ)
    (Path(environ["INSTANCE_PATH"]) / "id_key").write_text("short")
    rows = diagnosed(environ)
    assert rows["settings", "INSTANCE_PATH"].outcome is Outcome.FAULT
    assert rows["keys", "ID_KEY"].outcome is Outcome.FAULT


def test_an_instance_path_below_a_file_is_a_fault(environ: Environ, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    rows = diagnosed(environ | {"INSTANCE_PATH": str(tmp_path / "file" / "instance")})
    assert rows["settings", "INSTANCE_PATH"].outcome is Outcome.FAULT


def test_an_instance_path_without_the_right_to_write_is_a_fault(
    environ: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root, who may run the tests, has every right.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    rows = diagnosed(environ)
    assert rows["settings", "INSTANCE_PATH"].outcome is Outcome.FAULT


@pytest.mark.parametrize(
    ("words", "is_doctor"),
    [
        ("--app wsgi doctor", True),
        ("-A wsgi --debug doctor --json", True),
        ("--app=wsgi doctor", True),
        ("--app wsgi clients create doctor", False),
        ("--app doctor prune", False),
        ("--app wsgi", False),
    ],
)
def test_only_the_command_itself_is_taken_for_the_doctor(
    monkeypatch: pytest.MonkeyPatch, words: str, is_doctor: bool
) -> None:
    monkeypatch.setattr(sys, "argv", ["flask", *words.split()])
    assert cli_doctor.is_asked() is is_doctor
