"""The SolisCloud platform API V2.0: signed POSTs with JSON bodies, errors inside answers of status 200."""

from sandbox.solis.dialect import Solis

__all__ = ["Solis"]
