from dataclasses import FrozenInstanceError

import pytest

from vendors.kit import Battery, ListRow, NotFound, Site, SolarInverter, find_record, unique


class Row:
    """A converter that counts its calls."""

    def __init__(self, **members):
        self.members, self.times = members, 0

    def convert(self, raw):
        assert raw == "raw"
        self.times += 1
        return self.members


def inverter_row(serial="SN", **members):
    return SolarInverter.listed(("7", serial), serial, "7", Row(**members).convert, "raw")


def test_a_row_of_a_list_knows_its_ids_without_being_converted():
    row = Row(model="M1")
    listed = SolarInverter.listed(("7", "SN"), "SN", "7", row.convert, "raw")
    assert (listed.kind, listed.key, listed.vendor_id, listed.vendor_site_id) == (SolarInverter, ("7", "SN"), "SN", "7")
    assert row.times == 0


def test_the_record_of_a_row_has_the_row_s_ids_and_the_converted_members():
    row = Battery.listed(("1",), "1", "7", Row(model="M1", nameplate_kwh=9.5).convert, "raw")
    assert row.record() == Battery(
        key=("1",), vendor_id="1", site_key=("7",), vendor_site_id="7", model="M1", nameplate_kwh=9.5
    )


def test_the_row_of_a_site_has_the_site_s_id_as_key():
    row = Site.listed("7", Row(name="Roof").convert, "raw")
    assert (row.kind, row.key, row.vendor_site_id) == (Site, ("7",), "7")
    assert row.record() == Site(key=("7",), vendor_id="7", name="Roof")


def test_a_converter_that_forgets_the_name_of_a_site_is_a_fault_of_the_plugin():
    with pytest.raises(TypeError, match="name"):
        Site.listed("7", Row().convert, "raw").record()


@pytest.mark.parametrize(
    "record", [Site(key=("7",), vendor_id="7", name=""), inverter_row().record()], ids=["site", "inverter"]
)
def test_a_record_cannot_be_changed(record):
    with pytest.raises(FrozenInstanceError):
        record.power_kw = 1.0


def test_a_row_whose_raw_data_were_released_keeps_its_ids():
    row = inverter_row(model="M1")
    row.release_raw()
    assert (row.key, row.vendor_id, row.vendor_site_id, row.raw) == (("7", "SN"), "SN", "7", None)


def test_a_record_is_found_by_its_kind_and_its_key():
    rows = [
        Battery.listed(("7", "B"), "B", "7", Row(model="battery").convert, "raw"),
        inverter_row("A", model="A"),
        inverter_row("B", model="B"),
    ]
    assert find_record(rows, SolarInverter, ("7", "B")).model == "B"
    assert find_record(rows, Battery, ("7", "B")).model == "battery"


@pytest.mark.parametrize(("kind", "key"), [(Battery, ("7", "A")), (SolarInverter, ("8", "A"))])
def test_a_record_of_another_kind_or_key_is_not_found_and_the_error_names_the_list(kind, key):
    with pytest.raises(NotFound) as failure:
        find_record([inverter_row("A")], kind, key, "https://vendor.test/devices")
    assert failure.value.url == "https://vendor.test/devices"


def test_of_rows_with_one_kind_and_key_the_last_counts():
    rows = [
        inverter_row("A", model="old"),
        Battery.listed(("7", "A"), "A", "7", Row().convert, "raw"),
        inverter_row("A", model="new"),
    ]
    unique_rows = unique(rows)
    assert all(isinstance(row, ListRow) for row in unique_rows)
    assert [(row.kind, row.record().model) for row in unique_rows] == [(SolarInverter, "new"), (Battery, "")]
