"""Reading vendor JSON without trusting it."""
