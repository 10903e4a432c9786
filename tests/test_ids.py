"""Public ids: distinct, and the same in every process and version as long as ID_KEY is the same."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sandbox
from app.fleet.ids import Ids
from sandbox.server import running
from tests.services import PLAYED_VENDORS, Account, Played
from vendors.kit import Battery, Site, SolarInverter

ROOT = Path(__file__).parent.parent
NAMES = PLAYED_VENDORS
KEYS = st.lists(st.text(max_size=6), min_size=1, max_size=3).map(tuple)
KINDS = st.sampled_from([Site, SolarInverter, Battery])


@pytest.fixture(scope="module")
def records():
    """Vendor and record of each site and device of the fleet, from every plugin."""
    with running(sandbox.create_app(8, 1)) as url:
        accounts = [Account(Played(url), name) for name in NAMES]
        return [
            (account.name, record)
            for account in accounts
            for read in ("sites", "devices")
            for record in account.sweep(read).records
        ]


def test_ids_are_distinct_between_vendors_kinds_and_devices(records):
    ids = Ids("k" * 32)
    assert len({ids.of(type(record), name, record.key) for name, record in records}) == len(records)


@given(st.tuples(KINDS, st.text(max_size=6), KEYS), st.tuples(KINDS, st.text(max_size=6), KEYS))
def test_two_ids_are_equal_only_if_kind_vendor_and_key_are(first, second):
    ids = Ids("k" * 32)
    assert (ids.of(*first) == ids.of(*second)) == (first == second)


@pytest.mark.parametrize(
    ("kind", "vendor", "key", "id"),
    [
        (Site, "sma", ("1",), "site-5tc1kw8muds65w1i"),
        (SolarInverter, "enphase", ("1000", "äß"), "solr-x03a9xuo9i4gwv0e"),
        (Battery, "tesla", ("7", ""), "batt-i0ucb13r0kk0br4f"),
    ],
)
def test_ids_that_clients_have_stored_stay_the_same_in_later_versions(kind, vendor, key, id):
    assert Ids("k" * 32).of(kind, vendor, key) == id


def test_another_id_key_gives_other_ids():
    assert Ids("a" * 32).of(Site, "sma", ("1",)) != Ids("b" * 32).of(Site, "sma", ("1",))


@pytest.mark.exhaustive
def test_ids_are_the_same_in_another_process(records):
    inverters = [(name, record) for name, record in records if isinstance(record, SolarInverter)]
    chosen = [next((name, record) for name, record in inverters if name == vendor) for vendor in NAMES]
    program = (
        "import sys; from app.fleet.ids import Ids; from vendors.kit import SolarInverter; "
        "[print(Ids('k' * 32).of(SolarInverter, name, tuple(key))) for name, *key in "
        "(line.rstrip(chr(10)).split(chr(9)) for line in sys.stdin)]"
    )
    lines = "".join("\t".join((name, *record.key)) + "\n" for name, record in chosen)
    answer = subprocess.run(
        [sys.executable, "-c", program],
        input=lines,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONHASHSEED": "7"},
    )
    assert answer.stdout.split() == [Ids("k" * 32).of(SolarInverter, name, record.key) for name, record in chosen]


def test_keys_of_19_digits_stay_apart():
    ids = Ids("k" * 32)
    keys = [("1308675217944611083",), ("1308675217944611084",), ("1308675217944611100",)]
    assert len({ids.of(SolarInverter, "solis", key) for key in keys}) == 3
