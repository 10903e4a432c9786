"""The dashboard and the alert rules, evaluated over scrapes that were recorded while faults were played."""

import json
import math
from collections.abc import Iterator
from functools import cache

import pytest
import yaml

from app.config import ROOT
from app.metrics.definitions import DEFINITIONS
from tests.monitoring import recording
from tests.monitoring.promql import Evaluator, names
from tests.monitoring.recording import Recording

RULES = yaml.safe_load((ROOT / "deploy/prometheus-alerts.yaml").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
DASHBOARD = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
EXPRESSIONS = {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", ())
} | {name: rule["expr"] for name, rule in ALERTS.items()}
# By fault, the alerts that it must fire, each with the vendor that it must name.
FIRED = {
    "nothing fails": set(),
    "vendors fail": {
        ("DerapiVendorDown", "solis"),
        ("DerapiVendorHeld", "solaredge"),
        ("DerapiVendorSlow", "enphase"),
        ("DerapiRequestsSlow", ""),
        ("DerapiVendorFails", "sma"),
    },
    "tokens cannot be renewed, and Redis is down": {
        ("DerapiTokenRenewalsFail", "sma"),
        ("DerapiRedisDown", ""),
        ("DerapiVendorUnreadable", "enphase"),
    },
    "the database is down": {("DerapiDatabaseDown", ""), ("DerapiRequestsFail", "")},
    "a worker is killed": {("DerapiWorkersDie", "")},
    "a quota is spent": {("DerapiQuotaLow", "tesla")},
    "all request threads are in use": {("DerapiThreadsBusy", "")},
    "the service is stopped": {("DerapiDown", "")},
}
# Prometheus evaluates rules once a minute by default.
EVALUATION_SECONDS = 60.0
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@cache
def recorded() -> Recording:
    return recording.load()


@cache
def fired() -> dict[str, list[tuple[float, str]]]:
    """By alert, when it fired, and for which vendor."""
    evaluator, times = Evaluator(recorded()), recorded().times
    instants = [EVALUATION_SECONDS * number for number in range(1, int(times[-1] / EVALUATION_SECONDS) + 1)]
    return {name: list(_firing(evaluator, rule, instants)) for name, rule in ALERTS.items()}


def _firing(evaluator: Evaluator, rule: dict[str, str], instants: list[float]) -> Iterator[tuple[float, str]]:
    """An alert fires when its expression has had a value for as long as `for` says."""
    wait = rule.get("for", "0s")
    since: dict[object, float] = {}
    for instant in instants:
        value = evaluator.value(rule["expr"], instant)
        assert isinstance(value, dict)
        since = {labels: since.get(labels, instant) for labels in value}
        for labels, began in since.items():
            if instant - began >= float(wait[:-1]) * UNITS[wait[-1]]:
                yield instant, dict(labels).get("vendor", "")


def test_each_expression_names_metrics_that_the_service_shows_and_the_recording_has() -> None:
    suffixes = {"Counter": [""], "Gauge": [""], "Histogram": ["_bucket", "_count", "_sum"]}
    defined = {item.name + suffix for item in DEFINITIONS for suffix in suffixes[item.kind.__name__]} | {"up"}
    for title, expression in EXPRESSIONS.items():
        named = set(names(expression))
        assert named, title
        assert named <= defined, title
        assert named - NOT_PLAYED <= recorded().names, title


# No fault of the recording leads to them.
NOT_PLAYED = {"derapi_requests_refused_total"}


def test_each_expression_of_the_dashboard_has_a_value_at_some_time() -> None:
    evaluator, times = Evaluator(recorded()), recorded().times
    for title, expression in EXPRESSIONS.items():
        if title in ALERTS or set(names(expression)) & NOT_PLAYED:
            continue
        values = [value for time in times[20::20] for value in numbers(evaluator, expression, time)]
        assert any(math.isfinite(value) for value in values), title


def numbers(evaluator: Evaluator, expression: str, time: float) -> list[float]:
    value = evaluator.value(expression, time)
    return list(value.values()) if isinstance(value, dict) else [value]


@pytest.mark.parametrize("phase", FIRED)
def test_each_fault_fires_its_alerts(phase: str) -> None:
    began, ended = recorded().phases[phase]
    during = {(name, vendor) for name, times in fired().items() for time, vendor in times if began < time <= ended + 60}
    assert FIRED[phase] <= during
    assert FIRED[phase] or not during, "no alert fires while nothing fails"


def test_each_alert_is_fired_by_a_fault() -> None:
    assert {name for alerts in FIRED.values() for name, _ in alerts} == set(ALERTS)


def test_each_alert_has_a_summary_a_severity_and_its_reason_in_the_documentation() -> None:
    page = (ROOT / "docs/monitoring.md").read_text()
    for name, rule in ALERTS.items():
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert f"| `{name}` |" in page, name


def test_the_dashboard_needs_no_plugin_and_no_data_source_by_name() -> None:
    assert {panel["type"] for panel in DASHBOARD["panels"]} == {"row", "timeseries"}
    sources = {json.dumps(panel["datasource"]) for panel in DASHBOARD["panels"] if panel["type"] != "row"}
    assert sources == {'{"type": "prometheus", "uid": "${source}"}'}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
