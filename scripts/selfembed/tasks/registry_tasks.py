"""Tasks of mteb's registry: their English part, and their data on disk."""

from pathlib import Path

import datasets
import mteb
from datasets import Dataset, DatasetDict
from mteb.abstasks.abstask import AbsTask

from selfembed.errors import InputError
from selfembed.jobs.records import checksum_of_files, provenance, read_json, write_json

SPLIT = "test"
FACTS_FILE = "task.json"
# Parts of a retrieval or reranking task that are no tables.
RELEVANCE = ("relevant_docs", "top_ranked")


def find(name: str) -> AbsTask:
    """A fresh task of mteb's registry: its English part, its test split, at the registry's revision.

    Raises InputError if the registry has no such task, or the task no such part.
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
    """What a registry task is made of."""
    return {
        "task": task.metadata.name,
        "dataset": dict(task.metadata.dataset),
        "subsets": list(task.hf_subsets),
        "splits": list(task.eval_splits),
    }


def save(task: AbsTask, folder: Path) -> None:
    """Write the data of a task that mteb has loaded, and what they are, into an existing folder.

    The data are kept as mteb hands them to its evaluation, because Hugging Face's own cache cannot be trusted without
    network: it forgets which configurations a data set has, and a reranking task then ranks all texts.
    """
    save_data(task.dataset, folder / "data")
    versions = {"mteb": mteb.__version__, "datasets": datasets.__version__}
    write_json(provenance(**identity(task), **versions, data=data_checksum(folder / "data")), folder / FACTS_FILE)


def load(name: str, folder: Path) -> tuple[AbsTask, str]:
    """A fresh task with the data that `save` wrote, and their checksum; no network.

    Raises InputError with the command that fetches the data if they are missing, another task's, or damaged.
    """
    task = find(name)
    advice = f"fetch them on a machine with network: python scripts/download_task.py --task {name} --output {folder}"
    if not (folder / FACTS_FILE).is_file():
        raise InputError(f"task '{name}': its data are not in {folder}; {advice}")
    facts = read_json(folder / FACTS_FILE)
    for key, wanted in identity(task).items():
        if facts.get(key) != wanted:
            raise InputError(f"task '{name}': {folder} holds {key} {facts.get(key)}, needed is {wanted}; {advice}")
    found = data_checksum(folder / "data")
    if found != facts["data"]:
        raise InputError(f"task '{name}': data in {folder} are not as downloaded (SHA-256 {found}); {advice}")
    datasets.disable_caching()  # it would write tables derived by mteb beside the data, for every job
    task.dataset = load_data(folder / "data")
    task.data_loaded = True
    return task, found


def save_data(data: dict, folder: Path) -> None:
    """Write tables and relevance judgements, nested by subset and split, as folders and files of the same names."""
    for name, part in data.items():
        if isinstance(part, Dataset):
            part.save_to_disk(folder / name)
        elif name in RELEVANCE:
            if part is not None:
                # mteb gives the queries in another order every time.
                write_json(dict(sorted(part.items())), folder / f"{name}.json")
        else:
            save_data(part, folder / name)


def load_data(folder: Path) -> dict:
    """What `save_data` wrote; relevance judgements that are not there are None."""
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
    """Checksum of tables and relevance judgements; other files hold times and fingerprints."""
    files = [path for path in folder.rglob("*") if path.suffix == ".arrow" or path.stem in RELEVANCE]
    return checksum_of_files(folder, files)
