"""The operations of an OpenAPI document, as the other modules of this package see them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Before the name of a vendor, in the name of the scheme for its credential.
VENDOR_SCHEME = "vendor-"


@dataclass(frozen=True)
class Operation:
    """An operation of the document. `members` is its object there, which callers may change."""

    method: str
    path: str
    members: dict[str, Any]
    parameters: Mapping[str, dict[str, Any]]

    @property
    def id(self) -> str:
        """The operation's name."""
        return str(self.members["operationId"])

    @property
    def needs_token(self) -> bool:
        """Whether a request must carry an access token."""
        return self.members.get("security") != []

    @property
    def reads_vendors(self) -> bool:
        """Whether vendors are called: the operation is under the document's own alternatives of security, or under
        the same with other scopes."""
        own = self.members.get("security")
        return own is None or any(name.startswith(VENDOR_SCHEME) for alternative in own for name in alternative)

    @property
    def is_virtual(self) -> bool:
        """Whether the operation is for clients of mode virtual only."""
        return self.path.startswith("/virtual/")

    @property
    def is_of_control(self) -> bool:
        """Whether the operation is on orders to batteries."""
        return "/battery-control" in self.path

    @property
    def is_of_credentials(self) -> bool:
        """Whether the operation is on what is stored encrypted: credentials, grants, and what asks for these."""
        return self.needs_token and self.path.startswith(("/vendor-credentials", "/grants", "/join/"))


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """All operations, with the parameters that they share with the others of their path."""
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        for method, members in item.items():
            if method != "parameters":
                parameters = [*shared, *members.get("parameters", [])]
                yield Operation(method, path, members, {parameter["name"]: parameter for parameter in parameters})
