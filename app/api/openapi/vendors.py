"""The names of vendors in the schemas of /openapi.json."""

from collections.abc import Iterable
from typing import Any

from app.api.schemas.fields import VendorName
from app.virtual.plugin import VENDOR


def list_names(converter: Any, vendors: Iterable[str]) -> None:
    """Lists the names of vendors wherever a schema has one. For apispec's converter, before it meets a schema."""
    names = [*vendors, VENDOR]

    def enumerate_names(converter: Any, field: Any, **kwargs: Any) -> dict[str, Any]:
        return {"enum": names} if isinstance(field, VendorName) else {}

    converter.add_attribute_function(enumerate_names)
