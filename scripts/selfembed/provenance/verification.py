"""Results against their seals: what is damaged, what is outdated, what was made with other versions."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from selfembed.errors import InputError
from selfembed.jobs import seals
from selfembed.jobs.packages import installed_version
from selfembed.provenance import lineage


def sealed(folder: Path) -> Iterator[Path]:
    """Every result below a folder that has a seal."""
    for seal in sorted(folder.rglob(".*.seal")):
        unit = seal.with_name(seal.name.removeprefix(".").removesuffix(".seal"))
        if unit.exists():
            yield unit


def damage(units: list[Path]) -> dict[Path, str]:
    """What is damaged, with a line that says so."""
    found = {}
    for unit in units:
        try:
            seals.check(unit)
        except InputError as error:
            found[unit] = str(error).split(";")[0]
    return found


def outdated(units: list[Path]) -> dict[Path, str]:
    """What was made from something that has changed since or is outdated itself, with a line that says so.

    Args:
        units: whose seals can be read.
    """
    made_by = {unit: seals.read(unit)["made_by"] for unit in units}
    makers = {unit: [lineage.sealed(path) for path in found["inputs"]] for unit, found in made_by.items()}
    old = {
        unit: f"{unit}: outdated, made from another {changed[0]}"
        for unit, found in made_by.items()
        if (changed := lineage.changed(found))
    }
    while followers := {
        unit: f"{unit}: outdated, follows from {maker}"
        for unit in units
        for maker in makers[unit]
        if unit not in old and maker in old
    }:
        old |= followers
    return old


def other_versions(units: list[Path]) -> Counter[tuple[str, str]]:
    """How many results were made with a package in a version other than the installed one."""
    packages = (seals.read(unit)["made_by"]["packages"].items() for unit in units)
    return Counter(
        (name, version) for found in packages for name, version in found if version != installed_version(name)
    )


def verify(folders: list[Path], delete: bool) -> bool:
    """Print what is damaged or outdated in some folders, delete it if wanted, and return whether nothing is."""
    units = [unit for folder in folders for unit in sealed(folder)]
    problems = damage(units)
    problems |= outdated([unit for unit in units if unit not in problems])
    for unit, problem in problems.items():
        print(f"{problem}; deleted" if delete else problem)
        if delete:
            shutil.rmtree(unit) if unit.is_dir() else unit.unlink()
            seals.place(unit).unlink()
    whole = [unit for unit in units if unit not in problems]
    for (name, version), number in sorted(other_versions(whole).items()):
        print(f"{number} results were made with {name} {version}; installed: {installed_version(name)}")
    print(f"{len(units)} results, {len(problems)} damaged or outdated")
    return not problems
