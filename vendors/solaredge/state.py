"""State of SolarEdge's sites and devices: powers and charge of the newest bucket, and open alerts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from math import fsum

from vendors.kit import QUARTER, Bess, Client, Freshness, Level, Message, Messages, Site, hours
from vendors.kit.parsing.reading import (
    POWER_UNITS,
    Raw,
    charge_and_discharge,
    check_id,
    mapping,
    moment,
    optional_text,
)
from vendors.solaredge.records import is_full
from vendors.solaredge.series import CHARGE, PERCENT, PRODUCED, STEPS, buckets, resolution_of, values_of
from vendors.solaredge.telemetry import RESOLUTION_NAMES, Endpoint, call_windows, instant, read_series

POWERS = ("chargePower", "dischargePower")
FINEST = RESOLUTION_NAMES[Level.QUARTER]
ALERTS = "/v2/sites/{}/alerts"
ALERTS_PER_PAGE = 100
# Each page costs one of the month's credits.
MAX_ALERT_PAGES = 5
# The documented status of alerts that are not over. One without a status is open as well: only open ones are requested.
OPEN = "OPEN"


@dataclass(frozen=True, slots=True)
class BucketState:
    """State of a site, inverter or battery in one bucket: its end, mean powers, and the charge."""

    end: datetime
    power_kw: float | None = None
    charge_kw: float | None = None
    discharge_kw: float | None = None
    soc_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """An open alert of a site: its id, when it began, and the serial number of the device that raised it."""

    id: str
    began: datetime | None
    serial_number: str | None
    message: Message


def newest_states(
    client: Client, site: Site, endpoint: Endpoint, lag: timedelta, convert: Callable[[Raw], list[BucketState]]
) -> dict[str, BucketState]:
    """State in the newest bucket that is over and of which anything is known, by serial number."""
    window = next(call_windows(Level.QUARTER, client.now - lag - QUARTER, client.now, site.clock))
    start = instant(window[0], site.clock)

    def newest(series: Raw) -> BucketState | None:
        return next((state for state in reversed(convert(series)) if start < state.end <= client.now), None)

    states = read_series(client, site, endpoint, FINEST, window, newest)
    return {serial_number: state for serial_number, state in states.items() if state}


def to_solar_states(series: Raw) -> list[BucketState]:
    """Production of each bucket with an energy, as mean power."""
    rows = buckets(series, PRODUCED, fine_step(series, PRODUCED[0]))
    return [BucketState(row.end, row.kwh[0] / hours(row.end - row.start)) for row in rows if row.kwh is not None]


def to_battery_states(series: Raw) -> list[BucketState]:
    """State of a battery in each bucket of which anything is known."""
    charged, discharged = (values_of(mapping(series, member), POWER_UNITS) for member in POWERS)
    charge = values_of(mapping(series, CHARGE), PERCENT)
    step = fine_step(series, POWERS[0])
    return [
        BucketState(at + step, None, *net_powers(charged.get(at), discharged.get(at)), charge.get(at))
        for at in sorted({*charged, *discharged, *charge})
    ]


def fine_step(series: Raw, member: str) -> timedelta:
    """The length of buckets that are short enough for a state. Raises ValueError for days and longer ones."""
    resolution = resolution_of(series, member, FINEST)
    if resolution not in STEPS:
        raise ValueError("rows too long for a state")
    return STEPS[resolution]


def net_powers(charge_kw: float | None, discharge_kw: float | None) -> tuple[float | None, float | None]:
    """The difference of both means of a bucket in which a battery changed direction; unchanged where one is missing."""
    if charge_kw is None or discharge_kw is None:
        return charge_kw, discharge_kw
    return charge_and_discharge(charge_kw - discharge_kw)


def sum_kw(powers: Iterable[float | None]) -> float | None:
    """None where a power is unknown, or there is none."""
    all_powers = list(powers)
    known = [power for power in all_powers if power is not None]
    return fsum(known) if known and len(known) == len(all_powers) else None


def with_state(
    site: Site, solar: BucketState | None, storage: Mapping[str, BucketState], batteries: Sequence[str]
) -> Site:
    """The site with its production and the state of its batteries, all of the newest bucket."""
    stored = [storage[battery] for battery in batteries if battery in storage]
    newest = max((state.end for state in (solar, *stored) if state), default=None)
    # At night the buckets of production are null, while batteries go on.
    current = [state for state in stored if state.end == newest]
    # The flow of some batteries is not that of all batteries of the site.
    complete = current if len(current) == len(batteries) else []
    charge_kw, discharge_kw = net_powers(
        sum_kw(state.charge_kw for state in complete), sum_kw(state.discharge_kw for state in complete)
    )
    return replace(
        site,
        power_kw=solar.power_kw if solar and solar.end == newest else None,
        charge_kw=charge_kw,
        discharge_kw=discharge_kw,
        measured_at=newest,
        bess=Bess(soc_percent=complete[0].soc_percent if len(complete) == 1 else None) if batteries else None,
    )


def read_alerts(client: Client, site: Site, serial_number: str) -> Messages | None:
    """Open alerts of a device since its site's first day, or since the oldest alert that was read if the site has more
    than that. None where the site's first day is unknown."""
    if site.operational_since is None:
        return None
    alerts: dict[str, Alert] = {}
    for page in range(1, MAX_ALERT_PAGES + 1):
        params: dict[str, str | int] = {"only-open": "true", "alerts-in-page": ALERTS_PER_PAGE, "page": page}
        reply = client.get(ALERTS, site.vendor_id, params=params, freshness=Freshness.LIVE)
        rows_of_page = reply.rows(to=partial(to_alert, site.vendor_id))
        alerts |= {alert.id or f"{page}.{number}": alert for number, alert in enumerate(rows_of_page)}
        if not is_full(reply, ALERTS_PER_PAGE):
            start = site.operational_since
            break
    else:
        start = min((alert.began for alert in alerts.values() if alert.began), default=client.now)
    messages = tuple(alert.message for alert in alerts.values() if alert.serial_number == serial_number)
    return Messages(messages, start)


def to_alert(site: str, raw: Raw) -> Alert | None:
    """An open alert; None for one that is over. The meaning of its impact is not documented: all are warnings."""
    check_id(raw, "siteId", site)
    if (optional_text(raw, "status") or OPEN).upper() != OPEN:
        return None
    words = [optional_text(raw, "category"), optional_text(raw, "type")]
    return Alert(
        optional_text(raw, "alertId") or "",
        moment(raw, "firstTrigger") or moment(raw, "firstTriggered"),
        optional_text(mapping(raw, "component"), "serialNumber"),
        Message("warning", ": ".join(word for word in words if word) or "open alert"),
    )
