"""What Enphase's two APIs show alike: systems, their devices, and the rows that these report.

`sandbox.enphase` and `sandbox.enphasevpp` are two doors to this one world: a site has the same number and the same
serial numbers behind both.
"""
