"""Fields and validators that several schemas use."""

from datetime import datetime
from typing import Any

import marshmallow as ma
from marshmallow.validate import Length


def printable(value: str) -> None:
    """Refuses control characters. Not a pattern: that would appear in the document, in Python's dialect."""
    if not value.isprintable():
        raise ma.ValidationError("May not hold control characters.")


class WholeNumber(ma.fields.Integer):
    """An integer of digits only; Python's int also accepts blanks and underscores."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not (isinstance(value, str) and value.isascii() and value.isdigit()):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


ID: list[Any] = [Length(1, 200), printable]


class Prepared(ma.fields.List[Any]):
    """A list whose rows are already in JSON form: documented like a list, passed on unchanged.

    Serialising ten thousand rows by a schema would cost more than the rest of the request.
    """

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


class Moment(ma.fields.Field[datetime]):
    """An ISO 8601 time, with an offset or on the site's clock. A `+` that was not encoded arrives as a blank."""

    default_error_messages = {
        "invalid": "Must be an ISO 8601 time, such as 2026-06-01T00:00:00Z or 2026-06-01T00:00:00%2B02:00."
    }

    def __init__(self, **options: Any) -> None:
        # Without the format date-time, which demands an offset.
        shape = {"type": "string", "example": "2026-06-01T00:00:00Z"}
        super().__init__(**options | {"metadata": shape | options.get("metadata", {})})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        day, t, clock = str(value).partition("T")
        try:
            return datetime.fromisoformat(day + t + clock.replace(" ", "+"))
        except ValueError:
            raise self.make_error("invalid") from None


class VendorName(ma.fields.String):
    """The name of a vendor. app.api.openapi lists the names that this process knows."""


class VendorErrors(ma.fields.Dict):
    """`errors`: a text for each vendor that failed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            ma.fields.String(),
            ma.fields.String(
                metadata={"example": "Unauthorized: https://www.soliscloud.com:13333/v1/api/inverterList"}
            ),
            metadata={"description": "Vendor to what went wrong there. Empty when all is well."},
            **options,
        )


class ResponseSchema(ma.Schema):
    """A JSON object in a response. Clients ignore members that later versions add."""

    class Meta:
        unknown = ma.INCLUDE
