"""The settings: defaults, faults, keys, and that every one of them is documented."""

import re
import stat
from dataclasses import fields, replace
from pathlib import Path

import pytest
import trustme

from app import config, create_app
from app.config import Settings, SettingsError, load

KEYS = {"SECRET_KEY": "s" * 32, "ID_KEY": "i" * 32}
OWN = {**KEYS, "DATABASE_URL": "postgres://user:pass%40word@db.example/name?sslmode=require"}


def faults(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(environ)
    first, *lines = str(caught.value).splitlines()
    assert first == "These settings must be corrected:"
    return [line.strip() for line in lines]


def test_the_embedded_default_generates_its_keys_once(tmp_path: Path) -> None:
    first = load({"INSTANCE_PATH": str(tmp_path / "new" / "folder")})
    again = load({"INSTANCE_PATH": str(tmp_path / "new" / "folder")})
    assert first == again
    assert first.embedded
    assert first.database_url == f"sqlite:///{tmp_path / 'new' / 'folder' / 'derapi.db'}"
    keys = {*first.signing_keys, first.id_key, *first.credential_keys}
    assert len(keys) == 3
    assert min(map(len, keys)) >= 32
    for name in ("secret_key", "id_key", "credential_keys"):
        assert stat.S_IMODE((tmp_path / "new" / "folder" / name).stat().st_mode) == 0o600
    names = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert names == ["credential_keys", "id_key", "secret_key"]


def test_keys_from_the_environment_replace_generated_keys(tmp_path: Path) -> None:
    settings = load({**KEYS, "CREDENTIAL_KEYS": "c" * 32, "INSTANCE_PATH": str(tmp_path)})
    assert (settings.signing_keys, settings.id_key, settings.embedded) == (("s" * 32,), "i" * 32, True)
    assert settings.credential_keys == ("c" * 32,)
    assert list(tmp_path.iterdir()) == []


def test_keys_of_credentials_are_texts_with_commas_between_them_and_none_is_required() -> None:
    assert load(OWN).credential_keys == ()
    assert load({**OWN, "CREDENTIAL_KEYS": ""}).credential_keys == ()
    one, two = "n" * 32, "an older key: ümläut & blanks inside!"
    assert load({**OWN, "CREDENTIAL_KEYS": one}).credential_keys == (one,)
    assert load({**OWN, "CREDENTIAL_KEYS": f" {one} ,{two}"}).credential_keys == (one, two)
    for wrong in ("x" * 31, f"{one},", f",{one}", f"{one},,{two}", f"{one},{'x' * 31}", ","):
        (line,) = faults({**OWN, "CREDENTIAL_KEYS": wrong})
        assert line.startswith("CREDENTIAL_KEYS: expected texts of at least 32 characters, the newest first")
        assert "xxx" not in line


def test_the_file_of_keys_may_hold_several_and_one_that_is_damaged_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "credential_keys").write_text(f"{'n' * 32},{'o' * 32}\n")
    assert load({"INSTANCE_PATH": str(tmp_path)}).credential_keys == ("n" * 32, "o" * 32)
    (tmp_path / "credential_keys").write_text(f"{'n' * 32},short")
    (line,) = faults({"INSTANCE_PATH": str(tmp_path)})
    assert str(tmp_path / "credential_keys") in line
    assert "nnn" not in line


def test_secret_keys_are_a_list_of_which_secret_key_is_one_and_not_both_may_be_set(tmp_path: Path) -> None:
    new, old = "n" * 32, "o" * 32
    own = {name: value for name, value in OWN.items() if name != "SECRET_KEY"}
    assert load(own | {"SECRET_KEYS": f"{new}, {old}"}).signing_keys == (new, old)
    assert load(own | {"SECRET_KEY": f"{new},{old}"}).signing_keys == (f"{new},{old}",)
    (line,) = faults(own | {"SECRET_KEYS": new, "SECRET_KEY": old})
    assert line.startswith("SECRET_KEY, SECRET_KEYS: expected one of them, not both")
    (short,) = faults(own | {"SECRET_KEYS": f"{new},short"})
    assert short.startswith("SECRET_KEYS: expected")
    assert "short" not in short
    (tmp_path / "secret_key").write_text(f"{new},{old}")
    assert load({"INSTANCE_PATH": str(tmp_path)}).signing_keys == (new, old)


def test_a_damaged_key_is_a_fault_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "id_key").write_text("short")
    assert faults({"INSTANCE_PATH": str(tmp_path)})[0].startswith("INSTANCE_PATH: expected")
    assert (tmp_path / "id_key").read_text() == "short"


def test_an_instance_path_that_is_a_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert len(faults({"INSTANCE_PATH": str(tmp_path / "file")})) == 1


def test_all_faults_are_reported_at_once_with_what_is_expected_and_an_example() -> None:
    wrong = {
        "SECRET_KEY": "x" * 31,
        "ID_KEY": "short",
        "DATABASE_URL": "mysql://root:pa55@host/x",
        "PUBLIC_URL": "example.org",
        "TRUSTED_PROXIES": "many",
        "PORT": "0",
        "WEB_CONCURRENCY": "1.5",
        "WORKER": "sync",
        "REQUEST_DEADLINE": "nan",
        "LOG_LEVEL": "loud",
        "SANDBOX_URL": "http://sandbox.example:9000",
        "SANDBOX_PORT": "65536",
        "PROXY_URL": "https://user:pa55@proxy",
        "VENDOR_CA_FILE": "/does/not/exist.pem",
        "VENDOR_URL_SMA": "http://vendor.example",
    }
    lines = faults(wrong)
    assert {line.partition(":")[0] for line in lines} == set(wrong)
    assert len(lines) == len(wrong)
    for line in lines:
        assert re.search(r": expected .+, for example .+", line), line
    text = "\n".join(lines)
    assert "(it is 'loud')" in text
    for secret in ("x" * 31, "short", "pa55"):
        assert secret not in text


def test_a_database_that_is_set_needs_both_keys() -> None:
    lines = faults({"DATABASE_URL": OWN["DATABASE_URL"]})
    assert [line.partition(":")[0] for line in lines] == ["SECRET_KEY", "ID_KEY"]


def test_the_urls_that_heroku_writes_are_rewritten() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        settings = load({**KEYS, "DATABASE_URL": f"{scheme}://user:pass%40word@db.example/name?sslmode=require"})
        expected = "postgresql+psycopg://user:pass%40word@db.example/name?sslmode=require"
        assert settings.database_url == expected
        assert not settings.embedded


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "nonsense", "postgres"])
def test_databases_that_cannot_be_shared_by_processes_are_refused(url: str) -> None:
    assert faults({**KEYS, "DATABASE_URL": url})[0].startswith("DATABASE_URL: expected")


def test_heroku_needs_postgres_a_public_url_and_keys_and_the_reason_is_given() -> None:
    text = "\n".join(faults({"DYNO": "web.1"}))
    assert "DATABASE_URL: expected Postgres on Heroku, because a dyno loses its disk" in text
    assert "PUBLIC_URL: expected" in text
    assert "SECRET_KEY: expected" in text
    assert "ID_KEY: expected" in text
    assert len(faults({**KEYS, "DYNO": "web.1", "DATABASE_URL": "sqlite:////tmp/x.db"})) == 2
    assert load({**OWN, "DYNO": "web.1", "PUBLIC_URL": "https://a.example/"}).public_url == "https://a.example"


def test_limits_are_inclusive_and_blank_values_are_absent() -> None:
    values = {"PORT": " 65535 ", "WEB_CONCURRENCY": "1", "REQUEST_DEADLINE": "0.5", "LOG_LEVEL": "debug"}
    values["WORKER"] = "GThread"
    settings = load({**OWN, **values, "PUBLIC_URL": "", "TRUSTED_PROXIES": "  "})
    assert (settings.port, settings.web_concurrency, settings.request_deadline) == (65535, 1, 0.5)
    assert (settings.log_level, settings.public_url, settings.trusted_proxies) == ("DEBUG", None, 0)
    assert (settings.worker, load(OWN).worker) == ("gthread", "derapi")
    assert (load(OWN).port, load(OWN).web_concurrency, load(OWN).request_deadline) == (8000, 2, 20.0)


def test_vendor_urls_are_https_outside_loopback() -> None:
    values = {"VENDOR_URL_SMA": "https://sma.example/", "VENDOR_URL_SOLIS": "http://127.0.0.1:9000/solis"}
    assert load({**OWN, **values}).vendor_urls == {
        "sma": "https://sma.example",
        "solis": "http://127.0.0.1:9000/solis",
    }
    for url in ("http://a.example", "ftp://a.example", "https://u:p@a.example", "https://a.example?x=1", "https://"):
        assert faults({**OWN, "VENDOR_URL_SMA": url})[0].startswith("VENDOR_URL_SMA: expected")
    for url in ("http://localhost:1", "http://[::1]:1", "https://sandbox.example"):
        assert load({**OWN, "SANDBOX_URL": url}).sandbox_url == url


def test_no_secret_shows_in_the_repr() -> None:
    values = {"SECRET_KEY": "sesame" * 6, "ID_KEY": "basil" * 7, "PROXY_URL": "http://me:pa55@proxy.example"}
    values["CREDENTIAL_KEYS"] = "thyme" * 7
    shown = repr(load({**OWN, **values}))
    for secret in ("sesame", "basil", "pa55", "pass%40word", "thyme"):
        assert secret not in shown
    assert "request_deadline=20.0" in shown


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PORT=1\nWEB_CONCURRENCY=7\nPUBLIC_URL=http://a.example\n")
    monkeypatch.setattr(config, "ROOT", tmp_path)
    monkeypatch.setenv("PORT", "2")
    monkeypatch.setenv("PUBLIC_URL", "")
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path))
    settings = load()
    assert (settings.port, settings.web_concurrency, settings.public_url) == (2, 7, None)


def test_every_setting_is_documented_in_the_example_file() -> None:
    text = (config.ROOT / ".env.example").read_text()
    documented = set(re.findall(r"^#([A-Z_]+)=", text, re.MULTILINE))
    names = {setting.name.upper() for setting in fields(Settings) if setting.metadata}
    by_vendor = (config.VENDOR_URL, config.VENDOR_LIMIT)
    assert {name for name in documented if not name.startswith(by_vendor)} == names
    assert all(any(name.startswith(prefix) for name in documented) for prefix in by_vendor)


def test_the_example_file_shows_the_defaults_and_valid_values(tmp_path: Path) -> None:
    text = (config.ROOT / ".env.example").read_text()
    shown = dict(re.findall(r"^#([A-Z_]+)=(.+)$", text, re.MULTILINE))
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "company.pem"))
    shown["VENDOR_CA_FILE"] = str(tmp_path / "company.pem")
    settings = load({**KEYS, **shown})
    names = "port web_concurrency worker request_deadline log_level trusted_proxies sandbox_port"
    for name in names.split():
        assert getattr(settings, name) == getattr(load(OWN), name), name


def test_a_file_without_certificates_is_no_ca_file(tmp_path: Path) -> None:
    (tmp_path / "company.pem").write_text("no certificate\n")
    with pytest.raises(SettingsError, match="VENDOR_CA_FILE: expected"):
        load({**KEYS, "VENDOR_CA_FILE": str(tmp_path / "company.pem")})


def test_the_url_of_a_vendor_that_does_not_exist_refuses_the_start(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="VENDOR_URL_SAM: there is no such vendor"):
        create_app(replace(settings, vendor_urls={"sam": "http://127.0.0.1:9"}))
    with pytest.raises(SettingsError, match="VENDOR_LIMIT_SAM: there is no such vendor"):
        create_app(replace(settings, vendor_limits={"sam": (10, 60)}))


def test_a_limit_is_calls_and_seconds() -> None:
    limits = load({**OWN, "VENDOR_LIMIT_SMA": "10/60", "VENDOR_LIMIT_TESLA": "1/1"}).vendor_limits
    assert limits == {"sma": (10, 60), "tesla": (1, 1)}
    for wrong in ("10", "10/0", "0/60", "a/b", "1/2/3", "-1/60"):
        with pytest.raises(SettingsError, match="VENDOR_LIMIT_SMA: expected calls/seconds"):
            load({**OWN, "VENDOR_LIMIT_SMA": wrong})
