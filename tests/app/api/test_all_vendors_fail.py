"""Lists while every vendor fails: 200 with an entry for each vendor, and never an empty list without one."""

import re

import pytest

from tests.app.support import ALL, SMA, SOLAREDGE, SOLIS, V2


@pytest.fixture
def outage(network):
    """All three vendors answer 500."""
    for base in (SMA, SOLIS, SOLAREDGE):
        for method in ("GET", "POST"):
            network.add(method, re.compile(f"{re.escape(base)}/.*"), status=500)


@pytest.mark.parametrize("path", ["/sites", "/solar-inverters", "/batteries"])
@pytest.mark.parametrize("version", [{}, V2], ids=["v1", "v2024-09-01"])
def test_a_list_has_an_entry_for_each_vendor_when_all_vendors_fail(get, outage, path, version):
    """Promise 2."""
    answer = get(path, headers=ALL | version)
    assert answer.status_code == 200
    (name,) = set(answer.json) - {"errors", "errorDetails", "nextPageToken"}
    assert answer.json[name] == []
    assert set(answer.json["errors"]) == {"sma", "solis", "solaredge"}
    assert all(text.startswith("Bad Gateway: https://") for text in answer.json["errors"].values())
