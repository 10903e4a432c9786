"""Whether a plugin has what its stage promises."""

from collections.abc import Iterator

from tests.vendors.cases import DETAILS, LISTS, SERIES
from vendors.kit import Stage, Vendor
from vendors.kit.registry import discover

ORDER = list(Stage)
# By stage: operations of which at least one must be there.
NEEDED = {
    Stage.DECLARED: [],
    Stage.LIST: [("sites",), ("devices",)],
    Stage.STATE: [("site",), ("solar_inverter", "battery")],
    Stage.SERIES: [SERIES],
}
# By operation: the stage to which it belongs.
STAGE_OF = dict.fromkeys(LISTS, Stage.LIST) | dict.fromkeys(DETAILS, Stage.STATE) | dict.fromkeys(SERIES, Stage.SERIES)


def offers(plugin: type[Vendor], operation: str) -> bool:
    """Whether the plugin has a method for this operation."""
    return getattr(plugin, operation) is not getattr(Vendor, operation)


def reaches(plugin: type[Vendor], stage: Stage) -> bool:
    """Whether the plugin's stage is this one or a later one."""
    return ORDER.index(plugin.stage) >= ORDER.index(stage)


def asked_vendors() -> list[str]:
    """The names of all vendors that this server calls: of those that are merely declared it makes no call."""
    return sorted(name for name, plugin in discover().items() if reaches(plugin, Stage.LIST))


def problems_of_stage(plugin: type[Vendor]) -> Iterator[str]:
    """A sentence for each operation that the stage promises and the plugin lacks, or the other way round."""
    label = f"{plugin.__name__}.stage is {plugin.stage}"
    for stage in ORDER:
        for alternatives in NEEDED[stage] if reaches(plugin, stage) else ():
            if not any(offers(plugin, operation) for operation in alternatives):
                yield f"{label}: write {' or '.join(f'{operation}()' for operation in alternatives)}"
    for operation, stage in STAGE_OF.items():
        if offers(plugin, operation) and not reaches(plugin, stage):
            yield f"{label}, and {operation}() is there: declare stage = Stage.{stage.name}"
    for operation in SERIES if reaches(plugin, Stage.SERIES) else ():
        if not offers(plugin, operation) and operation not in plugin.lacks:
            yield f'{label}: write {operation}(), or declare "{operation}" in lacks'
