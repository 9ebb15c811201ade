"""File names and columns of local MTEB tasks; the columns are those of MTEB's data sets."""

from pathlib import Path

from selfembed.errors import InputError

EXTENSIONS = (".csv", ".tsv", ".jsonl", ".parquet")
DOCUMENTS = {
    "corpus": ("_id", "text"),
    "queries": ("_id", "text"),
    "qrels": ("query-id", "corpus-id", "score"),
}
# Kind of task → file name without extension → required columns.
FILES: dict[str, dict[str, tuple[str, ...]]] = {
    "clustering": {"test": ("sentences", "labels")},
    "classification": {"train": ("text", "label"), "test": ("text", "label")},
    "sts": {"test": ("sentence1", "sentence2", "score")},
    "retrieval": DOCUMENTS,
    "reranking": DOCUMENTS | {"top_ranked": ("query-id", "corpus-ids")},
}


def find(folder: Path, name: str) -> Path:
    """Find the file with a name and any supported extension.

    Raises InputError unless there is exactly one.
    """
    found = [path for ending in EXTENSIONS if (path := folder / f"{name}{ending}").is_file()]
    if len(found) != 1:
        names = " and ".join(path.name for path in found) or "no such file"
        raise InputError(f"{folder}: {names}; expected: one file {name} that ends in {', '.join(EXTENSIONS)}")
    return found[0]
