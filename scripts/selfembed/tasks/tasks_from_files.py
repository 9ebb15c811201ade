"""Data of local MTEB tasks, read from a folder of files (see `task_files`).

Data are refused if every model, or every answer, would get the same score, as with labels that are all equal.
"""

from pathlib import Path

import pandas as pd
from datasets import Dataset

from selfembed.errors import InputError
from selfembed.tasks import task_data
from selfembed.tasks.task_files import FILES, find
from selfembed.tasks.task_tables import TaskTable, is_list, is_name, names_in, read_table

Tables = dict[str, TaskTable]


def read(kind: str, folder: Path) -> dict:
    """Read the data of a task of a kind, in mteb's layout.

    Raises InputError if a file or column is missing, a cell is empty or has the wrong type, ids do not match, or the
    data cannot tell models apart.
    """
    tables = {name: read_table(find(folder, name), columns) for name, columns in FILES[kind].items()}
    return READERS[kind](tables)


def clustering(tables: Tables) -> dict:
    """Sets of texts to cluster: each row is a set, or all rows form one set if each row is one text."""
    table = tables["test"]
    if not table.rows["sentences"].map(is_list).any():
        sentences, labels = [table.texts("sentences")], [table.names("labels").tolist()]
        places = [""]
    else:
        sentences = table.lists("sentences", "texts", lambda item: isinstance(item, str) and bool(item.strip()))
        labels = table.lists("labels", "labels", is_name)
        labels = [names_in(items) for items in labels]
        places = [f" in row {row}" for row in range(1, len(sentences) + 1)]
    for texts, names, place in zip(sentences, labels, places, strict=True):
        if len(texts) != len(names):
            raise InputError(f"{table.path}: {len(texts)} sentences, {len(names)} labels{place}; expected: as many")
        if len(set(names)) == 1:
            table.refuse("labels", f"has the one value {names[0]!r}{place}", "two labels or more")
        if len(set(names)) == len(names):
            table.refuse("labels", f"has another value for every text{place}", "labels that texts share")
        if len(set(texts)) == 1:
            table.refuse("sentences", f"repeats one text{place}", "different texts")
    return {"test": Dataset.from_dict({"sentences": sentences, "labels": labels})}


def classification(tables: Tables) -> dict:
    """Training and test texts with labels; every class of a test text has training texts."""
    train, test = (
        pd.DataFrame({"text": tables[name].texts("text"), "label": tables[name].names("label")})
        for name in ("train", "test")
    )
    classes = train["label"].unique()
    if len(classes) == 1:
        tables["train"].refuse("label", f"has the one value {classes[0]!r}", "two classes or more")
    unknown = ~test["label"].isin(classes)
    if unknown.any():
        row, known = int(unknown.argmax()), ", ".join(sorted(classes)[:5])
        expected = f"a label in {tables['train'].path.name}: {known}{', …' if len(classes) > 5 else ''}"
        tables["test"].refuse_cell("label", row, repr(test["label"][row]), expected)
    return task_data.classification(train, test)


def sts(tables: Tables) -> dict:
    """Pairs of sentences and their scores."""
    table = tables["test"]
    first, second = table.texts("sentence1"), table.texts("sentence2")
    scores = table.numbers("score")
    if scores.nunique() == 1:
        table.refuse("score", f"is {scores[0]:g} in every row", "different scores, to correlate with similarities")
    different = {frozenset(pair) if pair[0] != pair[1] else None for pair in zip(first, second, strict=True)}
    if len(different) == 1:
        table.refuse("sentence2", "has equally similar texts to sentence1 in every row", "pairs that differ")
    pairs = {"sentence1": first, "sentence2": second, "score": scores.tolist()}
    return {"test": Dataset.from_dict(pairs)}


def retrieval(tables: Tables) -> dict:
    """Queries, documents, relevance judgements and, for reranking, candidates."""
    corpus, queries = tables["corpus"], tables["queries"]
    texts = pd.DataFrame(
        {"id": corpus.unique(corpus.names("_id")), "text": corpus.texts("text", may_be_blank=True), "title": ""}
    )
    if "title" in corpus.rows:
        texts["title"] = corpus.names("title").fillna("")
    asked = pd.DataFrame({"id": queries.unique(queries.names("_id")), "text": queries.texts("text")})
    known = {"corpus": set(texts["id"]), "queries": set(asked["id"])}
    relevant = judgements(tables, known)
    ranked = candidates(tables, known, relevant) if "top_ranked" in tables else None
    offered = {query: known["corpus"] if ranked is None else ranked[query] for query in relevant}
    # How many of the documents that are ranked for a query are relevant, and how many are not.
    good = {query: sum(relevant[query].get(document, 0) > 0 for document in offered[query]) for query in relevant}
    if not any(good.values()):
        tables["top_ranked"].refuse(
            "corpus-ids", "contains no relevant document in any row", "some with a score above 0"
        )
    if all(good[query] == len(offered[query]) for query in relevant):
        tables["qrels"].refuse("score", "is above 0 for every document to rank", "some documents that are not relevant")
    # A query without a judgement cannot be scored.
    return task_data.retrieval(texts, asked[asked["id"].isin(relevant)], relevant, ranked)


def judgements(tables: Tables, known: dict[str, set[str]]) -> dict[str, dict[str, int]]:
    """Relevance by query and document.

    Raises InputError if an id is unknown, a pair is judged twice, or a query has no relevant document.
    """
    table = tables["qrels"]
    queries = table.known_names("query-id", known["queries"], tables["queries"])
    documents = table.known_names("corpus-id", known["corpus"], tables["corpus"])
    relevant: dict[str, dict[str, int]] = {}
    rows: dict[tuple[str, str], int] = {}
    for row, judged in enumerate(zip(queries, documents, table.whole_numbers("score"), strict=True), start=1):
        query, document, score = judged
        if (first := rows.setdefault((query, document), row)) != row:
            which = f"query {query!r} and document {document!r}"
            raise InputError(f"{table.path}: {which} are judged in rows {first} and {row}; expected: once")
        relevant.setdefault(query, {})[document] = score
    for query, found in relevant.items():
        if not any(found.values()):
            expected = "a relevant document, with a score above 0"
            table.refuse("score", f"is 0 for every document judged for query {query!r}", expected)
    return relevant


def candidates(tables: Tables, known: dict[str, set[str]], relevant: dict) -> dict[str, list[str]]:
    """Documents to rerank, by query.

    Raises InputError if an id is unknown or not unique, or if a judged query has no candidates.
    """
    table = tables["top_ranked"]
    queries = table.unique(table.known_names("query-id", known["queries"], tables["queries"]))
    ranked = {}
    for row, (query, items) in enumerate(zip(queries, table.lists("corpus-ids", "ids", is_name), strict=True), start=1):
        ranked[query] = names_in(items)
        if unknown := [document for document in ranked[query] if document not in known["corpus"]]:
            expected = f"an _id in {tables['corpus'].path.name}"
            table.refuse("corpus-ids", f"contains {unknown[0]!r} in row {row}", expected)
        if len(set(ranked[query])) < len(ranked[query]):
            table.refuse("corpus-ids", f"repeats an id in row {row}", "unique ids")
    if missing := [query for query in relevant if query not in ranked]:
        expected = f"candidates of every query in {tables['qrels'].path.name}"
        table.refuse("query-id", f"lacks {missing[0]!r}", expected)
    return ranked


READERS = {
    "clustering": clustering,
    "classification": classification,
    "sts": sts,
    "retrieval": retrieval,
    "reranking": retrieval,
}
