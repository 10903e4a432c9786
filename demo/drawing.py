"""Text for the terminal: short answers, and energy by the hour as bars. Knows neither servers nor colours."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

EIGHTHS = " ▁▂▃▄▅▆▇█"
CHART_ROWS = 3


def bars(energies_kwh: Sequence[float], rows: int = CHART_ROWS) -> list[str]:
    """Bars of three columns each, the upper row first. Only no energy at all has no bar."""
    largest_kwh = max(energies_kwh, default=0.0) or 1.0
    eighths = [max(round(8 * rows * kwh / largest_kwh), int(kwh > 0)) for kwh in energies_kwh]
    return [
        " ".join(2 * EIGHTHS[min(max(height - 8 * row, 0), 8)] for height in eighths).rstrip()
        for row in reversed(range(rows))
    ]


def chart(intervals: Sequence[Mapping[str, Any]]) -> tuple[list[str], str]:
    """The energies of hours as bars, with the largest at the scale, and the axis of their hours on the site's clock."""
    energies_kwh = [interval["kwh"] for interval in intervals]
    scale = f"{max(energies_kwh, default=0.0):.1f} kWh"
    margin = " " * len(scale)
    first, *others = bars(energies_kwh)
    hours = " ".join(f"{datetime.fromisoformat(interval['start']).hour:02}" for interval in intervals)
    return [f"{scale} {first}", *(f"{margin} {row}" for row in others)], f"{margin} {hours}"


def short_json(answer: Mapping[str, Any], shown: Iterable[str], width: int) -> str:
    """The members `shown`, or all, and of each list the first item; on one line if it fits, else a line for each."""
    members = [f'"{name}": {_short(answer[name])}' for name in shown or answer]
    if len(members) < len(answer):
        members.append("...")
    line = f"{{{', '.join(members)}}}"
    return line if len(line) <= width else f"{{{f',{chr(10)} '.join(members)}}}"


def _short(value: Any) -> str:
    if not isinstance(value, list) or len(value) < 2:
        return json.dumps(value)
    return f"[{json.dumps(value[0])}, ... {len(value) - 1} more]"
