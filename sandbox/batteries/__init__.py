"""Batteries that obey: what happens to them, the commands in force, and the endpoints by which a test plays both."""
