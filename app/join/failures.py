"""Reasons why a consent comes to nothing, as an owner's page and a company's redirect URI are informed."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.credentials.cipher import Unreadable
from app.web.problems import Problem
from vendors.kit import Forbidden, NotFound, Unauthorized, VendorError
from vendors.kit.errors import Refused

logger = structlog.stdlib.get_logger(__name__)

ACCESS_DENIED, SERVER_ERROR, UNAVAILABLE = "access_denied", "server_error", "temporarily_unavailable"


class Reason(StrEnum):
    """A reason; its value names the texts of the page. `error` is that of RFC 6749, section 4.1.2.1."""

    error: str
    sentence: str

    def __new__(cls, value: str, error: str, sentence: str) -> "Reason":
        """error, sentence: the members `error` and `error_description` for the company."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.error, member.sentence = error, sentence
        return member

    ENDED = "ended", ACCESS_DENIED, "The link has ended, was used, or was opened in another browser."
    CHANGED = "changed", "invalid_request", "The link is not complete, or was changed."
    OTHER_VENDOR = "other_vendor", "invalid_request", "The link is not for this vendor."
    DECLINED = "declined", ACCESS_DENIED, "The owner has refused."
    CODE_REFUSED = "code_refused", SERVER_ERROR, "The vendor has not confirmed the consent."
    KEYS_REFUSED = "keys_refused", ACCESS_DENIED, "The vendor does not accept the keys."
    VENDOR_DOWN = "vendor_down", UNAVAILABLE, "The vendor does not answer."
    TOO_MANY = "too_many", UNAVAILABLE, "There were too many attempts."
    NOT_KEPT = "not_kept", SERVER_ERROR, "The consent could not be kept."
    NOT_SET_UP = "not_set_up", SERVER_ERROR, "The credentials of the application are missing or unreadable."


class ConsentFailure(Exception):
    """A consent came to nothing."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@contextmanager
def failures() -> Iterator[None]:
    """Turns what a vendor or the database refuses into a ConsentFailure."""
    try:
        yield
    except (Unauthorized, Forbidden, NotFound, Refused) as error:
        logger.warning("consent refused by the vendor", code=error.code, why=error.why)
        raise ConsentFailure(Reason.CODE_REFUSED) from error
    except Unreadable as error:
        raise ConsentFailure(Reason.NOT_SET_UP) from error
    except VendorError as error:
        logger.warning("vendor failed during a consent", code=error.code, why=error.why)
        raise ConsentFailure(Reason.VENDOR_DOWN) from error
    except (Problem, SQLAlchemyError) as error:
        logger.error("consent not kept", why=getattr(error, "code", type(error).__name__))
        raise ConsentFailure(Reason.NOT_KEPT) from error
