"""Kinds of members that several schemas have."""

from datetime import datetime
from typing import Any

import marshmallow as ma
from marshmallow.validate import Length


def printable(value: str) -> None:
    """Not as a pattern: that would stand in the document, where Python's dialect is not understood."""
    if not value.isprintable():
        raise ma.ValidationError("May not hold control characters.")


class WholeNumber(ma.fields.Integer):
    """Digits only; Python's int takes blanks and underscores as well."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not (isinstance(value, str) and value.isascii() and value.isdigit()):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


ID: list[Any] = [Length(1, 200), printable]


class Prepared(ma.fields.List[Any]):
    """A list whose rows are JSON already: documented like a list, passed on as it is.

    Ten thousand rows through a schema of their own would cost more than all the rest of the request.
    """

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


class Moment(ma.fields.Field[datetime]):
    """An ISO 8601 time, with an offset or on the site's clock. `+` may arrive as the blank that it means in a URL."""

    default_error_messages = {
        "invalid": "Must be an ISO 8601 time, such as 2026-06-01T00:00:00Z or 2026-06-01T00:00:00%2B02:00."
    }

    def __init__(self, **options: Any) -> None:
        # Not of the format date-time, which demands an offset.
        shape = {"type": "string", "example": "2026-06-01T00:00:00Z"}
        super().__init__(**options | {"metadata": shape | options.get("metadata", {})})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        day, t, clock = str(value).partition("T")
        try:
            return datetime.fromisoformat(day + t + clock.replace(" ", "+"))
        except ValueError:
            raise self.make_error("invalid") from None


class VendorName(ma.fields.String):
    """The name of a vendor. app.web.openapi lists those that this process knows."""


class Vendors(ma.fields.Dict):
    """Texts by the name of a vendor: `errors`."""

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
