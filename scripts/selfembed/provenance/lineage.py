"""What results were made from: the chain of seals from a figure, a table or a model down to the data, and its text."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfembed.errors import InputError
from selfembed.jobs import seals


@dataclass
class Lineage:
    """Everything that a result follows from.

    `made_by` says of every result of the chain what made it, the last one first; `data` has the checksums of what no
    step wrote; `changed` are inputs that hold something else now than they did when they were read.
    """

    made_by: dict[Path, dict[str, Any]] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)


def lineage(*units: Path) -> Lineage:
    """The chain from some results down to the data.

    Raises InputError if a seal in it is damaged.
    """
    found, waiting = Lineage(), list(units)
    while waiting:
        unit = waiting.pop(0)
        if unit in found.made_by:
            continue
        found.made_by[unit] = seals.read(unit)["made_by"]
        found.changed |= set(changed(found.made_by[unit]))
        for path, checksum in found.made_by[unit]["inputs"].items():
            if maker := sealed(path):
                waiting.append(maker)
            else:
                found.data[path] = checksum
    return found


def made(path: Path) -> Path:
    """The result that a path is or is part of.

    Raises InputError if no step wrote it.
    """
    unit = seals.covering(path)
    if unit is None:
        raise InputError(f"{path}: has no seal; expected: a result written by a step of this version")
    return unit


def sealed(path: str) -> Path | None:
    """The result that an input is or is part of; None if no step wrote it."""
    unit = seals.covering(Path(path))
    return unit if unit and unit.exists() else None


def changed(made_by: dict[str, Any]) -> list[str]:
    """Inputs that hold something else now than they did when they were read; what is gone does not."""
    return [path for path, checksum in made_by["inputs"].items() if differs(Path(path), checksum)]


def differs(path: Path, checksum: str) -> bool:
    """Whether something else lies at a path; not if nothing does, or if its seal, which says so itself, is damaged."""
    try:
        return path.exists() and seals.recorded(path) != checksum
    except InputError:
        return False


def text(unit: Path, found: Lineage) -> str:
    """What made a result, as text: data, code, versions and machines (several if its steps differ), and commands."""
    steps = list(found.made_by.values())
    commands = distinct(map(command, steps))
    versions = {("Python", step["python"]) for step in steps} | {
        package for step in steps for package in step["packages"].items()
    }
    facts = {
        "data": [f"{path} (SHA-256 {checksum})" for path, checksum in sorted(found.data.items())] or ["none"],
        "changed since": sorted(found.changed),
        "code": distinct(f"commit {step['commit'] or 'unknown'} (SHA-256 {step['code']})" for step in steps),
        "versions": [f"{name} {version}" for name, version in sorted(versions)],
        "machine": distinct(step["machine"] for step in steps),
        f"settings, in {len(commands)} steps, the last one first": commands,
    }
    lines = [str(unit)]
    for name, words in facts.items():
        if words:
            lines += [f"  {name}", *(f"    {word}" for word in words)]
    return "\n".join(lines)


def distinct(words: Iterable[str]) -> list[str]:
    """Each once, in their order."""
    return list(dict.fromkeys(words))


def command(step: dict[str, Any]) -> str:
    """The command of a step, for a shell: its settings are its arguments."""
    return shlex.join(["python", f"scripts/{step['script']}", *step["arguments"]])
