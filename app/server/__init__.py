"""gunicorn's worker for this service: threads get whole requests and give whole answers, and never wait for a client.

gunicorn's own worker gives a thread to every connection that has sent its first byte, until the last byte of the answer
has left: as many slow clients as there are threads stop it. Here the main loop does all waiting, at the cost of bytes.
TLS ends in a proxy in front of it.
"""

from app.server.worker import Log, Worker

__all__ = ["Log", "Worker"]

# Whether gunicorn.conf.py has run in this process: the worker alone has neither its threads nor its limits.
is_configured = False
