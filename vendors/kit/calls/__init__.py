"""The engine of one call: cache, single flight, retry, breaker, quota, and the meaning of the reply."""
