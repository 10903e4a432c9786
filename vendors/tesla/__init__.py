"""Tesla: the energy part of its Fleet API."""

from vendors.tesla.fleet import Tesla

__all__ = ["Tesla"]
