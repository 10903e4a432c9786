"""Checks of what this project depends on and of what it publishes: `make audit`, `make sbom`, `make lock`."""
