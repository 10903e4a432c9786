"""Names that the server chooses for sites and devices that were made without any."""

import pytest

from app.virtual.new import default_name
from tests.app.virtual.support import DEVICES, KINDS

LABELS = {"sites": "Site", "solar-inverters": "Solar inverter", "batteries": "Battery"}


@pytest.fixture
def site(virtual):
    """The id of a site."""
    return virtual.create("sites", name="home")["id"]


def create(virtual, path, site, **body):
    return virtual.create(path, **body if path == "sites" else body | {"siteID": site})


@pytest.mark.databases
def test_devices_are_numbered_by_kind(virtual, site):
    for number in (1, 2, 3):
        for path in DEVICES:
            assert create(virtual, path, site)["name"] == f"{LABELS[path]} {number}"


@pytest.mark.parametrize("path", KINDS)
def test_no_name_is_given_while_another_has_it(virtual, site, path):
    label = LABELS[path]
    first = 2 if path == "sites" else 1  # A site is there already.
    ids = [create(virtual, path, site)["id"] for _ in range(3)]
    assert virtual.delete(f"{path}/{ids[0]}") == 204
    assert create(virtual, path, site)["name"] == f"{label} {first + 3}"
    create(virtual, path, site, name=f"{label} {first + 4}")
    assert create(virtual, path, site)["name"] == f"{label} {first + 5}"


def test_the_names_of_other_clients_and_kinds_do_not_count(virtual, other, site):
    for path in KINDS:
        other.create(path, name=f"{LABELS[path]} 1")
    virtual.create("solar-inverters", siteID=site, name="Battery 1")
    assert virtual.create("batteries", siteID=site)["name"] == "Battery 1"


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ((), "Site 1"),
        (("Home",), "Site 2"),
        (("Site 1", "Site 3"), "Site 4"),
        (("Site 2", "Site 3"), "Site 4"),
        (("Site 02", "site 3", "Site 4 "), "Site 4"),
    ],
)
def test_the_number_goes_on_from_the_count_of_names(names, chosen):
    assert default_name("Site", set(names)) == chosen
