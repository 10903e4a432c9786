"""Programs, systems and documented errors of Enphase's Grid Services API."""

import json
from pathlib import Path

from tests.vendors.support import BASE, open_vendor
from vendors.kit.calls.sweep import Sweep

HERE = Path(__file__).parent
PROGRAMS = f"{BASE}/api/v1/programs"
SEARCH = f"{BASE}/api/v1/systems/search"
ERRORS = [
    (error["status"], error["body"])
    for error in json.loads((HERE / "errors.json").read_text())
    if isinstance(error["body"], dict)
]


def systems(*ids):
    return {"total": len(ids), "systems": [{"system_id": id} for id in ids]}


def programs(*ids):
    return {"total_count": len(ids), "programs": [{"program_id": id} for id in ids]}


def swept(read="sites"):
    sweep = Sweep(open_vendor("enphasevpp"))
    sweep.run(lambda vendor: getattr(vendor, read)())
    return sweep


def error_of(text, status=None):
    """Status and body of the documented error whose message begins with the text."""
    for documented, body in ERRORS:
        message = str(body.get("displayMessage") or body.get("message"))
        if message.startswith(text) and status in (None, documented):
            return documented, body
    raise AssertionError(f"no documented error begins with {text!r}")
