"""What a plugin reads of an answer. All else is skipped while the JSON is read: most of a row is never looked at."""

from typing import Any, TypedDict

import msgspec
import orjson

ANY: Any = Any
Spec = dict[str, Any] | list[Any] | tuple[str, ...]


class Shape:
    """Reads JSON with the members that are wanted, where they are there. What stands in the others is hardly looked at:
    they may hold what is no text, and whole numbers of any size stay whole.

    spec: a dict is an object with these members, each with a spec of its own, or ANY; a tuple of names is an object
    with these members, whatever they are; a list of one is an array of such.
    """

    def __init__(self, spec: Spec) -> None:
        self._decoder = msgspec.json.Decoder(_type_of(spec))
        members = spec.items() if isinstance(spec, dict) else [(name, ANY) for name in spec if isinstance(name, str)]
        self.whole_members = frozenset(name for name, part in members if part is ANY)
        """Names of the object's members that are read with all that they hold."""

    def read(self, body: bytes) -> Any:
        """The JSON; all of it when it has another form. Raises orjson.JSONDecodeError when it is none."""
        try:
            return self._decoder.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return orjson.loads(body)


def _type_of(spec: Spec) -> Any:
    if spec is ANY:
        return ANY
    if isinstance(spec, list):
        (row,) = spec
        return list[_type_of(row)]  # type: ignore[misc]
    members = dict.fromkeys(spec, ANY) if isinstance(spec, tuple) else {name: _type_of(spec[name]) for name in spec}
    return TypedDict("Part", members, total=False)  # type: ignore[operator]
