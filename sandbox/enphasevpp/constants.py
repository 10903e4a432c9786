"""The limits of events, and assumptions where the documentation of the Grid Services API is silent."""

SHORTEST_MINUTES, LONGEST_MINUTES = 5, 300
FARTHEST_DAYS = 7
LIST_DAYS, LONGEST_LIST_DAYS = 7, 30
LEAST_TARGET, GREATEST_TARGET = 10, 100
# A command that the gateway does not acknowledge is sent again this long after the event's start.
RETRY_SECONDS = 300
# Homeowners can be taken out of an event until this long before its start.
OPT_OUT_SECONDS = 60
# How long it takes to end an event that runs; `cancellation_request` shows it.
ENDING_SECONDS = 60
# An event of which `superseded` is not true, and which overlaps another, is not taken. How this is answered is not
# documented for version 2: like in version 1, or with an event that is deleted at once.
OVERLAP_REFUSED, OVERLAP_DELETED = "refused", "deleted"
FAILURE_CODE, FAILURE_REASON = "COMMAND_EXPIRED", "Command not acknowledged by the gateway"
