"""Tasks from files in the columns of MTEB's data sets: the same scores as from where the data came."""

import json

import pandas as pd
import pytest
from small_models import small_bert, small_distilbert
from small_tasks import content, corpus_of, score_of, write

from selfembed.models import encoders
from selfembed.tasks import local_tasks, task_files, tasks_from_corpus, tasks_from_files
from warm_steps import run_step


def tables_of(kind, data):
    """Data in mteb's layout as the files that they would be."""
    if "default" not in data:
        return {name: part.to_pandas() for name, part in data.items()}
    parts = data["default"]["test"]
    judged = [
        (query, document, score) for query, found in parts["relevant_docs"].items() for document, score in found.items()
    ]
    tables = {
        "corpus": parts["corpus"].to_pandas().rename(columns={"id": "_id"}),
        "queries": parts["queries"].to_pandas().rename(columns={"id": "_id"}),
        "qrels": pd.DataFrame(judged, columns=["query-id", "corpus-id", "score"]),
    }
    if parts["top_ranked"]:
        tables["top_ranked"] = pd.DataFrame(parts["top_ranked"].items(), columns=["query-id", "corpus-ids"])
    return tables


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    encoders.save(small_bert(folder / "tokenizer"), folder / "0", "card")
    return folder / "0"


def score(model, kind, data):
    return score_of(model, local_tasks.local_task("Own", kind, data, "0" * 64))


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
@pytest.mark.parametrize("kind", task_files.FILES)
def test_files_score_as_the_data_they_were_written_from(tmp_path, model, kind, ending):
    data = tasks_from_corpus.make(kind, corpus_of())
    folder = write(tables_of(kind, data), tmp_path / "task", ending)
    assert score(model, kind, tasks_from_files.read(kind, folder)) == score(model, kind, data)


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
@pytest.mark.parametrize("kind", ["classification", "sts", "retrieval"])
def test_tables_of_text_will_do_where_cells_are_no_lists(tmp_path, kind, ending):
    data = tasks_from_corpus.make(kind, corpus_of())
    folder = write(tables_of(kind, data), tmp_path / "task", ending)
    jsonl = write(tables_of(kind, data), tmp_path / "other", ".jsonl")
    assert content(tasks_from_files.read(kind, folder)) == content(tasks_from_files.read(kind, jsonl))


def test_rows_of_single_texts_are_one_set_to_cluster(tmp_path, model):
    table = corpus_of()[["text", "label"]].rename(columns={"text": "sentences", "label": "labels"})
    folder = write({"test": table}, tmp_path / "task", ".csv")
    made = tasks_from_corpus.make("clustering", corpus_of())
    assert content(tasks_from_files.read("clustering", folder)) == content(made)


def test_a_query_without_judgements_is_not_scored(tmp_path):
    tables = tables_of("retrieval", tasks_from_corpus.make("retrieval", corpus_of()))
    tables["qrels"] = tables["qrels"][1:]
    folder = write(tables, tmp_path / "task", ".jsonl")
    found = tasks_from_files.read("retrieval", folder)["default"]["test"]
    assert len(found["queries"]) == len(found["relevant_docs"]) == len(tables["queries"]) - 1


PAIRS = pd.DataFrame({"sentence1": ["a", "b"], "sentence2": ["c", "d"], "score": [0, 5]})


@pytest.mark.parametrize("kind", ["clustering", "sts", "retrieval"])
def test_row_numbers_that_a_table_brings_do_not_matter(tmp_path, kind):
    """A table that was filtered keeps its numbers when it is saved as Parquet."""
    tables = tables_of(kind, tasks_from_corpus.make(kind, corpus_of()))
    shifted = {name: table.set_index(table.index + 7) for name, table in tables.items()}
    found = [write(some, tmp_path / name, ".parquet") for name, some in (("a", tables), ("b", shifted))]
    assert content(tasks_from_files.read(kind, found[1])) == content(tasks_from_files.read(kind, found[0]))


def run_script(model, tmp_path, kind="sts", **tables):
    """Score the files of a small task with the script, at layer 1; return what it says."""
    folder = write(tables or {"test": PAIRS}, tmp_path / "task", ".csv")
    words = ["--model", model, "--path", "base/tiny", "--step", "0", "--task", "Own", "own", kind, folder]
    words += ["--score", "mean", "1", "unit", "Own", "--device", "cpu", "--output", tmp_path / "64.csv"]
    done = run_step("score_mteb", *words)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.slow
def test_the_script_scores_files(tmp_path, model):
    run_script(model, tmp_path)
    facts = json.loads((tmp_path / "64/Own/mean_1_unit.json").read_text())["selfembed"]
    assert f"data={facts['data']}" in pd.read_csv(tmp_path / "64.csv")["settings"][0]


@pytest.mark.slow
def test_the_script_tells_unequal_classes(tmp_path, model):
    test = pd.DataFrame({"text": ["a b", "c d", "e f", "g h", "i j", "k l"], "label": ["x"] * 5 + ["y"]})
    said = run_script(model, tmp_path, "classification", train=test, test=test)
    assert "Own: 83.3 % of 6 test texts are of one class, so an accuracy says little" in said
    facts = json.loads((tmp_path / "64/Own/mean_1_unit.json").read_text())["selfembed"]
    assert facts["largest_class"] == pytest.approx(5 / 6)


@pytest.mark.slow
def test_the_script_scores_models_that_name_their_layers_otherwise(tmp_path):
    """DistilBERT saves `n_layers`."""
    encoders.save(small_distilbert(tmp_path / "checkpoint"), tmp_path / "model", "card")
    run_script(tmp_path / "model", tmp_path)
    assert pd.read_csv(tmp_path / "64.csv")["last_layer"].tolist() == [2]
