"""`flask doctor` on healthy and broken set-ups."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner
from sqlalchemy import text

from app import cli_doctor
from app.credentials.cipher import Cipher
from app.doctor import reachability
from app.doctor.diagnosis import diagnose
from app.doctor.findings import Finding, Outcome, as_table, worst
from app.storage.credential_tables import VendorCredentialRow
from app.storage.database import ClientRow, Database
from tests.app.doctor.cloud import cloud
from tests.app.support import nobodys_port
from tests.processes import FLASK, clean, ended

SECRET = "sentinel-" + "x" * 32
KEYS = {"SECRET_KEY": SECRET, "ID_KEY": SECRET, "CREDENTIAL_KEYS": SECRET}
Rows = Mapping[tuple[str, str], Finding]


@pytest.fixture
def database_file(tmp_path: Path) -> str:
    """A database with the tables of this version."""
    url = f"sqlite:///{tmp_path / 'derapi.db'}"
    database = Database(url)
    database.upgrade()
    database.close()
    return url


@pytest.fixture
def rows(database_file: str) -> Iterator[Callable[..., Rows]]:
    """Diagnoses a healthy set-up with changes; a change to None leaves the setting out."""
    with cloud() as (url, _):

        def diagnosed(**changes: str | None) -> Rows:
            environ = KEYS | {"DATABASE_URL": database_file, "SANDBOX_URL": url} | changes
            findings = diagnose({name: value for name, value in environ.items() if value is not None})
            assert SECRET not in as_table(findings)
            return {(finding.check, finding.subject): finding for finding in findings}

        yield diagnosed


def outcomes(rows: Rows) -> dict[str, Outcome]:
    """The worst outcome of each check."""
    return {
        check: max((row.outcome for row in rows.values() if row.check == check), key=list(Outcome).index)
        for check in {row.check for row in rows.values()}
    }


def test_a_healthy_set_up_has_no_fault_and_vendors_get_no_credential(database_file: str, redis_url: str) -> None:
    with cloud() as (url, requests):
        environ = KEYS | {"DATABASE_URL": database_file, "SANDBOX_URL": url, "REDIS_URL": redis_url}
        findings = diagnose(environ)
    assert {finding.check: finding.outcome for finding in findings} == {
        **dict.fromkeys(("settings", "database", "migrations", "redis", "keys", "vendor"), Outcome.OK),
        "clock": Outcome.SKIPPED,
    }
    assert worst(findings) is Outcome.OK
    ((path, headers),) = requests
    assert path == "/"
    assert headers.keys() <= {"host", "user-agent", "accept-encoding"}


def test_every_wrong_setting_is_a_row_and_the_rest_is_checked_all_the_same(rows: Callable[..., Rows]) -> None:
    found = rows(PORT="http", SECRET_KEY="short", VENDOR_LIMIT_NOBODY="1/1")
    assert {subject for check, subject in found if check == "settings"} == {"PORT", "SECRET_KEY", "VENDOR_LIMIT_NOBODY"}
    assert found["keys", "SECRET_KEY"].outcome is Outcome.FAULT
    # The advice to set SECRET_KEY would make the next start fail where SECRET_KEYS is set.
    assert found["keys", "SECRET_KEY"].action == "See the rows of the settings."
    assert outcomes(found)["database"] is Outcome.OK
    assert "short" not in as_table(list(found.values()))


def test_without_a_correct_database_url_what_depends_on_it_is_skipped(rows: Callable[..., Rows]) -> None:
    found = outcomes(rows(DATABASE_URL="mysql://x"))
    assert (found["settings"], found["database"], found["migrations"]) == (
        Outcome.FAULT,
        Outcome.SKIPPED,
        Outcome.SKIPPED,
    )


def test_a_database_that_does_not_answer_is_a_fault(rows: Callable[..., Rows]) -> None:
    url = f"postgresql://user:{SECRET}@127.0.0.1:{nobodys_port()}/name"
    found = rows(DATABASE_URL=url)
    assert found["database", "postgresql"].outcome is Outcome.FAULT
    assert outcomes(found)["migrations"] is Outcome.SKIPPED


def test_a_missing_database_file_is_a_fault_and_is_not_created(rows: Callable[..., Rows], tmp_path: Path) -> None:
    path = tmp_path / "missing.db"
    assert outcomes(rows(DATABASE_URL=f"sqlite:///{path}"))["database"] is Outcome.FAULT
    assert not path.exists()


@pytest.mark.parametrize(("revision", "outcome"), [("0001", Outcome.FAULT), ("9999", Outcome.WARNING)])
def test_tables_of_another_version_are_named(
    rows: Callable[..., Rows], database_file: str, revision: str, outcome: Outcome
) -> None:
    database = Database(database_file)
    with database.session() as session:
        session.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))
    database.close()
    row = rows()["migrations", "tables"]
    assert row.outcome is outcome
    assert revision in row.detail


def test_a_redis_that_does_not_answer_is_a_fault(rows: Callable[..., Rows]) -> None:
    row = rows(REDIS_URL=f"redis://:{SECRET}@127.0.0.1:{nobodys_port()}/0")["redis", "server"]
    assert row.outcome is Outcome.FAULT


def test_stored_credentials_whose_key_is_missing_are_a_fault(rows: Callable[..., Rows], database_file: str) -> None:
    database = Database(database_file)
    client = ClientRow(
        id="c", name="c", mode="production", api_version="v1", secret_sha256="", created_at=0, scopes="read"
    )
    credential = VendorCredentialRow(
        id="x", client_id="c", vendor="v", type="apikey", name="n", key_id=Cipher(("y" * 32,)).key_ids[0],
        ciphertext="", created_at=datetime.now(UTC),
    )  # fmt: skip
    with database.session() as session:
        session.add(client)
        session.flush()
        session.add(credential)
    database.close()
    row = rows()["keys", "CREDENTIAL_KEYS"]
    assert row.outcome is Outcome.FAULT
    assert rows(CREDENTIAL_KEYS=None)["keys", "CREDENTIAL_KEYS"].outcome is Outcome.FAULT


def vendor_row(rows: Rows) -> Finding:
    """The row of all vendors, which share the origin of the sandbox."""
    (row,) = [row for row in rows.values() if row.check == "vendor"]
    return row


def test_a_vendor_that_refuses_connections_is_a_fault(rows: Callable[..., Rows]) -> None:
    row = vendor_row(rows(SANDBOX_URL=f"http://127.0.0.1:{nobodys_port()}"))
    assert row.outcome is Outcome.FAULT
    assert "No connection" in row.detail


def test_a_vendor_that_hangs_is_a_fault_after_the_limit(
    rows: Callable[..., Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reachability, "LIMIT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        row = vendor_row(rows(SANDBOX_URL=f"http://127.0.0.1:{silent.getsockname()[1]}"))
    assert row.outcome is Outcome.FAULT
    assert "No answer within 0.3 s" in row.detail


def test_a_vendor_whose_certificate_is_not_trusted_is_a_fault_of_tls(rows: Callable[..., Rows], tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with cloud(authority) as (url, _):
        row = vendor_row(rows(SANDBOX_URL=url))
        assert row.outcome is Outcome.FAULT
        assert "TLS" in row.detail
        trusted = vendor_row(rows(SANDBOX_URL=url, VENDOR_CA_FILE=str(tmp_path / "ca.pem")))
        assert trusted.outcome is Outcome.OK


def test_a_name_without_an_address_is_a_fault_of_dns(
    rows: Callable[..., Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(host: str, port: int, deadline: object) -> None:
        raise socket.gaierror("unknown name")

    monkeypatch.setattr(reachability, "look_up", unknown)
    assert "DNS" in vendor_row(rows()).detail


@pytest.mark.parametrize(("count", "warns"), [(None, True), ("1", False), ("many", False)])
def test_a_public_https_url_without_trusted_proxies_is_a_warning(
    rows: Callable[..., Rows], count: str | None, warns: bool
) -> None:
    found = rows(PUBLIC_URL=f"https://127.0.0.1:{nobodys_port()}", TRUSTED_PROXIES=count)
    row = found.get(("settings", "TRUSTED_PROXIES"))
    assert (row is not None and row.outcome is Outcome.WARNING) is warns


def test_a_service_that_does_not_answer_under_its_public_url_is_a_warning(rows: Callable[..., Rows]) -> None:
    row = rows(PUBLIC_URL=f"http://127.0.0.1:{nobodys_port()}")["public url", "PUBLIC_URL"]
    assert row.outcome is Outcome.WARNING


@pytest.mark.parametrize(
    ("ahead", "outcome"),
    [
        ([0.4, -0.3], Outcome.OK),
        ([61.0, 62.0, 0.0], Outcome.WARNING),
        ([-901.0, -902.0], Outcome.FAULT),
        ([9999.0, 0.1, 0.2], Outcome.OK),
        ([], Outcome.SKIPPED),
    ],
)
def test_the_clock_is_compared_with_the_median_of_the_servers(ahead: list[float], outcome: Outcome) -> None:
    assert reachability.clock_row(ahead).outcome is outcome


def test_a_service_that_cannot_start_is_diagnosed_by_the_command(tmp_path: Path) -> None:
    environ = clean(INSTANCE_PATH=tmp_path, PORT="http", SANDBOX_URL=f"http://127.0.0.1:{nobodys_port()}")
    result = ended([*FLASK, "doctor", "--json"], environ)
    assert result.returncode == 1
    findings = json.loads(result.stdout)["findings"]
    assert [row["subject"] for row in findings if row["check"] == "settings"] == ["PORT"]


@pytest.mark.parametrize(
    ("outcome", "code"), [(Outcome.OK, 0), (Outcome.SKIPPED, 0), (Outcome.WARNING, 3), (Outcome.FAULT, 1)]
)
def test_the_exit_code_is_that_of_the_worst_row(monkeypatch: pytest.MonkeyPatch, outcome: Outcome, code: int) -> None:
    rows = [Finding("a", "b", Outcome.OK, "All is well."), Finding("c", "d", outcome, "Detail.", "Act.")]
    monkeypatch.setattr(cli_doctor, "diagnose", lambda: rows)
    table = CliRunner().invoke(cli_doctor.doctor)
    assert table.exit_code == code
    assert table.stdout.splitlines()[0].split() == ["OK", "a", "b", "All", "is", "well."]
    assert table.stdout.splitlines()[-1].strip() == "-> Act."
    printed = json.loads(CliRunner().invoke(cli_doctor.doctor, ["--json"]).stdout)
    assert printed["result"] == ("ok" if outcome is Outcome.SKIPPED else outcome)
    assert len(printed["findings"]) == 2
