"""A call to a vendor before it is sent, and its complete reply."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from vendors.kit.errors import bounded
from vendors.kit.parsing.projection import Shape


@dataclass(slots=True)
class Request:
    """One call before it is sent; a plugin's `sign` may add headers.

    `path` is the path below the base URL, which vendors with signatures sign; `query` begins with `?`.
    """

    method: str
    base: str
    path: str
    query: str = field(default="", repr=False)
    body: bytes | None = field(default=None, repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    only: Shape | None = None
    """The members of the reply that are read; None for all."""
    template: str = ""
    """The path with `{}` in place of ids, for the log."""
    has_private_path: bool = False
    """Whether the path holds what no error may show, so that the template stands in its place."""
    is_single_use: bool = False
    """Whether the vendor must not get it twice: it changes something there, or uses a code up."""
    attempt: int = 1
    token: str = field(init=False, default="", repr=False)
    """The access token with which it was signed, if the service gets the tokens of its credential."""
    is_sent: bool = field(init=False, default=False)
    """Whether an exchange has begun."""
    url: str = field(init=False, repr=False)
    shown_url: str = field(init=False)
    """The URL without its query, fit for errors and logs."""

    def __post_init__(self) -> None:
        self.shown_url = self.base + (self.template if self.has_private_path else self.path)
        self.url = self.base + self.path + self.query


@dataclass(slots=True)
class RawReply:
    """A complete reply: status, headers (case-insensitive) and decoded body. It is shared, so never changed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str
    seconds: float = 0.0
    """Duration of the call."""

    @property
    def retry_after(self) -> float | None:
        """Seconds from the Retry-After header, which may be a number or a date; None without the header and for a time
        in the past."""
        value = self.headers.get("retry-after", "").strip()
        try:
            return bounded(float(value)) if value else None
        except ValueError:
            pass
        try:
            return bounded(parsedate_to_datetime(value).timestamp() - time.time())
        except (ValueError, TypeError, OverflowError):
            return None
