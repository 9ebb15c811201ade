"""Download files of the Hugging Face hub at fixed revisions and compare them with the hub's checksums.

The seal of a result lists repository, revision, file and checksum of each downloaded file among the inputs.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "0"  # only download_* scripts, `selfembed propose` and `publish` import this module

from httpx2 import TransportError
from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, hf_hub_url, metadata_load
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from selfembed.downloads import patience
from selfembed.downloads.checksums import check_file
from selfembed.downloads.patience import PassingError
from selfembed.errors import InputError, first_line
from selfembed.jobs import seals
from selfembed.jobs.command_line import log


def fetch(repository: str, revision: str, name: str, folder: Path, kind: str = "model") -> Path:
    """Download one file of a repository to a folder; an interrupted download resumes.

    The file is compared with the hub's ETag: a SHA-256 or a git blob id.

    Args:
        kind: `model` or `dataset`.

    Raises PassingError if the network or the hub fails, InputError for all other problems.
    """
    with one_line_errors(repository, revision, name):
        path = Path(hf_hub_download(repository, name, revision=revision, repo_type=kind, local_dir=folder))
        checksum = get_hf_file_metadata(hf_hub_url(repository, name, repo_type=kind, revision=revision)).etag
    check_file(path, checksum, f"hub: '{repository}', {name}")
    seals.given[f"hub:{repository}@{revision}/{name}"] = seals.checksum(path)
    log.info("%s: %s, %.1f MB", repository, name, path.stat().st_size / 1e6)
    return path


def fetch_existing(repository: str, revision: str, names: Iterable[str], folder: Path) -> None:
    """Download those of the named files that a repository contains and the folder does not, as `fetch` does."""
    listed = files(repository, revision)
    for name in names:
        if name in listed and not (folder / name).is_file():
            fetch(repository, revision, name, folder)


def origin(repository: str, revision: str | None, kind: str = "model") -> dict[str, Any]:
    """Repository and revision that files are downloaded from.

    Args:
        revision: full commit hash; None is the newest, which is logged.
        kind: `model` or `dataset`.

    Returns `repository`, `revision` (full commit hash) and `pinned` (whether it was given).

    Raises InputError if the newest revision cannot be looked up.
    """
    found = revision or newest_revision(repository, kind)
    if revision is None:
        log.info(
            "%s: revision is not pinned; newest is %s; add `revision: %s` to the config to pin it",
            repository,
            found,
            found,
        )
    return {"repository": repository, "revision": found, "pinned": revision is not None}


def newest_revision(repository: str, kind: str = "model") -> str:
    """Full commit hash of the main branch of a repository.

    Raises InputError if it cannot be looked up.
    """
    with one_line_errors(repository, "main", "newest revision"):
        return HfApi().repo_info(repository, repo_type=kind).sha


def files(repository: str, revision: str, kind: str = "model") -> list[str]:
    """Names of all files of a repository.

    Raises InputError if they cannot be listed.
    """
    with one_line_errors(repository, revision, "list of files"):
        return sorted(HfApi().list_repo_files(repository, revision=revision, repo_type=kind))


def metadata(readme: Path) -> dict[str, Any]:
    """Return the metadata of a README; empty if it has none or they are invalid."""
    try:
        return metadata_load(readme) or {}
    except Exception:  # any parser error
        return {}


@contextmanager
def one_line_errors(repository: str, revision: str, name: str) -> Iterator[None]:
    """Convert errors of the hub client to InputError, or to PassingError where they can pass."""
    failed = f"hub: '{repository}' could not be downloaded"
    try:
        yield
    except RepositoryNotFoundError as error:
        raise InputError(f"hub: no repository '{repository}' (or it requires a login)") from error
    except RevisionNotFoundError as error:
        raise InputError(f"hub: '{repository}' has no revision {revision}") from error
    except LocalEntryNotFoundError as error:
        raise PassingError(f"{failed}: no connection; try again") from error
    except EntryNotFoundError as error:
        raise InputError(f"hub: '{repository}' at {revision} has no {name}") from error
    except (HfHubHTTPError, TransportError, OSError) as error:
        kind = PassingError if can_pass(error) else InputError
        raise kind(f"{failed}: {first_line(error)}; try again") from error


def can_pass(error: BaseException | None) -> bool:
    """Return whether an error, or one of the errors that caused it, is a failure of the network or of a server."""
    if error is None:
        return False
    if isinstance(error, HfHubHTTPError):
        return patience.can_pass(error.response.status_code)
    if isinstance(error, LocalEntryNotFoundError | TransportError | ConnectionError | TimeoutError):
        return True
    return can_pass(error.__cause__ or error.__context__)
