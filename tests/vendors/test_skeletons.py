"""Nothing of a new vendor's skeleton is left to write."""

import pytest

from app.config import ROOT
from tests.vendors.skeletons import unwritten
from tests.vendors.test_folders import FOLDERS


@pytest.mark.parametrize("vendor", FOLDERS)
def test_nothing_of_a_skeleton_is_left_to_write(vendor):
    tasks = list(unwritten(ROOT, vendor))
    if tasks:
        lines = "\n".join(tasks)
        pytest.fail(f"{len(tasks)} places of the skeleton of {vendor} are left, in this order:\n{lines}", pytrace=False)
