"""Metrics of this service in the format of Prometheus."""
