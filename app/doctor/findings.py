"""Results of checks, and the whole that they amount to."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """The worst last. `SKIPPED`: not checked, since it is not in use, not there yet, or depends on
    something that failed."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAULT = "fault"


# 2 is click's, for a wrong option.
EXIT_CODES = {Outcome.OK: 0, Outcome.SKIPPED: 0, Outcome.WARNING: 3, Outcome.FAULT: 1}


@dataclass(frozen=True, slots=True)
class Finding:
    """One row. `subject`: the part that was checked; `action`: what to do next, empty if nothing."""

    check: str
    subject: str
    outcome: Outcome
    detail: str
    action: str = ""


def worst(findings: Iterable[Finding]) -> Outcome:
    """The outcome of the whole: that of its worst row; a skipped row is no fault."""
    outcome = max((finding.outcome for finding in findings), key=list(Outcome).index, default=Outcome.OK)
    return Outcome.OK if outcome is Outcome.SKIPPED else outcome


def as_json(findings: Iterable[Finding]) -> Mapping[str, Any]:
    """All rows, for programs."""
    rows = [asdict(finding) for finding in findings]
    return {"result": worst(Finding(**row) for row in rows), "findings": rows}


def as_table(findings: Iterable[Finding]) -> str:
    """All rows, for people: aligned, each action on a line below its row."""
    rows = [(finding, (finding.outcome.upper(), finding.check, finding.subject)) for finding in findings]
    widths = [max(len(cells[column]) for _, cells in rows) for column in range(3)]
    lines = []
    for finding, cells in rows:
        start = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        lines.append(f"{start}  {finding.detail}")
        if finding.action:
            lines.append(f"{'':{len(start)}}  -> {finding.action}")
    return "\n".join(lines)
