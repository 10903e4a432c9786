"""Finds the vendor plugins: the modules next to `kit`, and packages with an entry point in `derapi.vendors`."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points

import vendors
from vendors.kit.vendor import Vendor

GROUP = "derapi.vendors"


class NameTaken(Exception):
    """Two plugins claim one vendor name."""


def discover() -> dict[str, type[Vendor]]:
    """Vendor name -> plugin class, in alphabetical order. Raises NameTaken."""
    plugins: dict[str, type[Vendor]] = {}
    for plugin in [*_own(), *_third_party()]:
        for name in plugin.hosts:
            if name in plugins:
                raise NameTaken(
                    f"the vendor name {name!r} is claimed by {plugins[name].__module__} and by "
                    f"{plugin.__module__}: uninstall one of them"
                )
            plugins[name] = plugin
    return dict(sorted(plugins.items()))


def _own() -> Iterator[type[Vendor]]:
    """From the folder, not from package metadata: on Heroku the project itself is not installed."""
    for module_info in pkgutil.iter_modules(vendors.__path__):
        if module_info.name == "kit":
            continue
        module = importlib.import_module(f"vendors.{module_info.name}")
        for _, plugin in inspect.getmembers(module, inspect.isclass):
            if issubclass(plugin, Vendor) and plugin.__module__.startswith(module.__name__) and plugin.hosts:
                yield plugin


@cache
def _third_party() -> tuple[type[Vendor], ...]:
    """Looked up once: the metadata of all installed packages are read for it, which takes some 20 ms."""
    return tuple(entry_point.load() for entry_point in entry_points(group=GROUP))
