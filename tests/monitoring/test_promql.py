"""The evaluator gives the numbers that Prometheus gives: worked examples, staleness and extrapolation included."""

import math

import pytest

from tests.monitoring.promql import Evaluator, increase
from tests.monitoring.recording import Recording, Series

TIMES = [15.0 * number for number in range(41)]


def series(name: str, values: list[float | None], **labels: str) -> Series:
    return Series((("__name__", name), *sorted(labels.items())), TIMES, values + [values[-1]] * (41 - len(values)))


@pytest.fixture
def evaluator() -> Evaluator:
    counter = [float(number) for number in range(41)]
    all_series = [
        series("hits_total", counter, route="/a", status="200"),
        series("hits_total", [2 * value for value in counter], route="/b", status="503"),
        series("gone", [1.0, 2.0, None]),
        *(
            series("s_bucket", [0.0, *[count] * 40], le=le)
            for le, count in [("1.0", 10.0), ("2.0", 30.0), ("+Inf", 40.0)]
        ),
    ]
    return Evaluator(Recording(TIMES, {}, all_series))


def value(evaluator: Evaluator, expression: str, at: float = 600.0) -> object:
    result = evaluator.value(expression, at)
    return (
        result
        if isinstance(result, float)
        else {dict(labels).get("route", ""): number for labels, number in result.items()}
    )


def test_a_rate_is_the_growth_in_a_second_and_an_increase_that_of_the_window(evaluator: Evaluator) -> None:
    assert value(evaluator, "rate(hits_total[5m])") == {"/a": pytest.approx(1 / 15), "/b": pytest.approx(2 / 15)}
    assert value(evaluator, 'increase(hits_total{status="200"}[5m])') == {"/a": pytest.approx(20)}


def test_selectors_aggregations_and_arithmetic(evaluator: Evaluator) -> None:
    assert value(evaluator, 'hits_total{status=~"5.."}') == {"/b": 80}
    assert value(evaluator, 'hits_total{status!~"5..", route!="/x"}') == {"/a": 40}
    assert value(evaluator, "sum(hits_total)") == {"": 120}
    assert value(evaluator, "max by (route) (hits_total) / sum by (route) (hits_total)") == {"/a": 1, "/b": 1}
    assert value(evaluator, "min(hits_total) - time() < -500") == {"": -560}
    assert value(evaluator, "hits_total > 50") == {"/b": 80}
    assert value(evaluator, "sum(hits_total) / sum(nothing)") == {}


def test_a_series_that_the_last_scrape_lacks_has_no_value(evaluator: Evaluator) -> None:
    assert value(evaluator, "gone", 29.0) == {"": 2}
    assert value(evaluator, "gone", 30.0) == {}
    assert value(evaluator, "gone", 10_000.0) == {}, "nor has one that was scraped too long ago"


def test_a_quantile_is_interpolated_within_its_bucket(evaluator: Evaluator) -> None:
    assert value(evaluator, "histogram_quantile(0.5, s_bucket)") == {"": pytest.approx(1.5)}
    assert value(evaluator, "histogram_quantile(0.125, s_bucket)") == {"": pytest.approx(0.5)}
    assert value(evaluator, "histogram_quantile(0.99, s_bucket)") == {"": 2.0}, "the last bound"
    assert math.isnan(value(evaluator, "histogram_quantile(0.5, rate(s_bucket[1m]))")[""])  # type: ignore[index]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([(0.0, 5.0)], None),
        ([(15.0, 5.0), (30.0, 8.0), (45.0, 11.0), (60.0, 14.0)], 12.0),  # 9 in 45 s, extrapolated to 60 s
        ([(15.0, 5.0), (30.0, 8.0), (45.0, 2.0), (60.0, 5.0)], 10.666666666666666),  # 8 after a restart
        ([(15.0, 0.0), (30.0, 3.0), (45.0, 6.0), (60.0, 9.0)], 9.0),  # never from below 0
        ([(30.0, 5.0), (45.0, 8.0)], 7.5),  # only half an interval into the hole before them
    ],
)
def test_an_increase_is_extrapolated_to_the_borders_of_its_window(
    samples: list[tuple[float, float]], expected: float | None
) -> None:
    result = increase(samples, 60.0, 60.0)
    assert result is None if expected is None else result == pytest.approx(expected)


@pytest.mark.parametrize("expression", ["topk(3, up)", "up offset 5m", "avg_over_time(up[5m])", "up and up", "1 - up"])
def test_what_the_evaluator_does_not_know_is_an_error(evaluator: Evaluator, expression: str) -> None:
    with pytest.raises((NotImplementedError, KeyError)):
        evaluator.value(expression, 600.0)
