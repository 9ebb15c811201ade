"""Tasks of mteb's registry: the English subset, and their data on disk."""

from pathlib import Path

import datasets
import mteb
from datasets import Dataset, DatasetDict
from mteb.abstasks.abstask import AbsTask

from selfembed.errors import InputError
from selfembed.jobs.records import checksum_of_files, provenance, read_json, write_json

SPLIT = "test"
FACTS_FILE = "task.json"
# Parts of a retrieval or reranking task that are not tables.
RELEVANCE = ("relevant_docs", "top_ranked")


def find(name: str) -> AbsTask:
    """Create a task of mteb's registry: English subset, test split, the registry's revision.

    Raises InputError if the task, its English subset or its test split does not exist.
    """
    try:
        task = mteb.get_task(name, languages=["eng"], exclusive_language_filter=True, eval_splits=[SPLIT])
    except KeyError as error:
        raise InputError(f"mteb {mteb.__version__} has no task '{name}'") from error
    except ValueError as error:
        raise InputError(f"task '{name}' has no English part") from error
    if SPLIT not in task.metadata.eval_splits:
        raise InputError(f"task '{name}' has no split '{SPLIT}'; it has {', '.join(task.metadata.eval_splits)}")
    return task


def identity(task: AbsTask) -> dict:
    """The fields that identify the data of a registry task."""
    return {
        "task": task.metadata.name,
        "dataset": dict(task.metadata.dataset),
        "subsets": list(task.hf_subsets),
        "splits": list(task.eval_splits),
    }


def save(task: AbsTask, folder: Path) -> None:
    """Write the data and the identity of a loaded task to an existing folder.

    The data are stored in the form that mteb evaluates. Without network, the Hugging Face cache loses the list of
    configurations of a data set, and a reranking task would then rank all texts.
    """
    save_data(task.dataset, folder / "data")
    versions = {"mteb": mteb.__version__, "datasets": datasets.__version__}
    write_json(provenance(**identity(task), **versions, data=data_checksum(folder / "data")), folder / FACTS_FILE)


def load(name: str, folder: Path) -> tuple[AbsTask, str]:
    """Create a task with the data written by `save`, and return it with their checksum; uses no network.

    Raises InputError with the download command if the data are missing, damaged or of another task.
    """
    task = find(name)
    advice = f"fetch them on a machine with network: python scripts/download_task.py --task {name} --output {folder}"
    if not (folder / FACTS_FILE).is_file():
        raise InputError(f"task '{name}': its data are not in {folder}; {advice}")
    facts = read_json(folder / FACTS_FILE)
    for key, wanted in identity(task).items():
        if facts.get(key) != wanted:
            raise InputError(f"task '{name}': {folder} contains {key} {facts.get(key)}, expected {wanted}; {advice}")
    found = data_checksum(folder / "data")
    if found != facts["data"]:
        raise InputError(f"task '{name}': data in {folder} differ from the download (SHA-256 {found}); {advice}")
    datasets.disable_caching()  # otherwise every job writes derived tables beside the data
    task.dataset = load_data(folder / "data")
    task.data_loaded = True
    return task, found


def save_data(data: dict, folder: Path) -> None:
    """Write tables and relevance judgements as folders and files with the names of subsets and splits."""
    for name, part in data.items():
        if isinstance(part, Dataset):
            part.save_to_disk(folder / name)
        elif name in RELEVANCE:
            if part is not None:
                # The order of mteb's queries varies.
                write_json(dict(sorted(part.items())), folder / f"{name}.json")
        else:
            save_data(part, folder / name)


def load_data(folder: Path) -> dict:
    """Read what `save_data` wrote; missing relevance judgements are None."""
    data = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json":
            data[path.stem] = read_json(path)
        elif (path / "dataset_info.json").is_file():
            data[path.name] = datasets.load_from_disk(path)
        else:
            data[path.name] = load_data(path)
    if all(isinstance(part, Dataset) for part in data.values()):
        return DatasetDict(data)
    return dict.fromkeys(RELEVANCE) | data if "queries" in data else data


def data_checksum(folder: Path) -> str:
    """Checksum of tables and relevance judgements; other files contain times and fingerprints."""
    files = [path for path in folder.rglob("*") if path.suffix == ".arrow" or path.stem in RELEVANCE]
    return checksum_of_files(folder, files)
