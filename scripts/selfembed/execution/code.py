"""Find the source files of a script, and compare them by syntax, so that an edit reruns only what it can change."""

import ast
import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from selfembed.jobs.records import APART, PAGE_PARTS

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


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
        waiting += library_files(path, root)
    packages = [path.parent for path in found if path.name == "__init__.py"]
    others = [file for folder in packages for file in folder.iterdir() if file.suffix in PAGE_PARTS]
    return sorted(map(str, [*(path for path in found if read(path)[0]), *others]))


@cache
def library_files(path: Path, root: Path) -> list[Path]:
    """Return the library files below a folder that a file imports, and the packages around them."""
    files = []
    for module in read(path)[1]:
        place = root
        for part in module.split("."):
            place /= part
            files += [file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file()]
    return files


@cache
def read(path: Path) -> tuple[bool, set[str]]:
    """Return whether a file has more than a docstring, and the dotted names of library modules that it imports.

    They may include names of functions. The syntax tree is large and is not kept.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = set()
    for statement in statements(tree.body):
        if isinstance(statement, ast.Import):
            modules.update(alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and statement.level == 0:
            modules.update(f"{statement.module}.{alias.name}" for alias in statement.names)
    has_statements = len(tree.body) > (ast.get_docstring(tree) is not None)
    return has_statements, {module for module in modules if module.split(".")[0] == "selfembed"}


def statements(block: list) -> Iterator[ast.AST]:
    """Yield the statements of a block and of all blocks inside them; expressions contain none."""
    for statement in block:
        yield statement
        for inner in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from statements(getattr(statement, inner, []))


def compare_by_syntax(files: Any, folder: Path) -> None:
    """Let Snakemake compare the Python files in a folder by their syntax trees instead of their bytes.

    Snakemake reruns a job if an input is newer than the outputs and its checksum is another than the recorded one. It
    records a name of the algorithm with a checksum and asks for the same one later. Here, a checksum of a Python file
    is the SHA-512 of its syntax tree. Where Snakemake asks for another algorithm, the SHA-256 of the bytes in results
    of earlier versions, it is the checksum of the bytes.

    Args:
        files: Snakemake's class of input and output files, whose method `checksum` is replaced.
        folder: absolute path.
    """
    of_bytes = files.checksum

    async def checksum(file: Any, threshold: int | None = None, force: bool = False, algorithm: Any = None) -> Any:
        path = Path(os.path.abspath(file))
        if algorithm in (None, "sha512") and path.suffix == ".py" and folder in path.parents and path.is_file():
            written = path.stat()
            return f"sha512:{checksum_of_syntax(path, written.st_mtime_ns, written.st_size)}"
        return await of_bytes(file, threshold, force=force, algorithm=algorithm)

    files.checksum = checksum


@cache
def checksum_of_syntax(path: Path, *_written: int) -> str:
    """Return the SHA-512 of the syntax tree of a Python file without docstrings, or of its bytes if it has errors.

    Args:
        _written: time and size of the file, so that an edited file has another checksum.
    """
    content = path.read_bytes()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):  # in the middle of an edit
        return hashlib.sha512(content).hexdigest()
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            del node.body[0]
    return hashlib.sha512(ast.dump(tree).encode()).hexdigest()
