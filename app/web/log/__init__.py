"""The log on stderr: JSON lines, or columns on a terminal; never a secret, and one line for one event."""

from app.web.log.format import configuration, configure
from app.web.log.redaction import HIDDEN, conceal, disclose
from app.web.log.request_line import RequestLines, note_failures
from app.web.log.vendor_calls import log_vendor_call

__all__ = [
    "HIDDEN",
    "RequestLines",
    "conceal",
    "configuration",
    "configure",
    "disclose",
    "log_vendor_call",
    "note_failures",
]
