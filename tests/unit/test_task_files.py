"""Tasks from files in the columns of MTEB's data sets: the same scores as from where the data came; clear errors."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from small_models import small_bert, small_distilbert
from small_tasks import content, corpus_of

from selfembed.errors import InputError
from selfembed.models import encoders
from selfembed.tasks import benchmark, local_tasks, task_files, tasks_from_corpus, tasks_from_files

SCRIPT = Path(encoders.__file__).parents[2] / "score_mteb.py"


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


def write(tables, folder, ending):
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        path = folder / f"{name}{ending}"
        match ending:
            case ".parquet":
                table.to_parquet(path)
            case ".jsonl":
                table.to_json(path, orient="records", lines=True)
            case _:
                table.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    encoders.save(small_bert(folder / "tokenizer"), folder / "0", "card")
    return folder / "0"


def score(model, kind, data):
    made = benchmark.model_at(model, 2, "mean", 64, True, "a", "0" * 40)
    return benchmark.evaluate(made, local_tasks.local_task("Own", kind, data, "0" * 64)).get_score()


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


PAIRS = pd.DataFrame({"sentence1": ["a", "b"], "sentence2": ["c", "d"], "score": [1, 2]})


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({}, "no such file; expected: one file test that ends in .csv, .tsv, .jsonl, .parquet"),
        ({"test": PAIRS.drop(columns="score")}, "test.csv: no column 'score'; columns: sentence1, sentence2"),
        ({"test": PAIRS.assign(score=["1", "high"])}, "column 'score' is 'high' in row 2; expected: a number"),
        ({"test": PAIRS.assign(sentence2=["c", None])}, "column 'sentence2' is empty in row 2; expected: a value"),
        ({"test": PAIRS[:0]}, "test.csv: no rows; expected: at least one"),
    ],
)
def test_what_is_wrong_with_pairs_is_one_clear_line(tmp_path, tables, message):
    with pytest.raises(InputError) as error:
        tasks_from_files.read("sts", write(tables, tmp_path / "task", ".csv"))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("qrels", {"query-id": "nobody"}, "qrels.jsonl: _id 'nobody' is not in queries"),
        ("qrels", {"corpus-id": "nothing"}, "qrels.jsonl: _id 'nothing' is not in corpus"),
        ("queries", {"_id": "same"}, "queries.jsonl: _id 'same' is not unique"),
    ],
)
def test_ids_that_do_not_fit_are_one_clear_line(tmp_path, name, change, message):
    tables = tables_of("retrieval", tasks_from_corpus.make("retrieval", corpus_of()))
    tables[name] = tables[name].assign(**change)
    with pytest.raises(InputError, match=message):
        tasks_from_files.read("retrieval", write(tables, tmp_path / "task", ".jsonl"))


def test_lists_are_not_read_from_text(tmp_path):
    tables = tables_of("reranking", tasks_from_corpus.make("reranking", corpus_of()))
    with pytest.raises(
        InputError, match=r"top_ranked.csv: column 'corpus-ids' is .* in row 1; expected: a list \(jsonl"
    ):
        tasks_from_files.read("reranking", write(tables, tmp_path / "task", ".csv"))


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ({"sentences": [["a", "b"], "c"], "labels": [["x", "y"], ["x"]]}, "column 'sentences' is 'c' in row 2"),
        ({"sentences": ["a", ["b", "c"]], "labels": [["x"], ["x", "y"]]}, "column 'sentences' is 'a' in row 1"),
        ({"sentences": [["a", "b"], ["c"]], "labels": [["x", "y"], "x"]}, "column 'labels' is 'x' in row 2"),
    ],
)
def test_sets_that_are_no_lists_are_one_clear_line(tmp_path, sets, message):
    folder = write({"test": pd.DataFrame(sets)}, tmp_path / "task", ".jsonl")
    with pytest.raises(InputError, match=f"{message}; expected: a list"):
        tasks_from_files.read("clustering", folder)


@pytest.mark.parametrize("kind", ["clustering", "sts", "retrieval"])
def test_row_numbers_that_a_table_brings_do_not_matter(tmp_path, kind):
    """A table that was filtered keeps its numbers when it is saved as Parquet."""
    tables = tables_of(kind, tasks_from_corpus.make(kind, corpus_of()))
    shifted = {name: table.set_index(table.index + 7) for name, table in tables.items()}
    found = [write(some, tmp_path / name, ".parquet") for name, some in (("a", tables), ("b", shifted))]
    assert content(tasks_from_files.read(kind, found[1])) == content(tasks_from_files.read(kind, found[0]))


def test_a_wrong_number_is_named_by_its_row_whatever_the_row_numbers(tmp_path):
    spoilt = PAIRS.assign(score=["1", "high"]).set_index(pd.Index([5, 9]))
    with pytest.raises(InputError, match="column 'score' is 'high' in row 2; expected: a number"):
        tasks_from_files.read("sts", write({"test": spoilt}, tmp_path / "task", ".parquet"))


def test_two_files_of_one_name_are_one_clear_line(tmp_path):
    for ending in (".csv", ".jsonl"):
        write({"test": PAIRS}, tmp_path, ending)
    with pytest.raises(InputError, match=r"test.csv and test.jsonl; expected: one file test"):
        tasks_from_files.read("sts", tmp_path)


def run_script(model, tmp_path):
    """Score the files of a small task with the script, at layer 1."""
    folder = write({"test": PAIRS.assign(score=[0, 5])}, tmp_path / "task", ".csv")
    command = [sys.executable, str(SCRIPT), "--model", str(model), "--path", "base/tiny", "--step", "0", "--layer", "1"]
    command += ["--task", "Own", "--block", "sts", "--kind", "sts", "--files", str(folder), "--device", "cpu"]
    command += ["--output", str(tmp_path / "row.csv"), "--result", str(tmp_path / "result.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_script_scores_files(tmp_path, model):
    run_script(model, tmp_path)
    facts = json.loads((tmp_path / "result.json").read_text())["selfembed"]
    assert f"data={facts['data']}" in pd.read_csv(tmp_path / "row.csv")["settings"][0]


@pytest.mark.slow
def test_the_script_scores_models_that_name_their_layers_otherwise(tmp_path):
    """DistilBERT saves `n_layers`."""
    encoders.save(small_distilbert(tmp_path / "checkpoint"), tmp_path / "model", "card")
    run_script(tmp_path / "model", tmp_path)
    assert pd.read_csv(tmp_path / "row.csv")["last_layer"].tolist() == [2]
