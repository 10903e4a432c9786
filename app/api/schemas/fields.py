"""Fields and validators that several schemas use."""

from datetime import UTC, datetime
from math import ceil
from typing import Any
from unicodedata import category

import marshmallow as ma
from marshmallow.validate import Length

# Control characters, half characters, and the separators of lines and paragraphs.
REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
# The same for the document, in the dialect of JSON Schema; JSON has no half characters.
PATTERN = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"


def no_control_characters(value: str) -> None:
    """Refuses control characters. In contrast to `isprintable`, emoji and all blanks pass."""
    if any(category(character) in REFUSED for character in value):
        raise ma.ValidationError("May not hold control characters.")


class Text(ma.fields.String):
    """A text of 1 to `longest` characters, none of them a control character."""

    def __init__(self, longest: int = 200, **options: Any) -> None:
        metadata = {"pattern": PATTERN} | options.pop("metadata", {})
        super().__init__(validate=[Length(1, longest), no_control_characters], metadata=metadata, **options)


class Flag(ma.fields.Boolean):
    """true or false, spelled so; marshmallow's field also takes 1, yes and on."""

    truthy = {"true", True}
    falsy = {"false", False}


class WholeNumber(ma.fields.Integer):
    """An integer of digits only; Python's int also accepts blanks and underscores."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not (isinstance(value, str) and value.isascii() and value.isdigit()):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Prepared(ma.fields.List[Any]):
    """A list whose rows are already in JSON form: documented like a list, passed on unchanged.

    Serialising ten thousand rows by a schema would cost more than the rest of the request.
    """

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


# The format date-time demands an offset.
TIME_FORMS = [
    {"format": "date-time"},
    {"format": "date"},
    {"pattern": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"},
]


class Moment(ma.fields.Field[datetime]):
    """An ISO 8601 time, with an offset or on the site's clock. A `+` that was not encoded arrives as a blank."""

    default_error_messages = {
        "invalid": "Must be an ISO 8601 time, such as 2026-06-01T00:00:00Z or 2026-06-01T00:00:00%2B02:00."
    }

    def __init__(self, **options: Any) -> None:
        shape = {"type": "string", "example": "2026-06-01T00:00:00Z", "anyOf": TIME_FORMS}
        super().__init__(**options | {"metadata": shape | options.get("metadata", {})})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        day, t, clock = str(value).partition("T")
        try:
            return datetime.fromisoformat(day + t + clock.replace(" ", "+"))
        except ValueError:
            raise self.make_error("invalid") from None


class EpochTime(ma.fields.AwareDateTime):
    """A time in UTC, from epoch seconds. Rounded up, so that a client that comes back then is not too early."""

    def _serialize(  # type: ignore[override]
        self, value: float | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> str | float | None:
        time = None if value is None else datetime.fromtimestamp(ceil(value), UTC)
        return super()._serialize(time, attr, obj, **kwargs)


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
