"""Events: orders to the batteries of a site, from their creation to their end."""
