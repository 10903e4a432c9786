"""Decides whether a battery has carried out an order, from what was measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.control.expectation import TOLERANCE, Expectation, Rule
from app.control.measured import HOUR, Bounds, Flow, Reading, charges, throughput
from vendors.kit.control import Interval

__all__ = ["Flow", "Proof", "Reading", "Rule", "Verdict", "verdict"]

MINUTE = timedelta(minutes=1)
# By how much the power may change from one interval of the series to the next.
CHANGE = 1.25
# How long after its end an order waits for the rest of the series.
SERIES_PATIENCE = timedelta(hours=24)


class Proof(StrEnum):
    """How an order was carried out."""

    VERIFIED = "verified"
    NOT_APPLIED = "not-applied"
    UNPROVEN = "unproven"
    """Too little was measured to say."""


@dataclass(frozen=True)
class Verdict:
    """The state of an order's proof, the rule that decided it, and the numbers that it was decided from."""

    state: Proof
    rule: Rule
    numbers: Mapping[str, float | str | None]
    is_final: bool = True
    """False while the order runs: it is carried out so far, and what follows may still show otherwise."""


def verdict(
    interval: Interval,
    rating_kw: float | None,
    readings: Sequence[Reading],
    series: Sequence[Flow] | None,
    latency: timedelta,
    now: datetime,
) -> Verdict | None:
    """The verdict on an order; None while it cannot be given. series: None if the vendor has none, empty if it has none
    yet. latency: the longest time from the start until the power can be measured."""
    order = Expectation(interval, rating_kw, latency)
    during = [reading for reading in readings if interval.start <= reading.at <= interval.end]
    # A flow that has not ended grows.
    ended = [flow for flow in series or () if flow.end <= now]
    flows = [flow for flow in ended if order.window.of(flow)]
    before = max((flow for flow in ended if flow.end <= interval.start), key=lambda flow: flow.end, default=None)
    evidence = _Evidence(order, sorted(during, key=lambda reading: reading.at), flows, before, series is not None)
    if now < interval.end:
        return evidence.so_far()
    by_series = evidence.by_series()
    if by_series is not None:
        return by_series
    is_awaited = series is not None and evidence.uncovered and now < interval.end + SERIES_PATIENCE
    return None if is_awaited else evidence.by_readings()


@dataclass(frozen=True)
class _Evidence:
    """The measurements of an order, and the verdicts that they permit."""

    order: Expectation
    readings: Sequence[Reading]
    """In the order of their times."""
    flows: Sequence[Flow]
    before: Flow | None
    """The last one before the order."""
    has_series: bool

    @property
    def uncovered(self) -> timedelta:
        """How much of the order the series does not show."""
        return self.order.window.uncovered(self.flows)

    def so_far(self) -> Verdict | None:
        """The verdict while the order runs: by the last reading, and not final."""
        settled = self.order.settled.start
        # Rest before the order has been taken looks like rest that was ordered.
        last = self.readings[-1] if self.readings else None
        if last is None or not self.order.is_right(last) or (self.order.rule is not Rule.ENERGY and last.at < settled):
            return None
        return self._verdict(Proof.VERIFIED, self._rule_of(last), last, is_final=False)

    def by_series(self) -> Verdict | None:
        """The verdict by what flowed; None if that leaves it open."""
        if self._is_overrun():
            return self._verdict(Proof.NOT_APPLIED, Rule.LIMIT)
        if self.order.rule is Rule.ENERGY:
            return self._by_energy()
        wrong = throughput if self.order.rule is Rule.IDLE else self.order.against
        return self._by_rest(wrong, self.order.rule)

    def _by_energy(self) -> Verdict | None:
        net, ordered = self._net, self.order.kwh(self.order.window.start)
        most = ordered * (1 + TOLERANCE)
        if net.low_kwh > most:
            return self._verdict(Proof.NOT_APPLIED, Rule.ENERGY)
        if net.low_kwh >= ordered * (1 - TOLERANCE):
            if net.high_kwh <= most:
                return self._verdict(Proof.VERIFIED, Rule.ENERGY)
            return self._verdict(Proof.VERIFIED, Rule.POWER) if self._is_shown else None
        if net.high_kwh >= self._least_kwh:
            return self._verdict(Proof.VERIFIED, Rule.POWER) if self._is_shown else None
        return self._short()

    def _short(self) -> Verdict | None:
        """The verdict where less has flowed than was ordered: at its limit a battery rests."""
        order = self.order
        socs = self._socs
        if socs and order.is_at_limit(socs[-1]):
            return self._by_rest(order.against, Rule.LIMIT)
        if socs or order.interval.limit_percent is None:
            return self._verdict(Proof.NOT_APPLIED, Rule.ENERGY)
        # It may have reached its limit unseen.
        return None if self.uncovered else self._verdict(Proof.UNPROVEN, Rule.LIMIT)

    def _by_rest(self, wrong: Callable[[Flow], float], rule: Rule) -> Verdict | None:
        """The verdict by energy that must not flow, looked at in each interval of the series."""
        order = self.order
        parts = list(order.settled.parts(self.flows, wrong, order.rating_kw))
        if any(part.low_kwh > order.rest_kw * part.hours for part in parts):
            return self._verdict(Proof.NOT_APPLIED, rule)
        # What flowed during a part of the first or the last flow may have flowed outside.
        whole = order.settled.whole(self.flows)
        is_rest = all(part.high_kwh <= order.rest_kw * part.hours for part in parts)
        is_shown = bool(whole) and all(wrong(flow) <= order.rest_kw * flow.hours for flow in whole)
        is_proven = is_rest or (is_shown and self._came_to_rest(wrong))
        return self._verdict(Proof.VERIFIED, rule) if is_proven else None

    def _came_to_rest(self, wrong: Callable[[Flow], float]) -> bool:
        """Whether what must not flow can have ended with the latency: not if more flowed then than at the power before
        the order. A battery that went on, and came to rest by itself soon after, has not obeyed."""
        order, before = self.order, self.before
        first = next((flow for flow in self.flows if flow.start < order.settled.start < flow.end), None)
        if first is None:
            return True
        if before is None:
            return False
        outside, inside = first.hours - order.settled.of(first) / HOUR, order.settled.of(first) / HOUR
        kw = CHANGE * wrong(before) / before.hours + order.rest_kw
        return wrong(first) <= kw * outside + order.rest_kw * inside

    def by_readings(self) -> Verdict:
        """The verdict by single measurements, where the series leaves it open or there is none.

        A vendor with a series may report means over its intervals, which are wrong around a change of power."""
        order = self.order
        for reading in self.readings:
            if reading.at >= order.settled.start and not order.is_right(reading) and not self.has_series:
                return self._verdict(Proof.NOT_APPLIED, self._rule_of(reading), reading)
        if first := self._first_in_time:
            return self._verdict(Proof.VERIFIED, self._rule_of(first), first)
        return self._verdict(Proof.UNPROVEN, Rule.UNSEEN)

    def _rule_of(self, reading: Reading) -> Rule:
        if self.order.rule is not Rule.ENERGY:
            return self.order.rule
        return Rule.LIMIT if self.order.is_at_limit(reading.soc_percent) else Rule.POWER

    @property
    def _first_in_time(self) -> Reading | None:
        """The first reading that shows the order taken in time."""
        in_time = (reading for reading in self.readings if reading.at <= self.order.in_time)
        return next(filter(self.order.is_right, in_time), None)

    @property
    def _is_shown(self) -> bool:
        """Whether each flow inside the order has the ordered power on average, there are such flows, and before and
        after them enough has flowed as well. What is more there than was ordered makes up for nothing."""
        order, window = self.order, self.order.settled
        whole = window.whole(self.flows)
        expected = ((order.kw * flow.hours, order.along(flow) - order.against(flow)) for flow in whole)
        if not whole or any(abs(kwh - flowed) > kwh * TOLERANCE for kwh, flowed in expected):
            return False
        parts = window.parts(self.flows, order.along, order.rating_kw)
        enough = sum(min(part.high_kwh, order.kw * part.hours) for part in parts)
        return enough >= order.kw * window.hours * (1 - TOLERANCE)

    @property
    def _least_kwh(self) -> float:
        """Less energy is a failure: from the time on at which the ordered power was measured, none may be missing."""
        first, settled = self._first_in_time, self.order.settled.start
        since = first.at if first else self.order.window.start
        return self.order.kwh(max(since, settled) if self._is_shown else since) * (1 - TOLERANCE)

    @property
    def _net(self) -> Bounds:
        """The energy in the ordered direction, less that in the opposite one."""
        order = self.order
        along, against = (order.window.total(self.flows, way, order.rating_kw) for way in (order.along, order.against))
        return along.minus(against)

    @property
    def _socs(self) -> list[float]:
        return [soc for _, soc in charges(self.readings, self.flows, self.order.window)]

    def _is_overrun(self) -> bool:
        """Whether the battery went on beyond the limit of charge that was ordered."""
        order = self.order
        if not any(map(order.is_beyond, self._socs)):
            return False
        along = order.window.total(self.flows, order.along, order.rating_kw)
        return along.low_kwh > order.rest_kw * along.hours

    def _verdict(self, state: Proof, rule: Rule, reading: Reading | None = None, is_final: bool = True) -> Verdict:
        order, net, socs = self.order, self._net, self._socs
        numbers: dict[str, float | str | None] = {
            "ordered_kw": order.interval.kw,
            "rating_kw": order.rating_kw,
            "expected_kw": order.kw if order.rule is Rule.ENERGY else None,
            "rest_kw": order.rest_kw,
            "limit_percent": order.interval.limit_percent,
            "soc_percent": socs[-1] if socs else None,
        }
        if self.flows:
            against = order.window.total(self.flows, order.against, order.rating_kw)
            numbers |= {
                "expected_kwh": order.kwh(order.window.start) if order.rule is Rule.ENERGY else None,
                "least_kwh": net.low_kwh,
                "most_kwh": net.high_kwh,
                "opposite_kwh": against.high_kwh,
                "unseen_minutes": self.uncovered / MINUTE,
                "whole_minutes": 60 * sum(flow.hours for flow in order.settled.whole(self.flows)),
            }
        if reading is not None:
            numbers |= {"measured_kw": reading.kw, "measured_at": reading.at.isoformat()}
        return Verdict(state, rule, {name: _rounded(number) for name, number in numbers.items()}, is_final)


def _rounded(number: float | str | None) -> float | str | None:
    """Without the digits that only binary fractions have, and without infinity, which JSON lacks."""
    if isinstance(number, float):
        return round(number, 4) if abs(number) != float("inf") else None
    return number
