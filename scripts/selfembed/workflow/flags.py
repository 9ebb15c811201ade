"""Patterns of wildcards, and settings and files as command-line flags, so that printed commands can be run by hand."""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from pydantic import BaseModel

from selfembed.jobs.options import is_chosen
from selfembed.scores.measures import Number


class Wildcards(Protocol):
    """The wildcards of a job, as attributes."""

    def __getattr__(self, name: str) -> str: ...


class Inputs(Protocol):
    """The named inputs of a job, as attributes: a path or a list of paths each."""

    def __getattr__(self, name: str) -> Any: ...


def one_of(names: Iterable[str]) -> str:
    """Pattern of a wildcard that takes one of the values; matches nothing without values."""
    return "|".join(map(re.escape, names)) or "none-of-this-kind"


def named(group: dict[str, Any], *kinds: str | type) -> str:
    """Pattern of the names in a group of settings whose `type`, or whose family (a class), is among the given ones."""
    families = tuple(kind for kind in kinds if isinstance(kind, type))
    return one_of(name for name, item in group.items() if item.type in kinds or isinstance(item, families))


def menu_title(group: Mapping[str, Any], name: str) -> str:
    """Title of a figure or table in the menu of the report, which shows only one entry of a title; its name without."""
    titles = [item.title for item in group.values()]
    title = group[name].title
    return (title if titles.count(title) == 1 else f"{title} ({name})") if title else name


def flags(
    settings: BaseModel, omit: tuple[str, ...] = (), keep: tuple[str, ...] | None = None, prefix: str = ""
) -> str:
    """All settings of a group, or those to keep, as `--key value`, quoted for the shell.

    Underscores become hyphens, groups inside are flattened, lists become several values, True is the bare flag, False
    and None are `--no-key`. None, False and empty lists are left out where they are the default. A prefix tells a
    group's flags from those of another with the same keys. `jobs/options.py` reads all this back.
    """
    words = []
    for key, field in type(settings).model_fields.items():
        value = getattr(settings, key)
        without = value is None or value is False
        is_default = value == field.get_default(call_default_factory=True)
        if not is_chosen(key, omit, keep) or (is_default and (without or value == [])):
            continue
        if isinstance(value, BaseModel):
            words.append(flags(value, prefix=prefix))
            continue
        words.append(f"--{'no-' * without}{prefix}{key.replace('_', '-')}")
        if value is not True and not without:
            words.extend(shlex.quote(str(item)) for item in (value if isinstance(value, list) else [value]))
    return " ".join(filter(None, words))


def measures(numbers: dict[str, Number]) -> str:
    """Measures and names of scores as flags."""
    return " ".join(
        f"--measure {shlex.join([name, number.measure, number.heading])}" for name, number in numbers.items()
    )


def file_flags(*names: str) -> Callable[[Wildcards, Inputs], str]:
    """Return a parameter function: each named input, if present, as a flag of the same name."""

    def words(wildcards: Wildcards, input: Inputs) -> str:
        found = ((name, getattr(input, name)) for name in names)
        files = {name: [paths] if isinstance(paths, str) else paths for name, paths in found if paths}
        return " ".join(f"--{name.replace('_', '-')} {shlex.join(paths)}" for name, paths in files.items())

    return words


def braced(paths: Iterable[str]) -> list[str]:
    """Return patterns that bash expands to the paths: parts that differ are written as {a,b}.

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
    """Return a word that bash expands to all words."""
    first, *others = words
    return f"{{{','.join([first, *others])}}}" if others else first
