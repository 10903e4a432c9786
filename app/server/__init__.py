"""The gunicorn worker of this service, and all else that gunicorn needs; only gunicorn.conf.py imports it.

A thread gets a whole request, returns a whole response, and waits for no client. gunicorn's own worker gives a thread
to every connection that has sent its first byte, until the last byte of the response has left: as many slow clients as
there are threads stop it. Here the main loop does all waiting, at the cost of buffers. TLS ends in a proxy in front.
"""

# Set by gunicorn.conf.py: without that file, the service would run with other threads and limits.
is_configured = False
