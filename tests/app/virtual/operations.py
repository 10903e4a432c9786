"""The operations on one site or device, or on one row of stored credentials, a grant or a flow.

They are read from the OpenAPI document, so that a later one is tested as well.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.app.virtual.support import KINDS

METHODS = ("get", "put", "post", "patch", "delete")
# Valid values of parameters and members, by name, of which the document has none.
NOW = datetime.now(UTC)
VALUES = {
    "start": [(NOW - timedelta(hours=25)).isoformat()],
    "end": [(NOW - timedelta(hours=1)).isoformat()],
    "includeSecrets": ["false", "true"],
    "name": ["renamed"],
    "credentials": [{}],
    "force": ["false", "true"],
    "intervals": [[]],
}
CREDENTIALS, GRANTS, FLOWS = "vendor-credentials", "grants", "flows"
# A token is valid for one client and path only: tests take it from a page.
TOKEN = "pageToken"
# Parameters of which no value is valid for every vendor, or for several requests.
NOT_TRIED = (TOKEN, "programID", "Idempotency-Key")


@dataclass(frozen=True)
class Request:
    """A valid request of an operation."""

    method: str
    path: str
    query: dict[str, object] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: object = None

    @property
    def kind(self):
        """The kind whose id it takes, as the path of its list."""
        return self.path.split("/{id}")[0].rsplit("/", 1)[1]

    def send(self, caller, ids, headers=None):
        """The response that a caller gets for the id of the kind."""
        path, options = self.path.replace("{id}", ids[self.kind]), {"query_string": self.query}
        if self.body is not None:
            options["json"] = self.body
        return caller.call(self.method, path, self.headers | (headers or {}), **options)


def requests_with_an_id(document, kinds):
    """Each operation that takes an id of these kinds.

    Each comes with no options, with each option and value alone, and with all together.
    """
    requests = []
    for path, item in document["paths"].items():
        for method in METHODS:
            if "{id}" in path and method in item:
                requests += _requests(document, method, path, item)
    unknown = {request.path for request in requests if request.kind not in (*KINDS, CREDENTIALS, GRANTS, FLOWS)}
    assert not unknown, f"The tests have no ids for {unknown}: extend KINDS."
    return [request for request in requests if request.kind in kinds]


def _requests(document, method, path, item):
    operation = item[method]
    parameters = [_resolved(document, part) for part in item.get("parameters", []) + operation.get("parameters", [])]
    options = [part for part in parameters if part["in"] in ("query", "header") and part["name"] not in NOT_TRIED]
    body = None
    if "requestBody" in operation:
        content = _resolved(document, operation["requestBody"])["content"]
        body = _values(document, "the body", content["application/json"]["schema"])[0]

    def request(*chosen):
        required = [(part, _values(document, part["name"], part["schema"])[0])
                    for part in options if part.get("required")]  # fmt: skip
        parts = {"query": {}, "header": {}}
        for part, value in (*required, *chosen):
            parts[part["in"]][part["name"]] = value
        return Request(method.upper(), path, parts["query"], parts["header"], body)

    by_option = [(part, _values(document, part["name"], part["schema"])) for part in options]
    yield request()
    yield from (request((part, value)) for part, values in by_option for value in values)
    yield request(*((part, values[-1]) for part, values in by_option))


def _values(document, name, schema):
    """Valid values of a schema: every one of a choice, and both bounds of a number."""
    schema = _resolved(document, schema)
    if name in VALUES:
        return VALUES[name]
    if "enum" in schema:
        return schema["enum"]
    if "minimum" in schema:
        return [schema["minimum"], schema["maximum"]]
    if schema.get("type") == "array":
        return [_values(document, name, schema["items"])]
    if schema.get("type") == "object":
        members = schema.get("properties", {}).items()
        return [{member: _values(document, member, inner)[0] for member, inner in members}]
    raise AssertionError(f"The document has no valid value of {name}: add one to VALUES.")


def _resolved(document, part):
    """The part itself, or what it refers to."""
    if "$ref" in part:
        for key in part["$ref"].removeprefix("#/").split("/"):
            document = document[key]
        return document
    return part
