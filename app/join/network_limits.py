"""Limits on what one network does at one flow, whose link is public: a stranger must not use up what is its owners'."""

from app.auth.rate_limit import RateLimit
from app.join.failures import ConsentFailure, Reason
from app.join.source import Source, SourceKind
from app.storage.redis_ledger import SharedLedger

# Number and seconds: of attempts, and of e-mail addresses that are named.
ATTEMPTS = (100, 3600)
MAILS = (4, 86_400)


class NetworkLimits:
    """Counts attempts and addresses by flow and network. Sessions and renewals have ids that no stranger knows."""

    def __init__(self, ledger: SharedLedger | None) -> None:
        self._attempts = RateLimit("join-attempts", ATTEMPTS, ledger)
        self._mails = RateLimit("join-mails", MAILS, ledger)

    def count_attempt(self, source: Source, network: str) -> None:
        """Counts an attempt. Raises ConsentFailure at the limit."""
        _count(self._attempts, source, network)

    def count_mail(self, source: Source, network: str) -> None:
        """Counts an address. Raises ConsentFailure at the limit."""
        _count(self._mails, source, network)


def _count(limit: RateLimit, source: Source, network: str) -> None:
    if source.kind is SourceKind.FLOW and limit.count(f"{source.row}:{network}"):
        raise ConsentFailure(Reason.TOO_MANY)
