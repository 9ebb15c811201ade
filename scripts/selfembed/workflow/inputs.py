"""What rules make of names and inputs: patterns of wildcards, files as flags, and many paths in few words."""

import re
import shlex
from collections.abc import Callable, Iterable
from typing import Any, Protocol


class Wildcards(Protocol):
    """The wildcards of a job, as attributes."""

    def __getattr__(self, name: str) -> str: ...


class Inputs(Protocol):
    """The named inputs of a job, as attributes: a path or a list of paths each."""

    def __getattr__(self, name: str) -> Any: ...


def one_of(names: Iterable[str]) -> str:
    """A pattern of a wildcard that takes one of these values; of no value, if there are none."""
    return "|".join(map(re.escape, names)) or "none-of-this-kind"


def named(group: dict[str, Any], *kinds: type) -> str:
    """A pattern of the names in a group of settings that are of some kinds."""
    return one_of(name for name, item in group.items() if isinstance(item, kinds))


def file_flags(*names: str) -> Callable[[Wildcards, Inputs], str]:
    """A params function: every input of these names, if the job has it, as a flag of the same name."""

    def words(wildcards: Wildcards, input: Inputs) -> str:
        found = ((name, getattr(input, name)) for name in names)
        files = {name: [paths] if isinstance(paths, str) else paths for name, paths in found if paths}
        return " ".join(f"--{name.replace('_', '-')} {shlex.join(paths)}" for name, paths in files.items())

    return words


def braced(paths: Iterable[str]) -> list[str]:
    """Patterns that bash expands to these paths: a part in which alone some differ is written as {a,b}.

    Thousands of paths would not fit into one command. The order may change.

    >>> braced(["a/1/x", "a/2/x", "a/1/y", "a/2/y", "b/1/x"])
    ['a/{1,2}/{x,y}', 'b/1/x']
    """
    found = [tuple(path.split("/")) for path in paths]
    for place in reversed(range(max(map(len, found), default=0))):
        alike: dict[tuple[str | None, ...], dict[str, None]] = {}
        for parts in found:
            if place < len(parts):
                alike.setdefault((*parts[:place], None, *parts[place + 1 :]), {})[parts[place]] = None
            else:
                alike[parts] = {}
        found = [tuple(one_word(words) if part is None else part for part in parts) for parts, words in alike.items()]
    return ["/".join(parts) for parts in found]


def one_word(words: Iterable[str]) -> str:
    """A word that bash expands to all of these."""
    first, *others = words
    return f"{{{','.join([first, *others])}}}" if others else first
