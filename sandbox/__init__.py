"""Vendor clouds, played on loopback over one simulated fleet, each in its own dialect.

A dialect is one module (or package) in here that holds subclasses of `sandbox.dialect.Dialect`; it is found by
itself. `GET /` names every vendor's address and ready request headers.
"""

from sandbox.application import create_app
from sandbox.server import serve

__all__ = ["create_app", "serve"]
