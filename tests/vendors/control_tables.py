"""`tests/vendors/<vendor>/control.json`: what a plugin's battery control must do, in the terms of the kit."""

import json
from datetime import datetime
from functools import reduce
from operator import getitem

import pytest

from tests.vendors.cases import HERE
from vendors.kit import CannotExpress, Command, EventState, Priority, VendorError
from vendors.kit.registry import discover

TABLES = {
    table["name"]: table for path in sorted(HERE.glob("*/control.json")) for table in [json.loads(path.read_text())]
}
PLUGINS = discover()
READERS = {
    "start": datetime.fromisoformat,
    "end": datetime.fromisoformat,
    "command": Command,
    "priority": Priority,
    "state": EventState,
}
each_table = pytest.mark.parametrize("table", list(TABLES.values()), ids=list(TABLES))


def params_of(*path):
    """A case for each item of a list in the tables."""
    lists = [(name, table, reduce(getitem, path, table)) for name, table in TABLES.items()]
    return [pytest.param(table, item, id=f"{name}-{n}") for name, table, items in lists for n, item in enumerate(items)]


def read(kind, members):
    """An object of the kit from its JSON."""
    return kind(**{name: READERS.get(name, lambda value: value)(value) for name, value in members.items()})


def now_of(table):
    return datetime.fromisoformat(table["now"])


def outcome(call):
    """The result of a call, or the error that it raises."""
    try:
        return call()
    except (CannotExpress, VendorError) as error:
        return error
