"""Verification of results by their seals: damaged, outdated, or computed with other package versions."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from selfembed.errors import InputError
from selfembed.jobs import seals
from selfembed.jobs.packages import installed_version
from selfembed.provenance import lineage


def sealed(folder: Path) -> Iterator[Path]:
    """Yield all sealed results in a folder and its subfolders."""
    for seal in sorted(folder.rglob(".*.seal")):
        unit = seal.with_name(seal.name.removeprefix(".").removesuffix(".seal"))
        if unit.exists():
            yield unit


def damage(units: list[Path]) -> dict[Path, str]:
    """Return damaged results with a message for each."""
    found = {}
    for unit in units:
        try:
            seals.check(unit)
        except InputError as error:
            found[unit] = str(error).split(";")[0]
    return found


def outdated(units: list[Path]) -> dict[Path, str]:
    """Return results with inputs that have changed or are outdated, with a message for each.

    Args:
        units: results with readable seals. Removed results between them are followed by their seals.
    """
    made_by, makers, waiting = {}, {}, list(units)
    while waiting:
        unit = waiting.pop()
        made_by[unit] = seals.read(unit)["made_by"]
        makers[unit] = [maker for path in made_by[unit]["inputs"] if (maker := seals.covering(Path(path)))]
        waiting += {maker for maker in makers[unit] if maker not in made_by and not maker.exists()}
    old = {
        unit: f"{unit}: outdated, made from another {changed[0]}"
        for unit, found in made_by.items()
        if (changed := lineage.changed(found))
    }
    while followers := {
        unit: f"{unit}: outdated, follows from {maker}"
        for unit in made_by
        for maker in makers[unit]
        if unit not in old and maker in old
    }:
        old |= followers
    return {unit: old[unit] for unit in units if unit in old}


def other_versions(units: list[Path]) -> Counter[tuple[str, str]]:
    """Count results by package version that differs from the installed one."""
    packages = (seals.read(unit)["made_by"]["packages"].items() for unit in units)
    return Counter(
        (name, version) for found in packages for name, version in found if version != installed_version(name)
    )


def verify(folders: list[Path], delete: bool) -> bool:
    """Print damaged and outdated results in folders, optionally delete them; return whether there are none."""
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
