"""The accounts of owners. All are made up."""

from dataclasses import dataclass

from sandbox.consent.owners import Owner, email_of

ENERGY_SCOPE = "energy_device_data"
COMMAND_SCOPE = "energy_cmds"
OFFLINE_SCOPE = "offline_access"
OTHER_SCOPES = ("openid", OFFLINE_SCOPE, "user_data", "vehicle_device_data")
NO_SITES: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Account(Owner):
    """region: where it lives; "" is where the option `region` puts it. shares_energy: false for an owner who never
    grants the scope of energy data."""

    region: str = ""
    shares_energy: bool = True

    def granted(self, scopes: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the scopes that the owner grants."""
        return tuple(scope for scope in scopes if self.shares_energy or scope != ENERGY_SCOPE)


OWNER = Account("owner@example.com")
EUROPEAN = Account("european@example.com", region="eu")
WITHOUT_SCOPE = Account("without-scope@example.com", shares_energy=False)
WITHOUT_PRODUCTS = Account("without-products@example.com", NO_SITES)
READY = (OWNER, EUROPEAN, WITHOUT_SCOPE, WITHOUT_PRODUCTS)


def account_of(number: int) -> Account:
    """The account of the owner of the fleet's site with that number."""
    return Account(email_of(number), frozenset({number}))
