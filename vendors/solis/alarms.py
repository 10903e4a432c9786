"""Solis' alarms as the log of an inverter."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from vendors.kit import Client, Freshness, Message, Messages
from vendors.kit.parsing.reading import Raw, mapping, optional_text, positive, rows
from vendors.solis.records import check_ids, milliseconds

# Bound on the calls for a log: alarms on further pages are not read.
MAX_PAGES, PAGE_SIZE = 5, 100

LEVELS = {"1": "info", "2": "warning", "3": "error"}
# The `state` of an alarm that is over. "0" is pending; "1" is processed by a person, which does not end it.
RESTORED = "2"


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of one inverter. Ids are not unique (`-1`): equal alarms are one."""

    code: str
    began: datetime | None
    message: Message


def to_alarm(raw: Raw) -> Alarm:
    """An alarm with its text, or else its code. A restored alarm is an info, not a warning."""
    code = optional_text(raw, "alarmCode") or ""
    words = optional_text(raw, "alarmMsg") or f"alarm {code or 'without a code'}"
    level = LEVELS.get(optional_text(raw, "alarmLevel") or "", "warning")
    is_over = optional_text(raw, "state") == RESTORED
    message = Message("info", f"{words} (restored)") if is_over else Message(level, words)
    return Alarm(code, milliseconds(raw, "alarmBeginTime"), message)


def read_log(client: Client, serial: str, since: datetime | None) -> Messages | None:
    """The newest alarms of an inverter.

    The log begins on the first day of the site if all alarms were read, else with the oldest that was; None where
    neither is known.
    """
    alarms: dict[Alarm, None] = {}
    for page in range(1, MAX_PAGES + 1):
        of_page, is_last, total = read_page(client, serial, page)
        alarms |= dict.fromkeys(of_page)
        if is_last:
            break
    is_whole = is_last if total is None else len(alarms) >= total
    start = since if is_whole else None
    start = start or min((alarm.began for alarm in alarms if alarm.began), default=None)
    return None if start is None else Messages(tuple(alarm.message for alarm in alarms), start)


def read_page(client: Client, serial: str, page: int) -> tuple[list[Alarm], bool, float | None]:
    """Alarms of a page, whether it is the last, and the least number of alarms in all; None where that is unknown.

    Without alarms the rows may be missing, or all of `data`. A full page without counters above 0 may not be the last;
    unreadable rows count as well.
    """
    body = {"pageNo": page, "pageSize": PAGE_SIZE, "alarmDeviceSn": serial}
    reply = client.post_read("/v1/api/alarmList", body=body, freshness=Freshness.TODAY)
    data = reply.record(lambda raw: mapping(raw, "data"))
    raws = reply.record(lambda _: rows(data, "records", optional=True))
    reply.record(lambda _: check_ids(raws, "alarmDeviceSn", serial))
    alarms = reply.rows("data", "records", to=to_alarm) if raws else []
    total, pages = positive(data, "total"), positive(data, "pages")
    if pages is None and total is not None:
        pages = ceil(total / PAGE_SIZE)
    if total is None and pages is not None:
        total = (pages - 1) * PAGE_SIZE + 1  # at least
    is_last = not raws or (len(raws) < PAGE_SIZE if pages is None else page >= pages)
    return alarms, is_last, total
