"""Battery control: orders in the database, what was sent to the vendor for them, and what was seen of them."""
