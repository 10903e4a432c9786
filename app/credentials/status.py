"""Status of a grant."""

from enum import StrEnum


class Status(StrEnum):
    """Whether a grant opens its vendor: only an active one does.

    PENDING to REVOKED are the states of a consent by e-mail as the vendor reports them.
    """

    ACTIVE = "active"
    NEEDS_CONSENT = "needs_consent"
    PENDING = "pending"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REVOKED = "revoked"


# Of a consent by e-mail, for as long as the owner has not given it.
UNGIVEN = Status.PENDING, Status.REJECTED, Status.EXPIRED
