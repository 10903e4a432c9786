"""Ids of vendors in URLs."""

import re

PATH_PART = re.compile(r"(?!\.+\Z)[A-Za-z0-9 ._~:@!$&'()*+,;=-]{1,200}\Z")


def fits_path(part: str) -> bool:
    """Whether an id can stand in a URL's path without leading anywhere else."""
    # Nearly all are letters and digits alone.
    return (part.isascii() and part.isalnum() and len(part) <= 200) or PATH_PART.match(part) is not None
