"""Bodies that are refused: each with a 400 that names the member, and no secret in the answer."""

from tests.app.credentials.support import PATH, VARIANTS, credentials

SMA = credentials()
SOLIS = credentials("solis", "apikeysecret")


def without(name):
    return {member: value for member, value in SMA.items() if member != name}


FAULTS = [
    ({}, "credentials"),
    ({"credentials": None}, "credentials"),
    ({"credentials": []}, "credentials"),
    ({"credentials": "sesame"}, "credentials"),
    ({"credentials": {}}, "credentials.vendor"),
    ({"credentials": without("vendor")}, "credentials.vendor"),
    ({"credentials": without("type")}, "credentials.type"),
    ({"credentials": without("clientID")}, "credentials.clientID"),
    ({"credentials": without("clientSecret")}, "credentials.clientSecret"),
    *(({"credentials": SMA | {"vendor": value}}, "credentials.vendor")
      for value in ("SMA", "virtual", "x", None, 7, [])),
    *(({"credentials": SMA | {"type": value}}, "credentials.type") for value in ("apikey", "CustomGrant", None, {})),
    *(({"credentials": SOLIS | {"keySecret": value}}, "credentials.keySecret")
      for value in (None, 7, True, [], {}, [""])),
    *(({"credentials": SMA | {"clientSecret": value}}, "credentials.clientSecret")
      for value in ("", " ", " a", "a ", "a  b", "tab\t", "line\n", "nul\0", "\x7f", "pässwörd", "密", "x" * 8193)),
    ({"credentials": SMA | {"apiKey": "x"}}, "credentials.apiKey"),
    ({"credentials": SMA | {"client_id": "x"}}, "credentials.client_id"),
    ({"credentials": SMA, "id": "x"}, "id"),
    ({"credentials": SMA, "vendor": "sma"}, "vendor"),
    *(({"credentials": SMA, "name": value}, "name")
      for value in ("", None, 7, [], "x" * 101, "a\nb", "nul\0", "\x1b[1m")),
]  # fmt: skip


def test_every_fault_of_a_body_is_a_400_that_names_the_member(client):
    wrong = []
    for body, member in FAULTS:
        answer = client.call("POST", PATH, json=body)
        if (answer.status_code, answer.json.get("code")) != (400, "validation_error"):
            wrong.append((body, answer.status_code, answer.json))
        elif not answer.json["detail"].startswith(f"{member}: ") or "sesame" in answer.text:
            wrong.append((body, answer.json["detail"]))
    assert not wrong
    assert client.list() == []


def test_the_missing_member_of_every_variant_is_named(client):
    for (vendor, type), members in VARIANTS.items():
        for member in members:
            posted = {name: value for name, value in credentials(vendor, type).items() if name != member}
            answer = client.call("POST", PATH, json={"credentials": posted})
            assert (answer.status_code, answer.json["detail"].partition(": ")[0]) == (400, f"credentials.{member}")


NO_OBJECTS = [
    (b"", "application/json"),
    (b"{", "application/json"),
    (b"[]", "application/json"),
    (b'"x"', "application/json"),
    (b"{}", "text/plain"),
    (b"name=x", "application/x-www-form-urlencoded"),
    (b"", None),
]


def test_a_body_that_is_no_json_object_is_a_400(client):
    id = client.store()["id"]
    for data, kind in NO_OBJECTS:
        for method, path in (("POST", PATH), ("PATCH", f"{PATH}/{id}")):
            answer = client.call(method, path, data=data, content_type=kind)
            assert (answer.status_code, answer.json["code"]) == (400, "validation_error"), (method, data)
            assert "body" in answer.json["detail"].lower()


def test_every_character_and_length_that_a_header_can_hold_is_kept(client):
    visible = "".join(map(chr, range(0x21, 0x7F)))
    for secret in (visible, "x", "a b c", "x" * 8192, '","', "Bearer x"):
        body = {"credentials": SOLIS | {"keySecret": secret, "keyID": secret}}
        id = client.call("POST", PATH, json=body).json["id"]
        assert client.secrets(id) == body["credentials"]


def test_names_of_100_characters_and_any_script_are_kept(client):
    for name in ("x" * 100, "Dach-Süd 屋根 🏠", " blank ", '"quoted" <b>'):
        assert client.store(name=name)["name"] == name
        assert [item["name"] for item in client.list() if item["name"] == name] == [name]
