"""What `make test` leaves to `make test-all`."""

from collections import Counter

import pytest


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what `one_in` leaves out of `make test`. A number that has no factor in common with the numbers of a test's
    parameters meets all their values in turn."""
    seen: Counter[str] = Counter()
    for item in items:
        mark = item.get_closest_marker("one_in")
        if mark:
            test = item.nodeid.partition("[")[0]
            if seen[test] % mark.args[0]:
                item.add_marker("exhaustive")
            seen[test] += 1
