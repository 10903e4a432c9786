"""A row that a vendor delivers twice, once without a value: what was delivered last counts."""

from datetime import UTC, datetime
from functools import partial

import pytest

from vendors.enphase import series as enphase
from vendors.kit import last_of_each
from vendors.sma import series as sma
from vendors.solaredge import series as solaredge
from vendors.solis import series as solis
from vendors.tesla import series as tesla

AT = datetime(2026, 6, 1, 10, tzinfo=UTC)
WH = 500.0


def of_solaredge(*values):
    energy = {"unit": "WH", "values": [{"timestamp": AT.isoformat(), "value": value} for value in values]}
    return solaredge.to_samples({"energy": energy}, solaredge.PRODUCED)


def of_tesla(*values):
    rows = [{"timestamp": AT.isoformat(), "solar_energy_exported": value} for value in values]
    return tesla.to_samples(rows, tesla.PRODUCED)


def of_sma(*values):
    rows = [{"time": "2026-06-01T10:00:00", "pvGeneration": value} for value in values]
    return sma.to_samples(rows, sma.PRODUCED, UTC)


def of_sma_without_the_member(*values):
    """SMA leaves absent values out."""
    rows = [{"time": "2026-06-01T10:00:00"} | ({} if wh is None else {"pvGeneration": wh}) for wh in values]
    return sma.to_samples(rows, sma.PRODUCED, UTC)


def of_enphase_inverters(*values):
    return enphase.production({"intervals": [{"end_at": AT.timestamp(), "enwh": value} for value in values]})


def of_enphase_batteries(*values):
    flows = [{"charge": {"enwh": value}, "discharge": {"enwh": 0}} for value in values]
    return [
        sample
        for sample in enphase.flows({"intervals": [{"end_at": AT.timestamp(), **one} for one in flows]})
        if sample.kwh[1] == 0
    ]


def of_solis(convert, member, time, *values):
    rows = [{**time, member: None if value is None else value / 1000} for value in values]
    return last_of_each(told for row in rows if (told := convert(row)))


SERIES = {
    "solaredge": of_solaredge,
    "tesla": of_tesla,
    "sma": of_sma,
    "sma without the member": of_sma_without_the_member,
    "enphase inverters": of_enphase_inverters,
    "enphase batteries": of_enphase_batteries,
    "solis day": partial(
        of_solis, partial(solis.to_sample, solis.PRODUCED), "eToday", {"dataTimestamp": str(int(AT.timestamp() * 1000))}
    ),
    "solis month": partial(of_solis, partial(solis.to_total, solis.PRODUCED, UTC), "energy", {"dateStr": "2026-06-01"}),
}


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize(
    ("values", "kwh"), [((WH, None), []), ((0.0, None), []), ((None, WH), [0.5]), ((0.0, WH), [0.5])]
)
def test_of_a_row_that_comes_twice_the_last_counts_also_where_it_has_no_value(name, values, kwh):
    assert [sample.kwh[0] for sample in SERIES[name](*values)] == kwh
