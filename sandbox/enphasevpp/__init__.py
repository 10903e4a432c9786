"""Enphase's Grid Services API (virtual power plants) and its token endpoint, over the systems of `sandbox.enphase`.

Read by https://vpp.enphaseenergy.com/auth/getApiSpec, version 1.1.0. Of events version 2 is played, for batteries.
Enrolment, groups and live streams are not played.
"""

from sandbox.enphasevpp.dialect import EnphaseVpp

__all__ = ["EnphaseVpp"]
