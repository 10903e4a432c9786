"""Assumptions where SMA's documentation is silent: one constant each, until a real answer is seen."""

from sandbox.consent.consents import State

# The documentation shows an error body for 404 only; a missing or expired token was seen with an empty body.
UNAUTHORIZED_HAS_BODY = False
# A plant or device of an owner who gave no consent.
FOREIGN_STATUS = 403
# Unknown period, missing or malformed `Date`.
BAD_REQUEST_STATUS = 400
# Codes in error bodies.
ERROR_CODES = {400: "BadRequest", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 429: "TooManyRequests"}
# The announcement of the rate limit says that the 429 carries Retry-After.
SENDS_RETRY_AFTER = True
# A consent request is open for a week; the documentation prints a date only.
CONSENT_SECONDS = 7 * 86_400
# How often an application should ask whether the owner has answered.
POLL_SECONDS = 1800
# States in which a second request to the same owner is refused: one client was seen to treat 409 as such.
OPEN_STATES = (State.PENDING, State.ACCEPTED)
# With this scope a refresh token has no end; without it, it was seen to live for two days.
OFFLINE_SCOPE = "offline_access"
ONLINE_SECONDS = 2 * 86_400
# Word of a healthy plant and device.
STATUS_OK = "Ok"
# Sets whose fine periods give Wh with ReturnEnergyValues. Seen for EnergyAndPower*; assumed for plants.
ENERGY_SETS = {
    "EnergyAndPowerPv",
    "EnergyAndPowerBattery",
    "EnergyAndPowerConsumption",
    "EnergyAndPowerInOut",
    "EnergyBalance",
}
# Sets of the present (PowerAc, PowerDc, EnergyMix, Sensor) over months and longer: no rows.
# Seen are the sets of inverters; those of battery inverters and meters are assumed from the names of the sets.
STATE_OF_HEALTH = 99.0
# Nominal values.
GRID_VOLTS, GRID_FREQUENCY, STRING_VOLTS, BATTERY_VOLTS, ISOLATION_OHMS = 230.0, 50.0, 380.0, 51.2, 3_000_000.0
# `Week` takes any of its dates and begins on Monday.
WEEK_BEGINS = "week"
# The plant's data are complete this many seconds after a row's end (ennexOS; classic plants take 2 h).
LAG_SECONDS = 300
# Documented on SMA's sandbox page: the owner whom its test client may ask for consent.
OWNER_EMAIL = "apiTestUser@apiSandbox.com"
