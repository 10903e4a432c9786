"""Assumptions where SolisCloud's documentation is silent: one constant each, until a real answer is seen."""

# Clients refuse to send a larger page; so does this cloud.
LARGEST_PAGE = 100
BAD_PARAMETER, MISSING_ID = "I0000", "I0003"
# An unknown or foreign id or serial number: code 1 with a Chinese text, success all the same.
UNKNOWN_CODE, UNKNOWN_TEXT = "1", "数据异常 请联系管理员"
# A timestamp further off is answered with 408.
SKEW_SECONDS = 900
# The status of calls that come too fast; no Retry-After is known.
TOO_FAST_STATUS = 429
# `bstteryCurrent` is positive while the battery is charged.
CHARGING_SIGN = 1
# Rows lie this many seconds after five minutes of the clock, and some more that differ from row to row.
STAMP_SECONDS, STAMP_JITTER = 91, 19
# The cloud shows a row this many seconds after its stamp.
LAG_SECONDS = 360
# A station's power is the sum of what its devices read so many seconds before its newest reading, or later: a device
# that sleeps keeps its last power, and is not counted. Which of them the platform counts is not documented.
TOGETHER_SECONDS = 320
# How far the clocks of the inverters are off, in turn.
CLOCK_ERRORS = (0, 90, -75)
# Nominal voltages.
BATTERY_VOLTS, STRING_VOLTS, GRID_VOLTS = 51.2, 380.0, 230.0
