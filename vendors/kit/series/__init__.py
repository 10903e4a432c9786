"""Windows, rows and intervals of energy."""
