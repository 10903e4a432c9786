"""Faults of the data: answers that are well-formed and wrong, in ways that were seen at real vendors.

`PUT /faults/<vendor> {"data": "fault-11"}` switches one on; a number means the same fault at every
vendor, and each dialect shows it in its own way. Other faults need no
switch, since they are in the data of every day: stamps, time zones, nights on which clocks change, the sign of a
battery, watts next to watt-hours.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

Json = Any
Change = Callable[[str, Json], None]
"""Changes an answer in place; the text is the path below the vendor's base."""
Rows = list[dict[str, Any]]

# Hours of the site's clock: between the first two no rows exist, and at noon counters change.
GAP = (10, 13)
NOON = 12


def hour(row: dict[str, Any]) -> float:
    """The hour on the site's clock, read from whichever member the vendor writes it in."""
    text = row.get("time") or row.get("timestamp")
    at = datetime.fromisoformat(str(text)) if len(str(text)) > len("00:00:00") else None
    clock = at.time() if at else datetime.strptime(str(text), "%H:%M:%S").time()
    return clock.hour + clock.minute / 60


def doubled(rows: Rows, empty: dict[str, Any]) -> None:
    """Adds every third row once more, before the others and with empty values, and shuffles all rows."""
    old = [row | {name: value for name, value in empty.items() if name in row} for row in rows[::3]]
    rows[:] = old[::-1] + rows[1::2] + rows[::2]


def in_gap(row: dict[str, Any]) -> bool:
    return GAP[0] < hour(row) <= GAP[1]
