"""The same job in the ways that other people would do it: six vendors at once, merged, with ids, as JSON.

Each takes CLOUDS (the vendors' base URL) and CA_FILE from its environment, forwards the caller's credential, and
answers `GET /solar-inverters` with the list and its errors. None of them bounds, reuses, retries or protects anything.
"""
