"""Who calls: clients, their tokens, and the check before every request."""
