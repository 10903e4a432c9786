"""Secrets in the files that git keeps, by detect-secrets, without those that are made up."""

import hashlib
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

# Minified code of others, whose hash a test holds.
VENDORED = re.compile(r"(^|/)vendored/")
# Values that show that they are made up, and why.
SPEAKING: Mapping[str, str] = {
    r".*(sentinel|made-up|sandbox|sesame|example).*": "a word says that it is made up",
    r"[A-Za-z]{1,10}\d{0,2}|the secret that .*": "a word or a sentence is no generated secret",
    r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)": "a time is no secret",
    r"(.)\1*|(0123456789abcdef)+": "no generated secret is this regular",
}
# Values that look random, by the beginning of their SHA-256, and why they are none.
KNOWN: Mapping[str, str] = {
    "0d299b1e": "the code verifier of RFC 7636, appendix B",
    "13d31e96": "the code challenge of RFC 7636, appendix B",
    "189759fa": "the name of a member of the database",
    "1b00b5bc": "the hash of a vendored file",
    "23b662a1": "an unsigned token of a made-up owner",
    "40fc3a07": "a ciphertext of made-up members under a made-up key, to hold the format",
    "43610ebc": "the same, its third line",
    "7493998a": "a trace id of an error that was made up in its form",
    "7510f0be": "the same ciphertext, its second line",
    "7fa96b85": "the text: a newer secret",
    "896ddc16": "a reference number of an error that was made up in its form",
    "8a950990": "the hash of a vendored file",
    "984ca516": "the text: a secret",
    "a4db231a": "the hash of a vendored file",
    "c52a4ec9": "a made-up password with an escaped character in a made-up URL",
    "f1b4f3f9": "the signature of a test vector whose key is 0123456789abcdef twice",
    "f80d042f": "the id of a request in an example",
    "fc93b3c2": "the id of a grid profile, as the sandbox plays it",
    "fc97bb52": "the text: new-secret",
}


def scan(root: Path, known: Mapping[str, str] = KNOWN) -> list[str]:
    """A line for each value that may be a secret, without the value; and for each line of `known` that none needs."""
    with default_settings():
        secrets = SecretsCollection(str(root))
        secrets.scan_files(*_files(root), num_processors=os.cpu_count())
    faults, needed = [], set()
    for name, secret in secrets:
        value = secret.secret_value or ""
        needed.add(digest(value))
        if not is_made_up(value) and digest(value) not in known:
            advice = f"remove and revoke it, or add {digest(value)} to KNOWN in audit/secret_scan.py with the reason"
            faults.append(f"{name}:{secret.line_number}: {secret.type}: {advice}")
    unused = [f"audit/secret_scan.py: no file has the value {unused} of KNOWN" for unused in known.keys() - needed]
    return sorted(faults + unused)


def _files(root: Path) -> list[str]:
    """The files that git keeps."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True, timeout=60)
    names = (name for name in listed.stdout.split("\0") if name and not VENDORED.search(name))
    return [name for name in names if (root / name).is_file()]


def is_made_up(value: str) -> bool:
    """Whether the value shows that it is no secret."""
    return any(re.fullmatch(pattern, value) for pattern in SPEAKING)


def digest(value: str) -> str:
    """The beginning of the value's SHA-256: too short to be taken for a secret itself."""
    return hashlib.sha256(value.encode()).hexdigest()[:8]
