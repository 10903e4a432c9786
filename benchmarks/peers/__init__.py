"""Other implementations of the same job: list the inverters of six vendors concurrently, with ids, as JSON.

Each takes CLOUDS (the vendors' base URL) and CA_FILE from its environment, forwards the caller's credential, and
answers `GET /solar-inverters` with the list and its errors. None has limits, a cache, retries or a circuit breaker.
"""
