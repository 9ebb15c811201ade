"""Lineage of results: the chain of seals from a figure, table or model to the data."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfembed.errors import InputError
from selfembed.jobs import seals


@dataclass
class Lineage:
    """Everything that results depend on.

    Attributes:
        made_by: provenance of every result of the chain, last step first.
        data: checksums of inputs that were not written by a step.
        changed: inputs whose content has changed since they were read.
    """

    made_by: dict[Path, dict[str, Any]] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)


def lineage(*units: Path) -> Lineage:
    """Follow the seals from results to the data.

    Raises InputError if a seal is damaged.
    """
    found, waiting = Lineage(), list(units)
    while waiting:
        unit = waiting.pop(0)
        if unit in found.made_by:
            continue
        found.made_by[unit] = seals.read(unit)["made_by"]
        found.changed |= set(changed(found.made_by[unit]))
        for path, checksum in found.made_by[unit]["inputs"].items():
            if maker := seals.covering(Path(path)):
                waiting.append(maker)
            else:
                found.data[path] = checksum
    return found


def made(path: Path) -> Path:
    """Return the result that contains a path.

    Raises InputError if the path was not written by a step.
    """
    unit = seals.covering(path)
    if unit is None:
        raise InputError(f"{path}: has no seal; expected: a result written by a step of this version")
    return unit


def changed(made_by: dict[str, Any]) -> list[str]:
    """Return inputs whose content has changed since they were read; missing inputs without a seal are not included."""
    return [path for path, checksum in made_by["inputs"].items() if differs(Path(path), checksum)]


def differs(path: Path, checksum: str) -> bool:
    """Return whether a path has another checksum, in its seal if it has one.

    False if it has neither a file nor a seal, or if its seal is damaged.
    """
    try:
        return (path.exists() or seals.covering(path) is not None) and seals.recorded(path) != checksum
    except InputError:
        return False
    except FileNotFoundError:  # the result was removed, and the last one did not contain the path
        return True


def text(unit: Path, found: Lineage) -> str:
    """Format a lineage as text: data, code, versions, machines and commands of all steps."""
    steps = found.made_by.values()
    commands = dict.fromkeys(map(command, steps))
    versions = {("Python", step["python"]) for step in steps} | {
        package for step in steps for package in step["packages"].items()
    }
    facts = {
        "data": [f"{path} (SHA-256 {checksum})" for path, checksum in sorted(found.data.items())] or ["none"],
        "changed since": sorted(found.changed),
        "code": dict.fromkeys(f"commit {step['commit'] or 'unknown'} (SHA-256 {step['code']})" for step in steps),
        "versions": [f"{name} {version}" for name, version in sorted(versions)],
        "machine": dict.fromkeys(step["machine"] for step in steps),
        f"settings, in {len(commands)} steps, the last one first": commands,
    }
    lines = [str(unit)]
    for name, words in facts.items():
        if words:
            lines += [f"  {name}", *(f"    {word}" for word in words)]
    return "\n".join(lines)


def command(step: dict[str, Any]) -> str:
    """Return the shell command of a step; its arguments contain its settings."""
    return shlex.join(["python", f"scripts/{step['script']}", *step["arguments"]])
