"""Solis: the SolisCloud Platform API."""

from vendors.solis.api import Solis

__all__ = ["Solis"]
