"""One HTTP exchange over one connection, with the deadline in every wait."""
