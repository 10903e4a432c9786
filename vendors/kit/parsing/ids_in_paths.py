"""Checks of vendors' ids before they become part of a URL."""

import re

PATH_PART = re.compile(r"(?!\.+\Z)[A-Za-z0-9 ._~:@!$&'()*+,;=-]{1,200}\Z")


def fits_path(part: str) -> bool:
    """Whether an id can stand in a URL's path without leading anywhere else."""
    # Fast path: nearly all ids consist of letters and digits.
    return (part.isascii() and part.isalnum() and len(part) <= 200) or PATH_PART.match(part) is not None
