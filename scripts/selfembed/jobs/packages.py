"""Versions and folders of installed Python packages."""

import importlib.metadata
import importlib.util
from pathlib import Path

from selfembed.errors import InputError


def installed_version(package: str) -> str | None:
    """Return the version of a package; None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def package_folder(package: str) -> Path:
    """Return the folder of an installed package without importing it.

    Raises InputError if it is not installed or not a package.
    """
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"package '{package}' is not installed; expected: the import name of a package in this environment"
        )
    return Path(spec.submodule_search_locations[0])
