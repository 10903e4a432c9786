"""`make demo`: runs the sandbox and the service on loopback, and shows what the product is on one screen.

It leaves a user's data alone: the service gets a temporary folder, and of the user's settings only the two ports.
"""
