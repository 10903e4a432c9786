"""Orders, measurements and series from noon on, and the verdict on them."""

from datetime import UTC, datetime, timedelta

from app.control.verification import Flow, Proof, verdict
from vendors.kit.control import Command, Interval

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATENCY = timedelta(minutes=5)
RATING_KW = 5.0
VERIFIED, NOT_APPLIED, UNPROVEN = Proof


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def order(command=Command.DISCHARGE, start=0, end=60, **members):
    return Interval(command, at(start), at(end), **members)


def quarters(*kw, start=0, soc=None):
    """Quarters of an hour with these powers: positive discharges."""
    return [
        Flow(at(start + 15 * n), at(start + 15 * n + 15), max(-power, 0) / 4, max(power, 0) / 4, soc and soc[n])
        for n, power in enumerate(kw)
    ]


def judged(interval, readings=(), series=(), now=75, rating_kw=RATING_KW, latency=LATENCY):
    return verdict(interval, rating_kw, readings, series, latency, at(now))


def outcome(*args, **options):
    result = judged(*args, **options)
    return result and (result.state, result.rule)
