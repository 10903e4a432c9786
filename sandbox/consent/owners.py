"""The owners of the fleet's sites."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True)
class Owner:
    """email: the name at the sign-in. sites: numbers of the fleet; None for all of them."""

    email: str
    sites: frozenset[int] | None = None

    @property
    def name(self) -> str:
        """The part of the address before the @."""
        return self.email.partition("@")[0]

    def owns(self, number: int) -> bool:
        """Whether the site with that number is the owner's."""
        return self.sites is None or number in self.sites


AnyOwner = TypeVar("AnyOwner", bound=Owner)


def email_of(number: int) -> str:
    """The address of the owner who has the fleet's site with that number, and no other."""
    return f"owner-{number}@example.com"


def owner_of(number: int) -> Owner:
    """The owner of the fleet's site with that number."""
    return Owner(email_of(number), frozenset({number}))


def by_email(owners: Iterable[AnyOwner]) -> dict[str, AnyOwner]:
    """The owners by address in lower case, since addresses are compared without case."""
    return {owner.email.lower(): owner for owner in owners}
