"""Files of data sets on the Hugging Face hub, by subset and split."""

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from selfembed.downloads import hub
from selfembed.errors import InputError

EXTENSIONS = (".parquet", ".jsonl", ".json", ".csv", ".tsv")  # the first one found is read
NOT_DATA = ("dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json")
SPLITS = ("train", "test", "validation", "dev")
PATTERNS = dict[str, list[str]]  # of file names, by split


def fetch(repository: str, revision: str, split: str, subset: str | None, folder: Path) -> list[Path]:
    """Download the files of a split to a folder, and return their paths.

    Raises InputError if there are none, or if they cannot be downloaded.
    """
    names = hub.files(repository, revision, "dataset")
    subsets = read_subsets(repository, revision, names, folder) if subset else {}
    found = files_of_split(names, split, subset, subsets)
    return [hub.fetch(repository, revision, name, folder, "dataset") for name in found]


def read_subsets(repository: str, revision: str, names: list[str], folder: Path) -> dict[str, PATTERNS]:
    """Download the README of a data set, and return the subsets that it declares.

    Raises InputError if it cannot be downloaded.
    """
    if "README.md" not in names:
        return {}
    metadata = hub.metadata(hub.fetch(repository, revision, "README.md", folder, "dataset"))
    return declared(metadata.get("configs"))


def declared(configs: object) -> dict[str, PATTERNS]:
    """Return the patterns of files by subset and split in the entry `configs` of a README; empty if it is invalid.

    https://huggingface.co/docs/hub/datasets-manual-configuration
    """
    try:
        return {one["config_name"]: patterns(one) for one in configs if "data_files" in one}
    except (KeyError, TypeError):
        return {}


def patterns(config: dict[str, Any]) -> PATTERNS:
    """Return the patterns of files of one subset by split; files without a split are of the split `train`."""
    files = config["data_files"]
    entries = files if isinstance(files, list) else [files]
    found: PATTERNS = {}
    for entry in entries:
        split, paths = (entry["split"], entry["path"]) if isinstance(entry, dict) else ("train", entry)
        found.setdefault(split, []).extend([paths] if isinstance(paths, str) else paths)
    folder = config.get("data_dir")
    return {split: [f"{folder}/{path}" if folder else path for path in paths] for split, paths in found.items()}


def choose(
    names: list[str], subsets: dict[str, PATTERNS], subset: str | None, split: str | None
) -> tuple[str | None, str]:
    """Return subset and split: the given ones, or the only or default subset and the split `train` or the first one.

    Raises InputError if there are several subsets and none is the default.
    """
    if subset is None and subsets:
        if len(subsets) > 1 and "default" not in subsets:
            raise InputError(f"has several subsets: {', '.join(subsets)}; expected: one of them, SUBSET=…")
        subset = "default" if "default" in subsets else next(iter(subsets))
    if split is None:
        splits = list(subsets.get(subset or "", {})) or [name for name in SPLITS if by_name(names, name, subset)]
        split = "train" if "train" in splits or not splits else splits[0]
    return subset, split


def files_of_split(
    names: list[str], split: str, subset: str | None = None, subsets: dict[str, PATTERNS] | None = None
) -> list[str]:
    """Select the files of a split, such as `test.jsonl.gz` or `data/test-00000-of-00001.parquet`, in one format.

    Args:
        names: all files of the data set.
        subset: a subset that the README declares, or a folder.
        subsets: the subsets that the README declares.

    Raises InputError if there is none.
    """
    stated = (subsets or {}).get(subset or "")
    if stated is None:
        found = by_name(names, split, subset)
    else:
        found = [name for name in names if any(fnmatch(name, pattern) for pattern in stated.get(split, []))]
    for extension in EXTENSIONS:
        if of_one_format := [name for name in found if extension_of(name) == extension]:
            return of_one_format
    which = f"split '{split}'" + (f" of subset '{subset}'" if subset else "")
    known = f"; splits: {', '.join(stated)}" if stated else f" among {', '.join(names)}"
    raise InputError(f"no file of {which}{known}; expected: {', '.join(EXTENSIONS)}")


def by_name(names: list[str], split: str, subset: str | None = None) -> list[str]:
    """Return the files with a split in their names, in a folder called like the subset.

    If no file has a split in its name, all are of the split `train`.
    """
    found = [name for name in names if extension_of(name) and (subset is None or subset in name.split("/")[:-1])]
    by_split = {
        one: [name for name in found if re.search(rf"(^|/){re.escape(one)}((-[^/]*)?\.[^/]*$|/[^/]+$)", name)]
        for one in (*SPLITS, split)
    }
    return by_split[split] or (found if split == "train" and not any(by_split.values()) else [])


def extension_of(name: str) -> str | None:
    """Return the extension of a file with texts, without that of a compression; None for other files."""
    found = re.search(r"(\.[^./]+)(\.gz|\.zst)?$", name)
    return found[1] if found and found[1] in EXTENSIONS and Path(name).name not in NOT_DATA else None
