"""Tesla: the energy part of its Fleet API."""

from vendors.tesla.api import Tesla

__all__ = ["Tesla"]
