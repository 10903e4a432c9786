"""Bounds of the worker in time and memory; read at each use, so that a test can shorten them."""

# A request must have arrived whole within this time of its connection (or of the answer before it). Also how long a
# client may take to close its connection after the last answer.
PATIENCE_SECONDS = 10.0
# So long a whole request may wait for a thread. With the deadline of its vendors' calls, that stays below the 30 s
# after which Heroku gives up.
QUEUE_SECONDS = 5.0
# An answer must have left within this time.
ANSWER_SECONDS = 60.0
# A connection without traffic for this long counts as idle, and is closed if places run short.
IDLE_SECONDS = 0.5
# The request line, with the longest legal parameters: three of 200 characters, each up to twelve bytes when encoded.
# gunicorn allows no higher limit.
REQUEST_LINE_BYTES = 8190
# All headers together: a token of 16 KiB for one vendor, and shorter ones for others.
HEADERS_BYTES = 64 * 1024
HEADER_BYTES = 16 * 1024
# Answers that wait for slow readers, all of a process together.
UNSENT_BYTES = 64 * 1024 * 1024
READ_BYTES = 64 * 1024
# Lines in the log about refused requests, of each process; further ones are counted.
REFUSALS_PER_MINUTE = 60
# An event that clients can bring about at will is logged at most once in this time, with a count.
TALLY_SECONDS = 5.0
# Free memory is given back to the system once in this time: a millisecond of the main loop, some forty after replies of
# dozens of megabytes.
TRIM_SECONDS = 60.0
