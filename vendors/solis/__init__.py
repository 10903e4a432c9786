"""Solis: the SolisCloud Platform API."""

from vendors.solis.platform import Solis

__all__ = ["Solis"]
