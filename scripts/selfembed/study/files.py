"""Check config files for duplicate keys, of which YAML silently keeps the last."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from selfembed.errors import InputError


def check(paths: Iterable[Path]) -> None:
    """Raise InputError with one line for each duplicate key in config files."""
    problems = [
        f"{path}: duplicate key '{key}' in lines {first} and {again}; expected: one"
        for path in paths
        for key, first, again in duplicates(yaml.compose(Path(path).read_text("utf-8"), yaml.SafeLoader), set())
    ]
    if problems:
        raise InputError("\n".join(problems))


def duplicates(node: yaml.Node | None, seen: set[int]) -> Iterator[tuple[str, int, int]]:
    """Yield every duplicate key of a group with its lines, counted from 1; visit anchored nodes once."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from duplicates(item, seen)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in lines:
                    yield key.value, lines[key.value], line
                lines[key.value] = line
            yield from duplicates(value, seen)
