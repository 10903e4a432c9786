"""Assumptions where Enphase's documentation is silent: one constant each, until a real answer is seen."""

# Data of a system are complete this many seconds after a row's end: seen by users, nowhere stated.
LAG_SECONDS = 1500
# A window of a `day` is so long also when the clock changes. A `week` is seven, also where that is not stated.
DAY_SECONDS = 86_400
# The sign of battery power in `latest_telemetry` is not stated; an example of the Grid Services API has these.
CHARGING_IS_POSITIVE = {"enphase": False, "enphasevpp": True}
# Events are kept 9 months by the text of the endpoint, 6 by the release notes.
EVENTS_KEPT_DAYS = 270
# How much less a revenue-grade meter counts than the microinverters, when they are made to differ.
METER_LOSS = 0.004
