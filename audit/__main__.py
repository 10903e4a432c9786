"""`make audit`: known holes of the dependencies, secrets in the repository, and the Dockerfile.

Ends with 0, with 1 for anything that must be mended, and with 3 where nothing is wrong as far as can be seen, but the
source of known holes could not be reached.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from audit import advisories, secret_scan

ROOT = Path(__file__).resolve().parent.parent
FAULT, UNREACHED = 1, 3


def main(root: Path = ROOT, known: Mapping[str, str] = secret_scan.KNOWN) -> int:
    """Prints a line for each fault on stderr, and one for what was seen on stdout."""
    files = sorted(root.glob("requirements*.txt"))
    url = os.environ.get("AUDIT_OSV_URL", advisories.OSV)
    with ThreadPoolExecutor(len(files) + 1) as threads:
        audits = [threads.submit(advisories.audit, file, url) for file in files]
        dockerfile = threads.submit(lint, root)
        secrets = secret_scan.scan(root, known)
        results = [audit.result() for audit in audits]
        faults = [hole for result in results for hole in result.holes] + secrets + dockerfile.result()
    for fault in faults:
        print(fault, file=sys.stderr)
    unreached = next((result.unreached for result in results if result.unreached), None)
    if unreached:
        print(f"The known holes were NOT checked: {url} cannot be reached ({unreached}).", file=sys.stderr)
    if faults:
        return FAULT
    print("No secret was found, and the Dockerfile is sound.")
    if unreached:
        return UNREACHED
    print(f"No hole is known of {sum(result.checked for result in results)} pinned dependencies.")
    return 0


def lint(root: Path) -> list[str]:
    """The faults of the Dockerfile."""
    program = Path(sys.executable).parent / "hadolint"
    if not (root / "Dockerfile").exists():
        return []
    command = [str(program), "--no-color", "Dockerfile"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=60)
    return (done.stdout + done.stderr).splitlines()


if __name__ == "__main__":
    raise SystemExit(main())
