"""Vendor clouds, played on loopback over one simulated fleet, each in its own dialect.

A dialect is a module or package in this one that holds a subclass of `sandbox.dialect.Dialect` with a vendor's name;
`sandbox.registry` finds it. `GET /` lists every vendor's address and working request headers.

What is true can be asked for. `GET /truth` tells the sites, how each dialect sees them and how finely it measures;
`GET /truth/energy?site=&vendor=&device=&kind=&start=&end=` an energy in `wh`;
`GET /truth/state?site=&vendor=&device=&at=&seconds=` the state at an instant: `power_kw`, `charge_kw` and
`discharge_kw`, means of the seconds before it (300), and `soc_percent`; null for what is not there. `site` is a number
of the fleet or an id of the vendor's; without `vendor` the question is about the site itself.
"""

from sandbox.application import create_app
from sandbox.server import serve

__all__ = ["create_app", "serve"]
