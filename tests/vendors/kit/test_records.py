from dataclasses import asdict, replace

import pytest

from vendors.kit import Battery, Site, SolarInverter


class Row:
    """How often a row was read."""

    def __init__(self, **members):
        self.members, self.times = members, 0

    def describe(self, raw):
        assert raw == "raw"
        self.times += 1
        return self.members


def test_a_row_of_a_list_is_read_when_a_member_is_asked_for_and_only_once():
    row = Row(model="M1", rated_power_kw=5.0)
    inverter = SolarInverter.listed(("7", "SN"), "SN", "7", row.describe, "raw")
    assert (inverter.key, inverter.vendor_id, inverter.site_key, inverter.vendor_site_id) == (
        ("7", "SN"), "SN", ("7",), "7",
    )  # fmt: skip
    assert row.times == 0
    assert (inverter.model, inverter.rated_power_kw, inverter.name) == ("M1", 5.0, None)
    assert row.times == 1


def test_a_row_of_a_list_equals_the_record_with_its_members():
    row = Row(model="M1", nameplate_kwh=9.5)
    whole = Battery(key=("1",), vendor_id="1", site_key=("7",), vendor_site_id="7", model="M1", nameplate_kwh=9.5)
    listed = [Battery.listed(("1",), "1", "7", row.describe, "raw") for _ in range(4)]
    assert listed[0] == whole
    assert asdict(listed[1]) == asdict(whole)
    assert repr(listed[2]) == repr(whole)
    assert replace(listed[3], soc_percent=50.0) == replace(whole, soc_percent=50.0)


def test_a_listed_site_needs_a_name_from_its_row():
    assert Site.listed("7", Row(name="Roof").describe, "raw").name == "Roof"
    with pytest.raises(KeyError, match="name"):
        print(Site.listed("7", Row().describe, "raw").timezone)


@pytest.mark.parametrize(
    "record",
    [
        SolarInverter(key=("1",), vendor_id="1", site_key=("7",), vendor_site_id="7"),
        SolarInverter.listed(("1",), "1", "7", Row().describe, "raw"),
    ],
)
def test_what_is_no_member_is_an_attribute_error_that_names_it(record):
    with pytest.raises(AttributeError, match="SolarInverter has no member nameplate_kwh"):
        print(record.nameplate_kwh)


def test_of_a_row_that_was_let_go_only_the_identity_is_left():
    inverter = SolarInverter.listed(("1",), "1", "7", Row(model="M1").describe, "raw")
    inverter.forget_row()
    assert (inverter.key, inverter.vendor_id, inverter.vendor_site_id) == (("1",), "1", "7")
    with pytest.raises(RuntimeError, match="was let go"):
        print(inverter.model)
