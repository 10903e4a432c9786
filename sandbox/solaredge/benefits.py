"""A site's environmental benefits, in the form that the only public client of this call reads."""

from typing import Any

from sandbox.solaredge.constants import CO2_KG_PER_KWH, EV_MILES_PER_KWH, POUNDS_PER_KG
from sandbox.solaredge.sites import SolarEdgeSite

UNITS = {"METRIC": 1.0, "IMPERIAL": POUNDS_PER_KG}


def benefits_of(seen: SolarEdgeSite, ready: float, unit: str) -> dict[str, Any]:
    """Since the site's beginning, in the unit asked for: of masses, as the one of distances is in the name."""
    kwh = seen.view.site_reading_wh("pv", ready) / 1000
    return {
        "unit": unit,
        "co2Emissions": round(kwh * CO2_KG_PER_KWH * UNITS[unit], 3),
        "evMiles": round(kwh * EV_MILES_PER_KWH, 3),
    }
