"""docs/security.md names only tests that there are."""

import re

from styletransfer.catalog import REPOSITORY

TEXT = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_exists():
    files = set(re.findall(r"`(tests/[\w/]+\.py)`", TEXT))
    assert len(files) > 10
    for row in TEXT.splitlines():
        named = re.findall(r"`(test_\w+)`", row)
        sources = [(REPOSITORY / path).read_text(encoding="utf-8") for path in re.findall(r"`(tests/[\w/]+\.py)`", row)]
        for name in named:
            assert any(f"def {name}(" in source for source in sources), name
