"""Clients of the API, their tokens, and the check before every request."""
