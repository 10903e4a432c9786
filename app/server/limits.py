"""Limits of the worker in time and memory. Read at each use, so that a test can shorten them."""

# From the connection (or the response before) until the request has arrived whole. Also how long a client may take to
# close its connection after the last response.
RECEIVE_SECONDS = 10.0
# A whole request's wait for a thread. Together with the request deadline it stays below the 30 s after which Heroku
# gives up.
QUEUE_SECONDS = 5.0
# From the first byte of a response until the last one has left.
SEND_SECONDS = 60.0
# A connection without traffic for this long counts as idle, and is closed if the process runs short of connections.
IDLE_SECONDS = 0.5
# Pause before the next attempt to accept a connection, after a connection was left to another worker or open files ran
# out.
ACCEPT_PAUSE_SECONDS = 0.002
# The request line with the longest legal parameters: three of 200 characters, each up to twelve bytes when encoded.
# gunicorn allows no higher limit.
REQUEST_LINE_BYTES = 8190
# All headers together: a token of 16 KiB for one vendor, and shorter tokens for the other vendors.
HEADERS_BYTES = 64 * 1024
HEADER_BYTES = 16 * 1024
# Response bytes that wait for slow readers, over all connections of a process.
UNSENT_BYTES = 64 * 1024 * 1024
READ_BYTES = 64 * 1024
# Lines in the log of each process; further refusals are only counted.
REFUSALS_PER_MINUTE = 60
# The same, for each kind of event that clients can cause at will.
EVENTS_PER_MINUTE = 12
# Interval at which free memory is returned to the system. It takes the main loop a millisecond, or about forty after
# replies of dozens of megabytes.
TRIM_SECONDS = 60.0
