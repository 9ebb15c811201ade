"""Texts in a data set on the Hugging Face hub, as a source of a proposed config."""

import re
import tempfile
from pathlib import Path

import pandas as pd

from selfembed.errors import InputError, reword_errors
from selfembed.texts import corpora, sources

ADDRESS = re.compile(r"hf://(?:datasets/)?([^/@\s]+/[^/@\s]+)(?:@([0-9a-f]{40}))?")


def look_at(address: str, columns: sources.ColumnNames, subset: str | None, split: str | None) -> sources.Found:
    """Download a split of a data set, and do the same as `sources.look_at`; the revision is fixed.

    Args:
        address: `hf://owner/name` or `hf://owner/name@revision`; by default, the newest revision.
        subset, split: by default, the only or default subset, and the split `train` or the first one.

    Raises InputError if the address is invalid, the data set cannot be downloaded or has several subsets and none is
    chosen, or the column of texts is ambiguous.
    """
    repository, revision = parse(address)
    from selfembed.downloads import hub, hub_datasets  # this import enables network access

    revision = revision or hub.newest_revision(repository, "dataset")
    with tempfile.TemporaryDirectory() as folder:
        names = hub.files(repository, revision, "dataset")
        subsets = hub_datasets.read_subsets(repository, revision, names, Path(folder))
        with reword_errors(address, InputError):
            subset, split = hub_datasets.choose(names, subsets, subset, split)
        paths = hub_datasets.fetch(repository, revision, split, subset, Path(folder))
        raw = pd.concat([corpora.read_file(path) for path in paths], ignore_index=True)
    part = {"split": split} if subset is None else {"subset": subset, "split": split}
    notes = [", ".join(f"{key} '{value}'" for key, value in part.items()) + f" of revision {revision}"]
    named, table = sources.look_at_columns(raw, address, columns, notes)
    # A data set on the hub has the column `labels` by default.
    source = {"type": "hub", "id": repository, "revision": revision} | part | {"label": None} | named
    return source, table, notes


def parse(address: str) -> tuple[str, str | None]:
    """Return repository and revision (or None) of an address.

    Raises InputError if the address is invalid.
    """
    found = ADDRESS.fullmatch(address)
    if found is None:
        raise InputError(f"{address}: no data set; expected: hf://owner/name, or hf://owner/name@ and a full revision")
    return found[1], found[2]


def name_of(address: str) -> str:
    """Return the name of a data set without its owner.

    Raises InputError if the address is invalid.
    """
    return parse(address)[0].split("/")[1]
