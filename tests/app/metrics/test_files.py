"""Several processes keep their counts in files of one folder; what a process has counted stays when it has ended."""

import fcntl
import os
import re
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import prometheus_client.values
import pytest

from app.metrics import files
from app.metrics.service import Metrics
from app.server import metrics as server_metrics
from vendors.kit.calls.events import CallEvent, CallKind

SENT = CallEvent(CallKind.SENT, "sma", False, "GET", "/v1/plants", "https://sma.test", 1, "ok", 200, 0.3)
CALLS = 'derapi_vendor_call_seconds_count{outcome="ok",vendor="sma"}'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of several processes, which this test forks."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    values = prometheus_client.values.MultiProcessValue()  # type: ignore[no-untyped-call]
    monkeypatch.setattr(prometheus_client.values, "ValueClass", values)
    yield tmp_path
    values.close_all_files()


def run_in_process(metrics: Metrics, calls: int) -> int:
    """Counts calls in another process, as a worker does; returns its id when it has ended."""
    process = get_context("fork").Process(target=count, args=(metrics, calls))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert process.pid is not None
    return process.pid


def count(metrics: Metrics, calls: int) -> None:
    metrics.instruments.gauge("derapi_workers").set(1)
    for _ in range(calls):
        metrics.calls.observe(SENT)
    metrics.calls.count_events()
    os._exit(0)  # As abruptly as a kill: what was counted is in the files.


def value(folder: Path, series: str) -> float | None:
    match = re.search(rf"^{re.escape(series)} (\S+)$", files.text(folder).decode(), re.M)
    return float(match[1]) if match else None


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_counts_of_a_process_that_has_ended_stay_and_its_gauges_go(folder: Path) -> None:
    metrics = Metrics()
    first, second = run_in_process(metrics, 3), run_in_process(metrics, 4)
    assert (value(folder, CALLS), value(folder, "derapi_workers")) == (7, 2)
    metrics.process_ended(folder, first)
    assert (value(folder, CALLS), value(folder, "derapi_workers")) == (7, 1)
    metrics.process_ended(folder, second)
    assert (value(folder, CALLS), value(folder, "derapi_workers")) == (7, 0)
    assert value(folder, 'derapi_vendor_call_seconds_bucket{le="0.5",outcome="ok",vendor="sma"}') == 7
    assert not list(folder.glob(f"*_{first}.db")), "files do not become more with each process"
    third = run_in_process(metrics, 1)
    metrics.process_ended(folder, third)
    assert value(folder, CALLS) == 8


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_counts_do_not_move_while_they_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = Metrics()
    pid = run_in_process(metrics, 3)
    monkeypatch.setattr(files, "LOCK_SECONDS", 0.02)
    with (folder / files.LOCK).open("w") as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        metrics.process_ended(folder, pid)
        assert (folder / f"histogram_{pid}.db").exists()
        assert value(folder, CALLS) == 3
        assert value(folder, "derapi_workers") == 0
        fcntl.flock(reader, fcntl.LOCK_EX)  # A master that moves counts, for too long: they are read nevertheless.
        assert value(folder, CALLS) == 3


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_damaged_file_of_an_ended_process_is_an_error_in_the_log_and_nothing_more(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    pid = run_in_process(metrics, 3)
    damaged = folder / f"histogram_{pid}.db"
    damaged.write_bytes(b"\xff\x7f\0\0" + damaged.read_bytes()[4:])
    metrics.process_ended(folder, pid)
    assert "could not be kept" in caplog.text
    assert files.text(folder), "the others are shown"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for temporary files."""
    monkeypatch.setattr(server_metrics.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(server_metrics, "YOUNG_SECONDS", -1.0)
    return tmp_path


def new_folder() -> Path:
    server_metrics.folder.cache_clear()
    return server_metrics.folder()


def test_each_master_has_an_empty_folder_and_removes_those_of_masters_that_were_killed(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_metrics.atexit, "register", lambda *_: None)
    killed, strange = temporary / "derapi-metrics-killed", temporary / "another-program"
    for other in (killed, strange):
        other.mkdir()
        (other / "owner").touch()
        (other / "counter_7.db").write_bytes(b"old")
    first = new_folder()
    assert [path.name for path in first.iterdir()] == ["owner"]
    assert not killed.exists()
    assert (strange / "counter_7.db").exists()
    second = new_folder()
    assert first.exists(), "its master lives"
    assert second != first
    assert server_metrics.folder() == second, "also after a reload of the settings"
    server_metrics.folder.cache_clear()


def test_a_folder_is_removed_by_its_master_and_not_by_a_worker(temporary: Path) -> None:
    made = temporary / "made"
    made.mkdir()
    server_metrics._remove(made, os.getpid() + 1)
    assert made.exists()
    server_metrics._remove(made, os.getpid())
    assert not made.exists()


def test_a_machine_without_a_folder_for_temporary_files_is_one_line(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_metrics.tempfile, "tempdir", str(temporary / "missing"))
    with pytest.raises(SystemExit, match="set TMPDIR"):
        new_folder()
