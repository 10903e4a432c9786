"""Sites and devices over all vendors that a request may reach."""
