"""Differences between this service's /openapi.json and the description of the public API in tests/reference."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]
# Signs: this service has more, has less, or has it otherwise.
MORE, LESS, OTHER = "more", "less", "other"
METHODS = ("get", "put", "post", "patch", "delete")
LIMITS = ("minimum", "maximum", "minLength", "maxLength")


@dataclass(frozen=True, order=True)
class Difference:
    """A difference, and the operation or schema of the public API that has it."""

    sign: str
    text: str
    where: str


class Document:
    """An OpenAPI document whose references are followed."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self.operations = {
            (method, path): self._with_parameters(item, method)
            for path, item in document["paths"].items()
            for method in METHODS
            if method in item
        }

    def follow(self, node: Any) -> Any:
        """The schema that a node refers to."""
        while "$ref" in node:
            reference, node = node["$ref"], self._document
            for step in reference.removeprefix("#/").split("/"):
                node = node[step]
        return node

    def _with_parameters(self, item: Mapping[str, Any], method: str) -> dict[str, Any]:
        """The operation, with its parameters by place and name; a header is one also where it is a security scheme."""
        operation = dict(item[method])
        parameters = [self.follow(each) for each in (*item.get("parameters", []), *operation.get("parameters", []))]
        schemes = self._document["components"]["securitySchemes"]
        needed = {name for names in operation.get("security", self._document["security"]) for name in names}
        for scheme in (schemes[name] for name in sorted(needed)):
            if scheme.get("in") == "header":
                parameters.append({"in": "header", "name": scheme["name"], "schema": {"type": "string"}})
        return operation | {"parameters": {(each["in"], each["name"].lower()): each for each in parameters}}


class Comparison:
    """Compares the public API with this service."""

    def __init__(self, public: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
        self._public, self._ours = Document(public), Document(ours)

    @property
    def common(self) -> int:
        """The number of operations that both have."""
        return len(self._public.operations.keys() & self._ours.operations.keys())

    def differences(self) -> Iterator[Difference]:
        """All differences; a schema that occurs several times has its differences once."""
        public, ours = self._public.operations, self._ours.operations
        yield from _sets("operation", set(_titles(public)), set(_titles(ours)), "the API")
        for key in sorted(public.keys() & ours.keys()):
            yield from self._operation(public[key]["operationId"], public[key], ours[key])

    def _operation(self, name: str, public: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[Difference]:
        theirs, own = public["parameters"], ours["parameters"]
        yield from _sets("parameter", _names(theirs), _names(own), name)
        for key in theirs.keys() & own.keys():
            shown = f"parameter {theirs[key]['name']}"
            if theirs[key].get("required", False) != own[key].get("required", False):
                yield Difference(OTHER, f"{shown} is {_required(own[key].get('required', False))}", name)
            yield from self._schema(theirs[key]["schema"], own[key]["schema"], shown, LIMITS)
        yield from _sets("status", set(public["responses"]), set(ours["responses"]), name)
        yield from self._contents(public.get("requestBody", {}), ours.get("requestBody", {}), f"{name}, body", LIMITS)
        for status in sorted(public["responses"].keys() & ours["responses"].keys()):
            pair = (public["responses"][status], ours["responses"][status])
            yield from self._contents(*pair, f"{name}, {status}", ())

    def _contents(self, public: Any, ours: Any, where: str, limits: tuple[str, ...]) -> Iterator[Difference]:
        theirs, own = (document.follow(node).get("content", {}) for document, node in self._pair(public, ours))
        yield from _sets("media type", set(theirs), set(own), where)
        for media_type in theirs.keys() & own.keys():
            yield from self._schema(theirs[media_type]["schema"], own[media_type]["schema"], where, limits)

    def _schema(self, public: Schema, ours: Schema, where: str, limits: tuple[str, ...]) -> Iterator[Difference]:
        where = public["$ref"].split("/")[-1] if "$ref" in public else where
        followed = self._ours.follow(ours)
        shared = {"type": followed["type"]} if "type" in followed else {}
        alternatives = [shared | each for each in followed.get("anyOf", []) if "properties" not in each]
        theirs = _whole(self._public, public)
        theirs_by, own_by = _variants(self._public, public), _variants(self._ours, ours)
        if theirs_by and own_by:
            yield from _sets("variant", set(theirs_by), set(own_by), where)
            for name in sorted(theirs_by.keys() & own_by.keys()):
                yield from self._schema(theirs_by[name], own_by[name], where, limits)
            return
        # Of alternatives the nearest one counts, and the others are more than the public API has.
        if len(alternatives) > 1 and not {"anyOf", "oneOf"} & self._public.follow(public).keys():
            options = [list(self._schema(public, each, where, limits)) for each in alternatives]
            yield from min(options, key=len)
            names = [each.get("$ref", each.get("format", "a pattern")).split("/")[-1] for each in alternatives]
            others = [name for name, each in zip(names, options, strict=True) if each is not min(options, key=len)]
            yield Difference(MORE, f"alternative {', '.join(others)}", where)
            return
        own = _whole(self._ours, ours)
        yield from _values(theirs, own, where, limits)
        if "items" in theirs and "items" in own:
            yield from self._schema(theirs["items"], own["items"], f"{where}[]", limits)
        yield from self._members(theirs, own, where, limits)

    def _members(self, theirs: Schema, own: Schema, where: str, limits: tuple[str, ...]) -> Iterator[Difference]:
        public, ours = theirs.get("properties", {}), own.get("properties", {})
        yield from _sets("member", set(public), set(ours), where)
        for name in sorted(public.keys() & ours.keys()):
            is_required = name in own.get("required", [])
            if is_required != (name in theirs.get("required", [])):
                yield Difference(OTHER, f"member {name} is {_required(is_required)}", where)
            yield from self._schema(public[name], ours[name], f"{where}.{name}", limits)

    def _pair(self, public: Any, ours: Any) -> tuple[tuple[Document, Any], tuple[Document, Any]]:
        return (self._public, public), (self._ours, ours)


def grouped(differences: Iterator[Difference], operations: int) -> dict[tuple[str, str], str]:
    """The sign of each difference by its text and all places that have it."""
    places: dict[tuple[str, str], set[str]] = defaultdict(set)
    for difference in differences:
        places[difference.text, difference.sign].add(difference.where)
    return {
        (text, "every operation" if len(wheres) == operations else ", ".join(sorted(wheres))): sign
        for (text, sign), wheres in places.items()
    }


def _titles(operations: Mapping[tuple[str, str], Any]) -> Iterator[str]:
    return (f"{method.upper()} {path}" for method, path in operations)


def _names(parameters: Mapping[Any, Any]) -> set[str]:
    return {each["name"] for each in parameters.values()}


def _required(is_required: bool) -> str:
    return "required" if is_required else "optional"


def _sets(kind: str, public: set[str], ours: set[str], where: str) -> Iterator[Difference]:
    lowered = {name.lower() for name in public}, {name.lower() for name in ours}
    for sign, names, known in ((LESS, public, lowered[1]), (MORE, ours, lowered[0])):
        for name in sorted(names):
            if name.lower() not in known:
                yield Difference(sign, f"{kind} {name}", where)


def _whole(document: Document, schema: Schema) -> Schema:
    """A schema in which alternatives are one: with the members of all, and required what all of them require."""
    schema = document.follow(schema)
    parts = [_whole(document, part) for part in schema.get("allOf", [])]
    options = [_whole(document, option) for option in schema.get("anyOf", schema.get("oneOf", []))]
    whole = {name: value for name, value in schema.items() if name not in ("allOf", "anyOf", "oneOf")}
    for part in parts:
        whole = part | whole | {"properties": part.get("properties", {}) | whole.get("properties", {})}
    if any("properties" in option for option in options):
        whole["type"] = "object"
        properties: dict[str, Any] = {}
        for option in options:
            for name, member in option.get("properties", {}).items():
                values = {*_allowed(properties.get(name, {})), *_allowed(member)}
                properties[name] = member | ({"enum": sorted(values)} if values else {})
                properties[name].pop("const", None)
        whole["properties"] = properties
        whole["required"] = set.intersection(*(set(option.get("required", [])) for option in options))
    return whole


def _variants(document: Document, schema: Schema) -> dict[str, Schema]:
    """The alternatives of stored credentials by vendor and type; none where two are of the same type."""
    schema = document.follow(schema)
    options = [_whole(document, option) for option in schema.get("oneOf", schema.get("anyOf", []))]
    members = [option.get("properties", {}) for option in options]
    if not all("vendor" in each and "type" in each for each in members):
        return {}
    names = [" ".join(str(value) for name in ("vendor", "type") for value in _allowed(each[name])) for each in members]
    return dict(zip(names, options, strict=True)) if len(set(names)) == len(names) else {}


def _allowed(schema: Schema) -> set[Any]:
    return {schema["const"]} if "const" in schema else set(schema.get("enum", ()))


def _values(theirs: Schema, own: Schema, where: str, limits: tuple[str, ...]) -> Iterator[Difference]:
    """Types, formats, permitted values, and limits."""
    if theirs.get("type") and _type(theirs) != _type(own):
        yield Difference(OTHER, f"{_type(own)} in place of {_type(theirs)}", where)
    values, known = _allowed(own), _allowed(theirs)
    if known and not values:
        yield Difference(OTHER, "any value", where)
    elif values and not known:
        yield Difference(OTHER, f"only {', '.join(sorted(map(str, values)))}", where)
    else:
        yield from _sets("value", set(map(str, known)), set(map(str, values)), where)
    for limit in limits:
        if theirs.get(limit) != own.get(limit):
            yield Difference(OTHER, f"{limit} {own.get(limit, 'none')}", where)


def _type(schema: Schema) -> str:
    types = schema.get("type") or "any type"
    text = types if isinstance(types, str) else " or ".join(types)
    return f"{text} ({schema['format']})" if "format" in schema else text
