"""The systems behind both of Enphase's APIs, with their devices and the rows that these report.

`sandbox.enphase` and `sandbox.enphasevpp` are two APIs over the same systems: a system has the same
number and the same serial numbers in both.
"""
