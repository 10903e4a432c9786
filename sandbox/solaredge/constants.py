"""Assumptions where SolarEdge's documentation is silent: one constant each, until a real answer is seen."""

DEFAULT_PAGE, LARGEST_PAGE = 50, 1000
# Consents of owners: two hours, thirty days, and two years at most, also where no duration is asked for.
ACCESS_SECONDS, REFRESH_SECONDS, LONGEST_MONTHS = 7_200, 30 * 86_400, 24
SITE_SCOPE, DEVICE_SCOPE = "SITE_DATA", "DEVICE_DATA"
DEFAULT_ALERTS, MOST_ALERTS = 100, 100
# `count` of the site list is the number of all sites, not of those on the page.
COUNT_IS_TOTAL = True
# A live capture shows 0 for an inverter. Every third site has values, in W and Wh, as version 1 gave them.
NAMEPLATE_EVERY, NAMEPLATE_PER_KILO = 3, 1000
# The list was captured without time zones; the detail has them.
LIST_HAS_TIMEZONE = False
# An owner's token is good for one site and refused where no site is named.
BEARER_WITHOUT_SITE_STATUS = 403
RETIRED_TEXT = "This version of the API is no longer available"
# Read from the free plan's headers; what the header says while no limit is set.
LIFTED_PER_MINUTE = 100_000
# The cloud has a bucket this many seconds after its end.
LAG_SECONDS = 900
DEFAULT_RESOLUTION = "QUARTER_HOUR"
# From which size on a series is given in the larger unit, when no unit is asked for.
KILO_FROM, MEGA_FROM = 100_000.0, 100_000_000.0
# Environmental benefits: no answer was ever published. Of the older members only these are left, and what they count is
# not documented.
CO2_KG_PER_KWH, EV_MILES_PER_KWH, POUNDS_PER_KG = 0.39, 3.5, 2.204_62
# Types of devices that the API knows besides those of the fleet.
DEVICE_TYPES = ("INVERTER", "BATTERY", "BATTERY_MODULE", "OPTIMIZER", "METER", "EV_CHARGER", "BUI", "GATEWAY")
PROBLEM_TYPE = "https://se-api.stoplight.io/docs/monitoring"
