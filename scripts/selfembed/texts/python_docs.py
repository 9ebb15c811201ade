"""Docstrings of installed Python packages as a labelled corpus that requires no download.

Sources are parsed with :mod:`ast` and not imported. Only prose is kept: parameter lists, doctests, directives, code and
formulas are dropped.
"""

import ast
import inspect
import itertools
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from selfembed.jobs.command_line import log
from selfembed.jobs.packages import package_folder

SKIPPED_FOLDERS = {"tests", "test", "testing", "_vendor", "externals", "_externals", "vendored_packages"}

# numpydoc and Google-style sections that contain lists, code or references instead of prose.
LIST_SECTIONS = {
    "args",
    "arguments",
    "attributes",
    "authors",
    "keyword args",
    "keyword arguments",
    "kwargs",
    "methods",
    "other parameters",
    "parameters",
    "params",
    "properties",
    "raises",
    "receives",
    "reference",
    "references",
    "return",
    "return type",
    "return value",
    "returns",
    "see also",
    "shape",
    "shapes",
    "variables",
    "warns",
    "yields",
}
UNDERLINE = re.compile(r"^([=\-~^\"'#*+])\1{2,}$")
LIST_ITEM = re.compile(r"^([-*+•]|\d+[.)]|\(\w\)|\[\w+\])\s")
FIELD = re.compile(r"^(:\w[^:]*:|@\w+)")
DEFINITION = re.compile(r"^\*{0,2}\w+\*{0,2}\s*(\([^)]*\))?\s*:(\s|$)")
ROLE = re.compile(r":(?:[a-z]+:)*[a-z]+:`~?([^`<]+)(?:<[^>]*>)?`")
LITERAL = re.compile(r"`+~?([^`]*)`+_*")
EMPHASIS = re.compile(r"\*{1,2}(\S[^*]*?)\*{1,2}")


def extract(packages: list[str], processes: int = 1) -> pd.DataFrame:
    """Collect the docstrings of packages in a deterministic order.

    Returns a frame with the columns `title` (qualified name), `package` (package.subpackage) and `text` (prose
    paragraphs joined by a space). Docstrings without prose are excluded.

    Raises InputError if a package is not installed.
    """
    files = [(folder.parent, path) for folder in map(package_folder, packages) for path in sorted(folder.rglob("*.py"))]
    with ProcessPoolExecutor(processes) as pool:
        rows = itertools.chain.from_iterable(pool.map(texts_of_file, *zip(*files, strict=True), chunksize=50))
        return pd.DataFrame(rows, columns=["title", "package", "text"])


def texts_of_file(root: Path, path: Path) -> list[tuple[str, str, str]]:
    """Return (title, package.subpackage, prose) of every docstring in a source file below `root`."""
    parts = path.relative_to(root).with_suffix("").parts
    if SKIPPED_FOLDERS.intersection(parts):
        return []
    package = ".".join(parts[:-1][:2])
    module = ".".join(parts).removesuffix(".__init__")
    texts = [(title, package, prose(docstring)) for title, docstring in docstrings(path, module)]
    return [row for row in texts if row[2]]


def docstrings(path: Path, module: str) -> Iterator[tuple[str, str]]:
    """Yield (qualified name, dedented docstring) of a module, its public classes and functions."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
    except (SyntaxError, ValueError) as error:
        log.warning("%s is skipped: %s", path, error)
        return
    waiting = [(module, tree)]
    while waiting:
        name, node = waiting.pop(0)
        docstring = ast.get_docstring(node, clean=False)
        if docstring:
            yield name, inspect.cleandoc(docstring)
        waiting.extend(
            (f"{name}.{child.name}", child)
            for child in node.body
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and not child.name.startswith("_")
        )


def prose(docstring: str) -> str:
    r"""Return the prose paragraphs of a docstring without markup.

    >>> prose("Add two numbers.\n\nParameters\n----------\nx : int\n    The first.\n")
    'Add two numbers.'
    """
    kept = []
    list_section = None
    code_follows = False
    for block in re.split(r"\n\s*\n", docstring):
        lines = block.strip("\n").splitlines()
        heading = heading_of(lines)
        if heading is not None:
            lines = lines[heading.lines :]
            list_section = heading if heading.title.lower() in LIST_SECTIONS else None
        if not lines:
            continue
        indented = lines[0][:1].isspace()
        if list_section and not list_section.underlined and heading is None and not indented:
            list_section = None  # a Google-style section ends where the indentation does
        paragraph = " ".join(line.strip() for line in lines)
        is_code = indented and code_follows
        code_follows = paragraph.endswith("::") or is_code
        if list_section is None and not is_code and is_prose(lines):
            kept.append(without_markup(paragraph))
    return " ".join(kept)


class Heading(NamedTuple):
    """A section heading in a docstring, and its number of lines."""

    title: str
    lines: int
    underlined: bool


def heading_of(lines: list[str]) -> Heading | None:
    """Return the heading at the start of a block: underlined (numpydoc) or with a colon (Google style)."""
    if len(lines) >= 2 and UNDERLINE.match(lines[1].strip()):
        return Heading(lines[0].strip().rstrip(":"), 2, underlined=True)
    if len(lines) >= 3 and UNDERLINE.match(lines[0].strip()) and UNDERLINE.match(lines[2].strip()):
        return Heading(lines[1].strip(), 3, underlined=True)
    if lines and lines[0].strip().endswith(":") and lines[0].strip().rstrip(":").lower() in LIST_SECTIONS:
        return Heading(lines[0].strip().rstrip(":"), 1, underlined=False)
    return None


def is_prose(lines: list[str]) -> bool:
    """Return whether a block is prose: no directive, doctest, list, field, table or formula."""
    first = lines[0].strip()
    if first.startswith(("..", ">>>", "|", "+-", "```", "$", "%", "@")):
        return False
    if LIST_ITEM.match(first) or FIELD.match(first) or DEFINITION.match(first):
        return False
    if any(">>>" in line or UNDERLINE.match(line.strip()) for line in lines):
        return False
    if len(lines) > 1 and lines[1][:1].isspace() and not lines[0][:1].isspace():
        return False
    text = without_markup(" ".join(lines))
    letters = sum(character.isalpha() or character.isspace() for character in text)
    return letters > 0.8 * len(text)


def without_markup(paragraph: str) -> str:
    """Remove reStructuredText roles, literals and emphasis, and collapse white space."""
    paragraph = ROLE.sub(r"\1", paragraph)
    paragraph = LITERAL.sub(r"\1", paragraph)
    paragraph = EMPHASIS.sub(r"\1", paragraph)
    return " ".join(paragraph.replace("::", ":").split())
