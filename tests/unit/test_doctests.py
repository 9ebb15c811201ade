"""Examples in docstrings of the library give what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
WITH_EXAMPLES = [
    ".".join(path.relative_to(SCRIPTS).with_suffix("").parts)
    for path in sorted((SCRIPTS / "selfembed").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_give_what_they_say(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted and not result.failed
