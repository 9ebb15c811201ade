"""What Snakemake does not say about a config file: keys that come twice, of which YAML keeps the last."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from selfembed.errors import InputError


def check(paths: Iterable[Path]) -> None:
    """Check that no group of keys in some config files has a key twice.

    Raises InputError with one line for each that does.
    """
    problems = [
        f"{path}: key '{key}' comes twice, in lines {first} and {again}; expected: once"
        for path in paths
        for key, first, again in repeated(yaml.compose(Path(path).read_text(encoding="utf-8"), yaml.SafeLoader), set())
    ]
    if problems:
        raise InputError("\n".join(problems))


def repeated(node: yaml.Node | None, seen: set[int]) -> Iterator[tuple[str, int, int]]:
    """Every key that comes twice in a group, with its lines (from 1); an anchored node is looked at once."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from repeated(item, seen)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if key.value in lines:
                    yield key.value, lines[key.value], line
                lines[key.value] = line
            yield from repeated(value, seen)
