"""Prose from docstrings: what is kept and what is dropped."""

import subprocess
import sys
from pathlib import Path

import pytest

from selfembed.errors import InputError
from selfembed.texts import python_docs

NUMPYDOC = """Compute a thing with ``care`` and :func:`~pkg.mod.other`.

It has *two* paragraphs, and this one
spans lines.

Parameters
----------
x : array_like
    Never to be seen.

    Nor this second paragraph of it.

Notes
-----
Notes are prose. See the formula

.. math:: a = b

and these words stay.

>>> compute(1)
2

Examples
--------
This sentence introduces an example.

>>> compute(2)
"""

GOOGLE = """Google style starts here.

Args:
    x: Never to be seen.

        Nor an indented paragraph.
Returns:
    Never.

After the sections, prose again::

    code = "never"

- a list item

The end.
"""


def test_numpydoc():
    assert python_docs.prose(NUMPYDOC) == (
        "Compute a thing with care and pkg.mod.other. It has two paragraphs, and this one spans lines. "
        "Notes are prose. See the formula and these words stay. This sentence introduces an example."
    )


def test_google_style():
    assert python_docs.prose(GOOGLE) == "Google style starts here. After the sections, prose again: The end."


@pytest.mark.parametrize(
    "block",
    [
        "| a | b |",
        ">>> x = 1",
        ".. note:: this",
        "* item",
        "1. item",
        ":param x: it",
        "x = y**2 + 3*z - 4/5",
        "x : int",
    ],
)
def test_blocks_that_are_not_prose(block):
    assert python_docs.prose(block) == ""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package on the path whose import would fail."""
    folder = tmp_path / "pack_of_docs"
    (folder / "sub" / "tests").mkdir(parents=True)
    (folder / "__init__.py").write_text('"""The package itself."""\nraise RuntimeError("imported")\n')
    (folder / "sub" / "__init__.py").write_text("")
    (folder / "sub" / "mod.py").write_text(
        'class Thing:\n    """A thing."""\n\n'
        '    def act(self):\n        """It acts."""\n\n'
        '    def _hide(self):\n        """Hidden."""\n'
    )
    (folder / "sub" / "broken.py").write_text("not Python at all")
    (folder / "sub" / "tests" / "test_mod.py").write_text('"""A test."""\n')
    monkeypatch.syspath_prepend(tmp_path)
    return "pack_of_docs"


def test_extract_reads_sources_without_importing_them(package):
    table = python_docs.extract([package])
    assert table.to_records(index=False).tolist() == [
        ("pack_of_docs", "pack_of_docs", "The package itself."),
        ("pack_of_docs.sub.mod.Thing", "pack_of_docs.sub", "A thing."),
        ("pack_of_docs.sub.mod.Thing.act", "pack_of_docs.sub", "It acts."),
    ]
    assert package not in sys.modules


@pytest.mark.slow
def test_processes_do_not_change_the_result():
    assert python_docs.extract(["networkx"], processes=2).equals(python_docs.extract(["networkx"], processes=1))


def test_a_missing_package_is_one_clear_line():
    for name in ("no_such_package", "no_such.package", "json.decoder"):
        with pytest.raises(InputError, match=f"package '{name}' is not installed"):
            python_docs.extract([name])


def test_the_script_ends_in_one_line(tmp_path):
    script = Path(python_docs.__file__).parents[2] / "extract_python_docs.py"
    command = [sys.executable, str(script), "--packages", "no_such_package", "--output", str(tmp_path / "x.parquet")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: package 'no_such_package' is not installed")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
