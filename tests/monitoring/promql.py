"""Evaluates PromQL over a recording: the part of the language that the dashboard and the alert rules use.

promql-parser, which follows the grammar of Prometheus, parses; the functions here follow the definitions of Prometheus'
own engine, extrapolation and staleness included. Whatever else an expression holds is an error, and no wrong number.
"""

import math
import re
from collections.abc import Callable, Iterable
from itertools import groupby, pairwise

import promql_parser as ast

from tests.monitoring.recording import Recording

Labels = tuple[tuple[str, str], ...]
Vector = dict[Labels, float]
Value = Vector | float
NAME = "__name__"
OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else math.copysign(math.inf, a) if a else math.nan,
}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
AGGREGATIONS: dict[str, Callable[[list[float]], float]] = {"sum": sum, "max": max, "min": min, "count": len}
MATCHES: dict[str, Callable[[str, str], bool]] = {
    "Equal": lambda wanted, value: value == wanted,
    "NotEqual": lambda wanted, value: value != wanted,
    "Re": lambda wanted, value: re.fullmatch(wanted, value) is not None,
    "NotRe": lambda wanted, value: re.fullmatch(wanted, value) is None,
}


class Evaluator:
    """Evaluates expressions at instants of a recording, in its seconds."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._selected: dict[str, list[int]] = {}

    def value(self, expression: str, at: float) -> Value:
        """The value of an expression: a number by labels, or a number."""
        return self._value(ast.parse(expression), at)

    def _value(self, node: ast.Expr, at: float) -> Value:
        match node:
            case ast.NumberLiteral():
                return float(node.val)
            case ast.ParenExpr():
                return self._value(node.expr, at)
            case ast.VectorSelector():
                series = self._recording.series
                values = ((series[index].labels, series[index].at(at)) for index in self._select(node))
                return {labels: value for labels, value in values if value is not None}
            case ast.AggregateExpr():
                return self._aggregated(node, at)
            case ast.Call():
                return self._called(node, at)
            case ast.BinaryExpr():
                return self._combined(node, at)
        raise NotImplementedError(node)

    def _select(self, node: ast.VectorSelector) -> list[int]:
        """The series that a selector selects."""
        key = str(node)
        if key not in self._selected:
            if node.offset or node.at or node.matchers.or_matchers:
                raise NotImplementedError(node)
            wanted = [(NAME, "Equal", node.name)] + [
                (matcher.name, str(matcher.op).removeprefix("MatchOp."), matcher.value)
                for matcher in node.matchers.matchers
            ]
            self._selected[key] = [
                index
                for index, series in enumerate(self._recording.series)
                if all(MATCHES[kind](value, dict(series.labels).get(name, "")) for name, kind, value in wanted)
            ]
        return self._selected[key]

    def _aggregated(self, node: ast.AggregateExpr, at: float) -> Vector:
        if node.param is not None or (node.modifier and node.modifier.type != ast.AggModifierType.By):
            raise NotImplementedError(node)
        kept = node.modifier.labels if node.modifier else ()
        groups: dict[Labels, list[float]] = {}
        for labels, value in _vector(self._value(node.expr, at)).items():
            groups.setdefault(tuple(pair for pair in labels if pair[0] in kept), []).append(value)
        return {labels: float(AGGREGATIONS[str(node.op)](values)) for labels, values in groups.items()}

    def _called(self, node: ast.Call, at: float) -> Value:
        name, arguments = node.func.name, node.args
        if name == "time":
            return at
        if name == "histogram_quantile":
            return _quantiles(_number(self._value(arguments[0], at)), _vector(self._value(arguments[1], at)))
        if name in ("rate", "increase"):
            [selector] = arguments
            seconds = selector.range.total_seconds()
            series = (self._recording.series[index] for index in self._select(selector.vector_selector))
            grown = ((_unnamed(each.labels), increase(each.within(at - seconds, at), at, seconds)) for each in series)
            divisor = seconds if name == "rate" else 1.0
            return {labels: value / divisor for labels, value in grown if value is not None}
        raise NotImplementedError(name)

    def _combined(self, node: ast.BinaryExpr, at: float) -> Value:
        if node.modifier is not None:
            raise NotImplementedError(node)
        left, right, symbol = self._value(node.lhs, at), self._value(node.rhs, at), str(node.op)
        if isinstance(left, float):
            raise NotImplementedError("a number on the left")
        others = {_unnamed(labels): value for labels, value in right.items()} if isinstance(right, dict) else right
        combined: Vector = {}
        for labels, value in left.items():
            other = others.get(_unnamed(labels)) if isinstance(others, dict) else others
            if other is None:
                continue
            if symbol in OPERATORS:
                combined[_unnamed(labels)] = OPERATORS[symbol](value, other)
            elif COMPARISONS[symbol](value, other):
                combined[labels] = value
        return combined


def increase(samples: list[tuple[float, float]], at: float, seconds: float) -> float | None:
    """The increase of a counter over the last `seconds`, extrapolated to their borders as Prometheus does it."""
    if len(samples) < 2:
        return None
    (first_time, first), (last_time, last) = samples[0], samples[-1]
    grown = last - first
    for (_, before), (_, after) in pairwise(samples):
        grown += before if after < before else 0.0  # The counter began again at 0.
    sampled = last_time - first_time
    average = sampled / (len(samples) - 1)
    to_start, to_end = first_time - (at - seconds), at - last_time
    to_start = average / 2 if to_start >= 1.1 * average else to_start
    to_end = average / 2 if to_end >= 1.1 * average else to_end
    if grown > 0 and first >= 0:
        to_start = min(to_start, sampled * first / grown)  # A counter is never below 0.
    return grown * (sampled + to_start + to_end) / sampled


def _quantiles(quantile: float, buckets: Vector) -> Vector:
    def without_bound(item: tuple[Labels, float]) -> Labels:
        return tuple(pair for pair in _unnamed(item[0]) if pair[0] != "le")

    quantiles: Vector = {}
    for labels, group in groupby(sorted(buckets.items(), key=without_bound), without_bound):
        bounds = sorted((float(dict(bucket)["le"]), count) for bucket, count in group)
        quantiles[labels] = _quantile(quantile, bounds)
    return quantiles


def _quantile(quantile: float, buckets: list[tuple[float, float]]) -> float:
    """Interpolates within the bucket of the quantile; the last bound stands for all above it."""
    total = buckets[-1][1]
    if not total or buckets[-1][0] != math.inf:
        return math.nan
    rank = quantile * total
    index = next(index for index, (_, count) in enumerate(buckets) if count >= rank)
    if index == len(buckets) - 1:
        return buckets[-2][0]
    lower, below = buckets[index - 1] if index else (0.0, 0.0)
    upper, count = buckets[index]
    return lower + (upper - lower) * (rank - below) / (count - below)


def _unnamed(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] != NAME)


def _vector(value: Value) -> Vector:
    if isinstance(value, float):
        raise NotImplementedError("a vector is expected")
    return value


def _number(value: Value) -> float:
    if not isinstance(value, float):
        raise NotImplementedError("a number is expected")
    return value


def names(expression: str) -> Iterable[str]:
    """The metrics that an expression names."""
    selectors: list[str] = []

    def visit(node: ast.Expr) -> None:
        match node:
            case ast.VectorSelector():
                selectors.append(str(node.name))
            case ast.MatrixSelector():
                visit(node.vector_selector)
            case ast.Call():
                for argument in node.args:
                    visit(argument)
            case ast.ParenExpr() | ast.AggregateExpr():
                visit(node.expr)
            case ast.BinaryExpr():
                visit(node.lhs)
                visit(node.rhs)

    visit(ast.parse(expression))
    return selectors
