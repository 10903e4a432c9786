"""Faults of the data: answers that are well-formed and wrong, in ways that were seen at the vendors.

`PUT /faults/<vendor> {"data": "fault-11"}` switches one on; the numbers are those of the list of faults that every
plugin has to stand, and each dialect has its own ways to show them. Others come by nature: stamps, zones, nights on
which clocks change, the sign of a battery, watts beside watt-hours.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

Json = Any
Change = Callable[[str, Json], None]
"""Changes an answer in place; the text is the path below the vendor's base."""
Rows = list[dict[str, Any]]

# On the site's clock: rows of these hours are missing, and at noon counters change.
GAP = (10, 13)
NOON = 12


def hour(row: dict[str, Any]) -> float:
    """The hour on the site's clock, by any of the members in which vendors write it."""
    text = row.get("time") or row.get("timestamp")
    at = datetime.fromisoformat(str(text)) if len(str(text)) > len("00:00:00") else None
    clock = at.time() if at else datetime.strptime(str(text), "%H:%M:%S").time()
    return clock.hour + clock.minute / 60


def doubled(rows: Rows, empty: dict[str, Any]) -> None:
    """Every third row is there before as well, without its values; and all are shuffled."""
    old = [row | {name: value for name, value in empty.items() if name in row} for row in rows[::3]]
    rows[:] = old[::-1] + rows[1::2] + rows[::2]


def in_gap(row: dict[str, Any]) -> bool:
    return GAP[0] < hour(row) <= GAP[1]
