"""Data of local MTEB tasks, read from a folder of files (see `task_files`)."""

from pathlib import Path

import pandas as pd
from datasets import Dataset

from selfembed.errors import InputError
from selfembed.tasks import task_data
from selfembed.tasks.task_files import FILES, find
from selfembed.texts.corpora import read_file


def read(kind: str, folder: Path) -> dict:
    """Read the data of a task of a kind, in mteb's layout.

    Raises InputError if a file or column is missing, a cell is empty or has the wrong type, or ids do not match.
    """
    paths = {name: find(folder, name) for name in FILES[kind]}
    tables = {name: table(paths[name], columns) for name, columns in FILES[kind].items()}
    match kind:
        case "clustering":
            return {"test": Dataset.from_dict(sets(tables["test"], paths["test"]))}
        case "classification":
            return task_data.classification(**tables)
        case "sts":
            pairs = tables["test"].assign(score=numbers(tables["test"], "score", paths["test"]))
            return {"test": Dataset.from_pandas(pairs, preserve_index=False)}
        case "retrieval" | "reranking":
            return documents(paths, tables)
    raise InputError(f"tasks of kind {kind!r} cannot be read from files")


def table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read columns of a file; no cell may be empty."""
    found = read_file(path).reset_index(drop=True)  # a Parquet file may have its own index
    for column in columns:
        if column not in found.columns:
            raise InputError(f"{path}: no column '{column}'; columns: {', '.join(map(str, found.columns))}")
        empty = found[column].isna()
        if empty.any():
            raise InputError(f"{path}: column '{column}' is empty in row {int(empty.argmax()) + 1}; expected: a value")
    if found.empty:
        raise InputError(f"{path}: no rows; expected: at least one")
    optional = [name for name in ("title",) if name in found.columns and "text" in columns]
    return found[[*columns, *optional]]


def numbers(pairs: pd.DataFrame, column: str, path: Path) -> pd.Series:
    """Convert a column to numbers."""
    found = pd.to_numeric(pairs[column], errors="coerce")
    if found.isna().any():
        row = int(found.isna().argmax())
        raise InputError(f"{path}: column '{column}' is {pairs[column][row]!r} in row {row + 1}; expected: a number")
    return found


def lists(found: pd.DataFrame, column: str, path: Path) -> list[list]:
    """Convert a column to lists."""
    for row, cell in enumerate(found[column], start=1):
        if isinstance(cell, str) or not hasattr(cell, "__iter__"):
            raise InputError(f"{path}: column '{column}' is {cell!r} in row {row}; expected: a list (jsonl or parquet)")
    return [list(cell) for cell in found[column]]


def sets(texts: pd.DataFrame, path: Path) -> dict[str, list]:
    """Sets of texts to cluster: each row is a set, or all rows form one set if each row is one text."""
    if texts["sentences"].map(lambda cell: isinstance(cell, str)).all():
        return {"sentences": [texts["sentences"].tolist()], "labels": [texts["labels"].map(str).tolist()]}
    sentences, labels = lists(texts, "sentences", path), lists(texts, "labels", path)
    for row, (some, their) in enumerate(zip(sentences, labels, strict=True), start=1):
        if len(some) != len(their):
            raise InputError(f"{path}: {len(some)} sentences, {len(their)} labels in row {row}; expected: as many")
    return {"sentences": sentences, "labels": [[str(label) for label in found] for found in labels]}


def documents(paths: dict[str, Path], tables: dict[str, pd.DataFrame]) -> dict:
    """Queries, documents, relevance judgements and, for reranking, candidates."""
    names = {name: tables[name]["_id"].map(str) for name in ("corpus", "queries")}
    for name, ids in names.items():
        if ids.duplicated().any():
            raise InputError(f"{paths[name]}: _id {ids[ids.duplicated()].iloc[0]!r} is not unique")
    judged = tables["qrels"].assign(score=numbers(tables["qrels"], "score", paths["qrels"]).astype(int))
    relevant: dict[str, dict[str, int]] = {}
    for query, document, score in judged.itertuples(index=False, name=None):
        relevant.setdefault(str(query), {})[str(document)] = score
    ranked = None
    if "top_ranked" in tables:
        found = lists(tables["top_ranked"], "corpus-ids", paths["top_ranked"])
        asked = tables["top_ranked"]["query-id"].map(str)
        ranked = {query: [str(document) for document in ids] for query, ids in zip(asked, found, strict=True)}
    known = {name: set(ids) for name, ids in names.items()}
    for name, found in (("qrels", relevant), ("top_ranked", ranked or {})):
        for query, judged_documents in found.items():
            for kind, ids in (("queries", [query]), ("corpus", judged_documents)):
                if missing := set(ids) - known[kind]:
                    raise InputError(f"{paths[name]}: _id {min(missing)!r} is not in {kind}")
    queries = tables["queries"].assign(id=names["queries"])[["id", "text"]]
    texts = tables["corpus"].assign(id=names["corpus"])
    texts["title"] = texts["title"].fillna("") if "title" in texts else ""
    # A query without a judgement cannot be scored.
    asked = queries[queries["id"].isin(relevant)]
    return task_data.retrieval(texts[["id", "text", "title"]], asked, relevant, ranked)
