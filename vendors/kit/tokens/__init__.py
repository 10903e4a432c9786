"""Access tokens that the service gets with stored credentials: where they are kept, and how they are renewed."""
