"""What a config downloads: whether it is there, and its size; asks for metadata only, and downloads nothing.

Uses the Hub as the download_* scripts do, so environment variables such as HF_ENDPOINT and HF_TOKEN apply.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "0"  # before huggingface_hub is imported, which reads it

import requests
from huggingface_hub import HfApi, constants, get_hf_file_metadata, get_token, hf_hub_url
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

from selfembed.doctor.findings import Finding
from selfembed.downloads import hub, hub_datasets
from selfembed.errors import InputError, first_line, reword_errors
from selfembed.models import checkpoints
from selfembed.settings.corpora import HubSource, IclrSource, UrlSource
from selfembed.settings.encoders import HubEncoder
from selfembed.settings.schema import Settings
from selfembed.settings.scores import RegistryTask

TIMEOUT = 20  # seconds
AT_ONCE = 8  # requests
MOST_OFF = 300  # seconds that a clock may be off


@dataclass(frozen=True)
class Repository:
    """A repository of the Hub at a revision; `None` is the newest. `wanted` chooses from the names of its files."""

    id: str
    revision: str | None
    kind: str
    wanted: Callable[[list[str]], list[str]]


@dataclass(frozen=True)
class Source:
    """What a key of the config downloads, and the file or folder that it becomes."""

    key: str
    made: Path
    of: Repository | str  # or the address of a file


def needed(settings: Settings, results: Path) -> list[Source]:
    """All that a config downloads."""
    found = []
    for name, corpus in settings.corpora.items():
        source = corpus.source
        if isinstance(source, HubSource):
            # A subset may be named by the README, which is not downloaded here: then the size is that of all files.
            split = source.split
            choose = (
                (lambda names: names)
                if source.subset
                else (lambda names, split=split: hub_datasets.files_of_split(names, split))
            )
            repository = Repository(source.id, source.revision, "dataset", choose)
            found.append(Source(f"corpora.{name}", results / "sources" / f"{name}.parquet", repository))
        elif isinstance(source, UrlSource | IclrSource):
            found.append(Source(f"corpora.{name}", results / "sources" / f"{name}.download", source.columns.url))  # ty: ignore[missing-attribute]
    for name, encoder in settings.encoders.items():
        if isinstance(encoder, HubEncoder):
            made = results / "encoders" / name
            found.append(Source(f"encoders.{name}", made, Repository(encoder.id, encoder.revision, "model", weights)))
            if encoder.adapter:
                adapter = Repository(encoder.adapter.id, encoder.adapter.revision, "model", adapter_files)
                found.append(Source(f"encoders.{name}.adapter", made, adapter))
    names = [name for name, task in settings.tasks.items() if isinstance(task, RegistryTask)]
    return found + [Source(f"tasks.{name}", results / "tasks" / name, task_data(name, results)) for name in names]


def weights(names: list[str]) -> list[str]:
    """The config of an encoder and the first of its files of weights that can be read."""
    return ["config.json", *[name for name in checkpoints.FORMATS if name in names][:1]]


def adapter_files(names: list[str]) -> list[str]:
    """The config of an adapter and its weights."""
    from selfembed.models import adapters

    return [adapters.CONFIG, *[name for name in (adapters.WEIGHTS, adapters.OTHER_WEIGHTS) if name in names][:1]]


def task_data(name: str, results: Path) -> Repository:
    """The data set of a task of MTEB's registry; looked up only if it is not downloaded yet."""
    if (results / "tasks" / name).exists():
        return Repository(name, None, "dataset", lambda names: [])
    from selfembed.tasks import registry_tasks

    data = registry_tasks.find(name).metadata.dataset
    return Repository(
        data["path"],
        data["revision"],
        "dataset",
        lambda names: [file for file in names if hub_datasets.extension_of(file)],
    )


def check(settings: Settings, results: Path) -> list[Finding]:
    """Check every source, several at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(check_one, needed(settings, results)))


def check_offline(settings: Settings, results: Path) -> list[Finding]:
    """Name what is downloaded and what is not, without the network."""
    missing = [source.key for source in needed(settings, results) if not source.made.exists()]
    if missing:
        return [Finding("warning", "sources", f"not downloaded and not looked up (--offline): {', '.join(missing)}")]
    return [Finding("ok", "sources", "all are downloaded")]


def check_one(source: Source) -> Finding:
    """Check a source: ok if it is downloaded, or is there at its revision."""
    if source.made.exists():
        return Finding("ok", source.key, f"downloaded: {source.made}")
    try:
        found = ask(source.of) if isinstance(source.of, Repository) else ask_server(source.of)
    except InputError as error:
        return Finding("error", source.key, str(error))
    return Finding("ok", source.key, found)


def ask(repository: Repository) -> str:
    """Ask the Hub for the files of a repository at its revision, and for one of them, as a download would.

    Raises InputError if it would fail.
    """
    try:
        revision = repository.revision or hub.newest_revision(repository.id, repository.kind)
        with hub.one_line_errors(repository.id, revision, "list of files"):
            names, sizes = look_up(repository, revision)
    except InputError as error:
        raise InputError(str(error).removesuffix("; try again")) from error
    pinned = "" if repository.revision else ", the newest (not pinned)"
    size = sum(sizes[name] for name in names if name in sizes)
    return f"{repository.id} at {revision[:8]}{pinned}: {size / 1e6:,.0f} MB"


def look_up(repository: Repository, revision: str) -> tuple[list[str], dict[str, int]]:
    """Names of the wanted files, and sizes of all in bytes; the first is asked for as a download would.

    Raises errors of the Hub's client; InputError if the Hub asks for a login or a permission.
    """
    about = {"revision": revision, "repo_type": repository.kind}
    try:
        info = HfApi().repo_info(repository.id, files_metadata=True, timeout=TIMEOUT, **about)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
        names = repository.wanted(sorted(sizes))
        for name in names[:1]:
            get_hf_file_metadata(hf_hub_url(repository.id, name, **about), timeout=TIMEOUT)
    except HfHubHTTPError as error:
        refused(repository, error)
        raise
    return names, sizes


def refused(repository: Repository, error: HfHubHTTPError) -> None:
    """Raise InputError if the Hub asks for a login or a permission."""
    status = error.response.status_code if error.response is not None else None
    if isinstance(error, GatedRepoError) or status == 403:
        token = "the token of this machine has no permission" if get_token() else "no token is set"
        raise InputError(
            f"hub: '{repository.id}' requires a permission, and {token} ({status}); expected: accept its terms on "
            f"{constants.ENDPOINT}/{repository.id} and set HF_TOKEN"
        ) from error
    if status == 401:
        expected = "an existing repository, and a valid HF_TOKEN if it is private"
        raise InputError(
            f"hub: no repository '{repository.id}', or it requires a login (401); expected: {expected}"
        ) from error


def ask_server(url: str) -> str:
    """Ask a web server for a file's size, without its content.

    Raises InputError if it cannot be reached or refuses.
    """
    with reword_errors(f"{url}: could not be reached", requests.RequestException):
        answer = requests.head(url, allow_redirects=True, timeout=TIMEOUT)
        if answer.status_code in (405, 501):  # the server knows no HEAD
            answer = requests.get(url, stream=True, timeout=TIMEOUT)
            answer.close()
    if not answer.ok:
        raise InputError(f"{url}: the server responded with {answer.status_code} {answer.reason}")
    return f"{url}: {int(answer.headers.get('Content-Length', 0)) / 1e6:,.1f} MB"


def check_clock() -> Finding:
    """Compare this machine's clock with that of the Hub."""
    try:
        answer = requests.head(constants.ENDPOINT, timeout=TIMEOUT)
    except requests.exceptions.SSLError as error:
        found = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; the Hub's certificate is refused: {first_line(error)}"
        return Finding("error", "clock", f"{found}; expected: the right time and certificates")
    except requests.RequestException:
        return Finding("warning", "clock", "not compared, because the Hub cannot be reached")
    if "Date" not in answer.headers:
        return Finding("warning", "clock", "not compared, because the Hub's answer has no date")
    off = (datetime.now(UTC) - parsedate_to_datetime(answer.headers["Date"])).total_seconds()
    if abs(off) > MOST_OFF:
        way = "ahead of" if off > 0 else "behind"
        found = f"{abs(off):,.0f} s {way} the Hub's"
        return Finding("error", "clock", f"{found}; expected: at most {MOST_OFF} s, because certificates are refused")
    return Finding("ok", "clock", f"{abs(off):.0f} s from the Hub's")
