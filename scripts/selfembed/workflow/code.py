"""Find the source files of a script, so that an edit reruns only the steps that it can change."""

import ast
from functools import cache
from pathlib import Path

from selfembed.jobs.records import APART, PAGE_PARTS

LIBRARY = "selfembed"


@cache
def code(script: Path) -> list[str]:
    """Return the script and all library files that it imports, directly or indirectly, in a stable order.

    Read from the source: `import selfembed.a`, `from selfembed import a` and `from selfembed.a import b`, anywhere in
    the file. Importing a module also runs the packages around it; files without statements are left out, because every
    input file of a job takes time in planning. Other files of a package, such as a page and its style, are code, too.
    Library files are looked up beside the script. Folders that decide no result by themselves (`records.APART`) are
    left out: a step gets their values as arguments, which are parameters of its rule.
    """
    root = script.parent
    found: dict[Path, None] = {}
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path in found or APART & set(path.relative_to(root).parts):
            continue
        found[path] = None
        for module in imported(path):
            place = root
            for part in module.split("."):
                place /= part
                waiting.extend(file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file())
    packages = [path.parent for path in found if path.name == "__init__.py"]
    others = [file for folder in packages for file in folder.iterdir() if file.suffix in PAGE_PARTS]
    return sorted(map(str, [*filter(has_statements, found), *others]))


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def has_statements(path: Path) -> bool:
    """Return whether a file contains anything but a docstring."""
    statements = parsed(path).body
    return len(statements) > (ast.get_docstring(parsed(path)) is not None)


@cache
def imported(path: Path) -> set[str]:
    """Return the dotted names of library modules that a file imports; they may include names of functions."""
    modules = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            modules.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {module for module in modules if module.split(".")[0] == LIBRARY}
