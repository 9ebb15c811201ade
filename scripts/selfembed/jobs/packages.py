"""Installed Python packages: where they lie."""

import importlib.util
from pathlib import Path

from selfembed.errors import InputError


def package_folder(package: str) -> Path:
    """Folder of an installed package, found without importing it.

    Raises InputError if it is not installed or not a package.
    """
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"package '{package}' is not installed; needed: the import name of a package in this environment"
        )
    return Path(spec.submodule_search_locations[0])
