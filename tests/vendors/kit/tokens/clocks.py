"""A clock that only tests move on."""


class Clock:
    """Seconds; waiting moves it on at once."""

    def __init__(self, now=1000.0):
        self.now = now
        self.waits = []

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds
