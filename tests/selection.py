"""The cases that `make test` leaves to `make test-all`, and those that are left to `make soak`."""

from collections import Counter

import pytest

# A test of more cases than the first number counts as marked `one_in` the second, unless it names a number itself. The
# first line that fits counts.
MANY_CASES = ((12, 6), (4, 3), (1, 2))
# Of a test of more cases than this, three of four that `make test` leaves out are left to `make soak`.
VERY_MANY_CASES = 30


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks cases as exhaustive or soak. A number that has no factor in common with the numbers of a test's parameters
    meets all their values in turn."""
    cases = Counter(map(_test_of, items))
    seen: Counter[str] = Counter()
    for item in items:
        test = _test_of(item)
        mark = item.get_closest_marker("one_in")
        number = mark.args[0] if mark else _one_in(cases[test])
        if seen[test] % number:
            is_soak = cases[test] > VERY_MANY_CASES and seen[test] % 4
            item.add_marker("soak" if is_soak else "exhaustive")
        seen[test] += 1


def _one_in(cases: int) -> int:
    return next((number for more_than, number in MANY_CASES if cases > more_than), 1)


def _test_of(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]
