"""The interface of the place where access tokens are kept, so that the kit needs no database."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and the refresh token that came with it, if it is needed."""

    access: str = field(repr=False)
    seconds: float
    """Seconds until it expires: from now, or from when a store was read. Negative afterwards."""
    refresh: str | None = field(default=None, repr=False)
    made_with: str = ""
    """Keyed hash of the secrets with which it was got. It is stored with the token, so that after a change of the
    secrets no process uses a token of the old ones."""
    former: str | None = field(default=None, repr=False)
    """The refresh token before `refresh`, where the vendor still takes it if `refresh` turns out not to work."""


class TokenStore(Protocol):
    """The token of each stored credential, shared by all threads, processes and hosts.

    row: the id of the stored credential; for a credential without a row another text that is unique. holder: a random
    name of the one renewal that holds the lease. Times are those of the store's clock, since the hosts' clocks differ.
    Each method raises VendorError when the store does not answer.
    """

    def read(self, row: str) -> Token | None:
        """The token that was written last; None if there is none."""

    def lease(self, row: str, holder: str, seconds: float) -> bool:
        """Takes the right to renew the token, for so many seconds; False while another renewal has it. Raises Busy if
        the credential was deleted."""

    def write(self, row: str, holder: str, token: Token) -> bool:
        """Stores a renewed token and ends the lease; False, and stores nothing, if the lease is no longer the holder's
        or the credential was deleted."""

    def release(self, row: str, holder: str) -> None:
        """Ends the lease without a token, if the holder still has it."""

    def lost(self, row: str) -> None:
        """Notes that the vendor has refused the refresh token of a grant: its owner has to give consent again."""
