"""docs/add-a-vendor.md, followed to the letter in a copy of the source tree."""

import pytest

from app.config import ROOT
from tests.book import BLOCK, SourceTree, commands, comparable, merged

# More would be the log of a failure, and no output to show.
MOST_LINES = 40
DOCUMENT = (ROOT / "docs/add-a-vendor.md").read_text()


@pytest.mark.soak
def test_every_command_of_the_page_prints_what_the_page_shows(tmp_path):
    followed = list(SourceTree(tmp_path / "tree").follow(DOCUMENT))
    assert followed
    for command, shown, real in followed:
        assert comparable(real) == comparable(shown), (
            f"$ {command}\n`python -m tests.book docs/add-a-vendor.md` writes it"
        )


def test_every_block_of_the_page_is_a_file_or_a_command_with_its_output():
    blocks = list(BLOCK.finditer(DOCUMENT))
    assert DOCUMENT.count("\n```") == 2 * len(blocks)
    for block in blocks:
        assert block["path"] or block["kind"] == "console", block[0]
        if not block["path"]:
            for _, output in commands(block["body"]):
                assert 0 < len(output.splitlines()) <= MOST_LINES, output


def test_a_change_of_a_module_replaces_what_it_names_and_adds_what_is_new():
    module = "from a import b\nfrom c import d\n\n\ndef f():\n    return b\n\n\ndef g():\n    return d\n"
    changes = "from c import d, e\nfrom x import y\n\n\ndef f():\n    return e\n\n\ndef h():\n    return y\n"
    assert merged(module, changes) == (
        "from a import b\nfrom x import y\nfrom c import d, e\n\n\ndef f():\n    return e\n\n\ndef g():\n    return d\n"
        "\n\ndef h():\n    return y\n"
    )


def test_numbers_of_passing_tests_do_not_count_and_those_of_failing_ones_do():
    assert comparable("1 failed, 30 passed, 2 skipped") == comparable("1 failed, 31 passed, 3 skipped")
    assert comparable("1 failed, 30 passed") != comparable("2 failed, 30 passed")
