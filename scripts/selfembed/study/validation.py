"""Validate a config before any job starts; every problem is one line: key path, value, expected values."""

import csv
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from selfembed.errors import InputError
from selfembed.evidence import published
from selfembed.models import checkpoints
from selfembed.settings.corpora import FolderSource
from selfembed.settings.encoders import FolderEncoder
from selfembed.settings.report import PACKAGES
from selfembed.settings.schema import Settings
from selfembed.settings.scores import LocalTask
from selfembed.study import adapted, claimed, places
from selfembed.study.checks.config import check
from selfembed.study.expansion import expand
from selfembed.study.messages import describe
from selfembed.tasks import task_files
from selfembed.training import tracking


def load(config: dict[str, Any]) -> Settings:
    """Validate a config and return its settings.

    Raises InputError with one line for every invalid key, value, name or combination.
    """
    try:
        settings = Settings.model_validate(config)
    except ValidationError as error:
        raise InputError("\n".join(dict.fromkeys(describe(problem, Settings) for problem in error.errors()))) from None
    problems = list(dict.fromkeys(check(settings)))
    if not problems:
        study = expand(settings)
        problems = [*places.check(settings, study), *adapted.check(settings, study), *claimed.check(settings, study)]
    if problems:
        raise InputError("\n".join(problems))
    return settings


def missing_packages(settings: Settings) -> None:
    """Check the packages that exports and the tracker need and that are not part of every installation.

    Raises InputError with one line for each export that lacks some, and for the tracker.
    """
    lacking = {
        export: [package for package in PACKAGES.get(export, ()) if find_spec(package) is None]
        for export in (settings.report.exports if settings.report else ())
    }
    missing = [
        f"report.exports: '{export}' needs {', '.join(packages)}, not installed; expected: the packages of "
        "requirements.lock, or another export"
        for export, packages in lacking.items()
        if packages
    ]
    if untracked := tracking.problem(settings.report_to):
        missing.append(untracked)
    if missing:
        raise InputError("\n".join(missing))


def missing_sources(settings: Settings, texts: bool = True) -> None:
    """Check the local files and folders of a config.

    Args:
        texts: whether files of texts are local.

    Raises InputError with one line for each missing file or folder and each invalid published number.
    """
    named = [
        (f"corpora.{name}.source.{key}", path, "", "a file")
        for name, corpus in settings.corpora.items()
        for key in (("path", "keyword_classes") if texts else ("keyword_classes",))
        if (path := getattr(corpus.source, key, None)) is not None
        if not isinstance(corpus.source, FolderSource)
    ] + [
        (f"encoders.{name}.adapter", encoder.adapter, "adapter_config.json", "a folder with adapter_config.json")
        for name, encoder in settings.encoders.items()
        if isinstance(encoder, FolderEncoder) and encoder.adapter is not None
    ]
    if settings.published is not None:
        named.append(("published", settings.published, "", "a file"))
    missing = [
        f"{key}: {path!r} does not exist; expected: {kind}"
        for key, path, inside, kind in named
        if not Path(path, inside).is_file()
    ]
    missing += [*missing_weights(settings), *missing_task_files(settings)]
    missing += [
        f"corpora.{name}.source.path: {corpus.source.path!r} is not a folder; expected: a folder with text files"
        for name, corpus in settings.corpora.items()
        if isinstance(corpus.source, FolderSource) and not Path(corpus.source.path).is_dir()
    ]
    if settings.published is not None and Path(settings.published).is_file():
        missing += published_problems(settings.published)
    if missing:
        raise InputError("\n".join(missing))


def missing_weights(settings: Settings) -> list[str]:
    """Return one line for each folder of an encoder without weights."""
    found = []
    for name, encoder in settings.encoders.items():
        try:
            if isinstance(encoder, FolderEncoder):
                checkpoints.weight_files(Path(encoder.path))
        except InputError as error:
            found.append(f"encoders.{name}.path: {error}")
    return found


def missing_task_files(settings: Settings) -> list[str]:
    """Return one line for each task with missing files."""
    found = []
    for name, task in settings.tasks.items():
        try:
            if isinstance(task, LocalTask) and task.files:
                for file in task_files.FILES[task.type]:
                    task_files.find(Path(task.files), file)
        except InputError as error:
            found.append(f"tasks.{name}.files: {error}")
    return found


def published_problems(path: str) -> list[str]:
    """Return one line if published numbers cannot be read or lack columns, or for each with invalid noise."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        return [f"published: {path!r} cannot be read: {error}; expected: CSV in UTF-8"]
    header = rows[0] if rows else []
    lacking = ", ".join(name for name in published.NEEDED_COLUMNS if name not in header)
    if lacking:
        needed = ", ".join(published.NEEDED_COLUMNS)
        return [f"published: {path!r} has no column {lacking}; expected: CSV with {needed}"]
    numbers = (published.problem(dict(zip(header, row, strict=False))) for row in rows[1:])
    return [f"published: {path!r}, number {n}: {problem}" for n, problem in enumerate(numbers, 1) if problem]


def check_target_names(settings: Settings, taken: set[str]) -> None:
    """Raise InputError with one line for each figure or table whose name is a rule's, a script's or a figure's."""
    clashes = [
        f"{key}.{name}: the name is used by a rule; expected: another name"
        for key, group in (("figures", settings.figures), ("tables", settings.tables))
        for name in group
        if name in taken or (key == "tables" and name in settings.figures)
    ]
    if clashes:
        raise InputError("\n".join(clashes))
