"""Read config files as Snakemake does, and check them for duplicate keys, of which YAML silently keeps the last."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config

from selfembed.errors import InputError
from selfembed.jobs import seals
from selfembed.settings.report import Report
from selfembed.settings.schema import Settings
from selfembed.study.validation import load

CHECKOUT = Path(__file__).parents[3]


def read(paths: Sequence[Path], replaced: dict[str, Any]) -> Settings:
    """Read and validate config files; later files replace keys of earlier ones, and `replaced` those of all.

    Raises InputError with one line for each problem.
    """
    for path in paths:
        if not path.is_file():
            raise InputError(f"'{path}' does not exist; expected: a config file")
    check(paths)
    found: dict[str, Any] = {}
    for part in [*(yaml.safe_load(path.read_text(encoding="utf-8")) or {} for path in paths), replaced]:
        update_config(found, part)
    return load(found)


def read_with_report(config: Path) -> tuple[Settings, Report]:
    """Read and validate a config that has a report; return its settings and those of the report.

    Raises InputError if it has none.
    """
    settings = read([config], {})
    if settings.report is None:
        raise InputError(f"{config}: report: missing; expected: a config that `selfembed propose` wrote, or a report")
    return settings, settings.report


def finished(path: Path, config: Path) -> Path:
    """Return the path of a result of a config.

    Raises InputError if it is missing or does not match its seal.
    """
    if not path.exists():
        raise InputError(f"{path}: missing; expected: a finished study ({adapt_command(config)})")
    return seals.opened(path)


def adapt_command(config: Path, folder: Path | None = None) -> str:
    """Return the command that runs a config for your own texts from a folder, by default the working directory."""
    snakefile = [] if (folder or Path.cwd()) == CHECKOUT else ["--snakefile", str(CHECKOUT / "Snakefile")]
    return shlex.join(["snakemake", "adapt", *snakefile, "--configfile", str(config), "--cores", "all"])


def check(paths: Iterable[Path]) -> None:
    """Raise InputError with one line for each duplicate key in config files."""
    problems = [
        f"{path}: duplicate key '{key}' in lines {first} and {again}; expected: one"
        for path in paths
        for key, first, again in duplicates(
            yaml.compose(Path(path).read_text(encoding="utf-8"), yaml.SafeLoader), set()
        )
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
