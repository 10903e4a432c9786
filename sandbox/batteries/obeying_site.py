"""A site of the fleet whose battery obeys, which every cloud shows alike."""

from dataclasses import fields
from typing import Self

from simulation import BatteryCommand, Site


class ObeyingSite(Site):
    """A site whose commands can be replaced, while all views hold on to it.

    New commands leave the past as it was, as long as they differ from the old ones in the future only.
    """

    _uncommanded: Site
    _obeying: Site

    @classmethod
    def of(cls, site: Site) -> Self:
        """The same site, without commands so far."""
        obeying_site = cls(**{field.name: getattr(site, field.name) for field in fields(site)})
        object.__setattr__(obeying_site, "_uncommanded", site)
        object.__setattr__(obeying_site, "_obeying", site)
        return obeying_site

    @property
    def obeyed(self) -> tuple[BatteryCommand, ...]:
        """The commands, past ones included."""
        return self._obeying.commands

    def obey(self, commands: tuple[BatteryCommand, ...]) -> None:
        """Replaces the commands, those of the past included."""
        if commands != self._obeying.commands:
            object.__setattr__(self, "_obeying", self._uncommanded.with_commands(commands))

    def charge_kwh(self, t: float) -> float:
        return self._obeying.charge_kwh(t)

    def discharge_kwh(self, t: float) -> float:
        return self._obeying.discharge_kwh(t)

    def soc_percent(self, t: float) -> float | None:
        return self._obeying.soc_percent(t)
