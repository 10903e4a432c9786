"""Finds the dialects in the modules and packages of `sandbox`."""

import importlib
import inspect
import pkgutil

from sandbox.dialect import Dialect

PACKAGE = "sandbox"


def discover() -> dict[str, type[Dialect]]:
    """Every dialect that has a vendor's name, sorted by that name."""
    dialects: dict[str, type[Dialect]] = {}
    for module in pkgutil.iter_modules(importlib.import_module(PACKAGE).__path__):
        for member in vars(importlib.import_module(f"{PACKAGE}.{module.name}")).values():
            if inspect.isclass(member) and issubclass(member, Dialect) and hasattr(member, "vendor"):
                dialects[member.vendor] = member
    return dict(sorted(dialects.items()))
