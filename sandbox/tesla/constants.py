"""Assumptions where Tesla's documentation is silent: one constant each, until a real answer is seen."""

CONTENT_TYPE = "application/json; charset=utf-8"
# Region: the prefix of its instance below the base. The first one is where the ready account lives by default.
REGIONS = {"na": "", "eu": "/eu", "cn": "/cn"}
# Users report this status for an application that is not registered in the region.
UNREGISTERED_STATUS = 412
# Only the status is documented for a call in the wrong region; the text is a guess, and names no address.
WRONG_REGION_TEXT = "user out of region"
# An account asks for its region before it knows it, so every instance answers that.
REGION_CALL = "/api/1/users/region"
# The texts of `error`; those of 401 and 403 were seen, the others are guesses after Tesla's list of error keys.
ERRORS = {
    400: "invalid_request",
    401: "invalid bearer token",
    403: "Unauthorized missing scopes",
    404: "not_found",
    405: "invalid_method",
    406: "not_acceptable",
    412: "not registered in this region",
    421: WRONG_REGION_TEXT,
    429: "too many requests",
    500: "internal_server_error",
}
# Seen for a site that was taken down, where it lasts.
RETIRED_TEXT = "upstream internal error"
EXPIRED_TEXT = "token expired (401)"
# Tokens live 8 hours, as users report; refresh tokens three months, as the FAQ says.
ACCESS_SECONDS = 28_800
REFRESH_SECONDS = 90 * 86_400
# Tesla's page on third-party tokens: the refresh token that was used last is valid for 24 hours more, for applications
# that failed to save the new one. That it ends as soon as the new one is used is assumed.
REUSE_SECONDS = 86_400
# A Powerwall 3 was seen among the gateways only, with its own ratings, while the site's energy is 0. Its expansion
# packs were seen among the batteries without a name; that its ratings hold theirs, which are 0, is assumed.
POWERWALL_3_W = 11_520
PACK_NAME = "Unknown"
# Samples have a location for sites without device arrays, and none for the others.
LOCATION_WITH_ARRAYS = False
# The cloud has a row of five minutes this many seconds after its end, and renews live values every two minutes.
LAG_SECONDS = 300
LIVE_SECONDS = 120
# The keys of these two answers were never seen.
NO_OUTAGES: dict[str, object] = {"events": [], "total_events": 0}
NO_CHARGES: dict[str, list[str]] = {"charge_history": []}
