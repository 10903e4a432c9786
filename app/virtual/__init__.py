"""Virtual devices: sites and devices that a client of mode virtual makes for itself, with simulated energy."""
