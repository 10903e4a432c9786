"""Every single read of every vendor against the truth of the fleet at that time, and again at a later time.

Nothing here knows a vendor by name. A member may be missing if the plugin does not offer it, a value may be as old as
the plugin's `lag`, and as far off as the resolution that the emulator declares.
"""

from datetime import date, timedelta

import pytest

import sandbox
from sandbox.server import running
from tests.live import READS, Live
from tests.services import PLAYED_VENDORS

# Numbers of the fleet's sites: one with a battery; half an hour off, in the south; hybrids, several of a kind and
# batteries without a series; one that charges at night.
SITES = (0, 3, 4, 6)
DAY, WINTER_DAY = date(2026, 6, 17), date(2025, 12, 3)
PRODUCTIONS = {"solar_inverter.recent_production", "solar_inverter.lifetime_production"}
# By hour and minute of the site's clock, members that must be large enough at one of the sites to show a wrong sign or
# unit.
MOMENTS = {
    (12, 7): {"site.power_kw", "solar_inverter.power_kw", "site.charge_kw", "battery.charge_kw", *PRODUCTIONS},
    (19, 7): {"site.discharge_kw", "battery.discharge_kw", "site.bess.soc_percent", "battery.soc_percent"},
    (2, 37): {"site.discharge_kw", "battery.discharge_kw", "site.charge_kw", "battery.charge_kw"},
}
# The sun shines, the battery is charged, and an hour has begun.
BEFORE = (12, 22)

each_vendor = pytest.mark.parametrize("name", PLAYED_VENDORS)


@pytest.fixture(scope="module")
def lives():
    """Opens a vendor, with one sandbox for all."""
    app = sandbox.create_app(8, 1)
    with running(app) as url:
        yield lambda name: Live(app, url, name)


@pytest.mark.one_in(2)
@each_vendor
@pytest.mark.parametrize("moment", MOMENTS, ids=["at noon", "in the evening", "at night"])
def test_every_single_read_is_right_at_its_time(lives, name, moment):
    live, seen = lives(name), set()
    for number in SITES:
        with live.at(live.local(number, DAY, *moment)):
            for read in live.reads(number):
                seen |= read.check()
    assert set(filter(live.reports, MOMENTS[moment])) <= seen, "no value was large enough to show a fault"


@pytest.mark.exhaustive
@each_vendor
@pytest.mark.parametrize("day", [DAY, WINTER_DAY], ids=str)
@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_every_single_read_is_right_at_every_site_and_hour(lives, name, day, hour):
    live = lives(name)
    for number in range(8):
        with live.at(live.local(number, day, hour, 52)):
            for read in live.reads(number):
                read.check()


@each_vendor
def test_values_change_when_cached_replies_are_no_longer_fresh(lives, name):
    """The clock moves on until replies that are live or of today are stale, and those of inventory and past are not."""
    live, number = lives(name), SITES[0]
    fresh = live.plugin.fresh_seconds
    wait = timedelta(seconds=max(fresh["live"], fresh["today"]) + 900)
    assert wait < timedelta(seconds=min(fresh["inventory"], fresh["closed"]))
    rounds = []
    for now in (live.local(number, DAY, *BEFORE), live.local(number, DAY, *BEFORE) + wait):
        with live.at(now):
            reads = {read.label: read for read in live.reads(number)}
            for read in reads.values():
                read.check()
            moving = {(label, member): value for label, read in reads.items() for member, value in read.moving()}
            rounds.append(moving | live.newest_of_all(reads))
    before, after = rounds
    timed = {(label, "measured_at") for label in ("site", *READS) if live.reports(f"{label}.measured_at")}
    assert before.keys() == after.keys() >= timed
    stood_still = [key for key in before if not before[key] < after[key]]
    assert not stood_still
