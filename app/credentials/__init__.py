"""Stored vendor credentials: what clients store, encrypted, and the access tokens that are got with them."""
