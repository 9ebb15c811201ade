"""Files of tasks that are refused in one line: cells that are no texts, and data that tell no models apart."""

import math

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_tasks import write

from selfembed.errors import InputError
from selfembed.tasks import task_files, tasks_from_files
from warm_steps import run_step

LABELLED = {"text": ["a b", "c d", "e f", "g h"], "label": ["x", "y", "x", "y"]}
SEARCH = {
    "corpus": {"_id": ["d0", "d1", "d2"], "text": ["a b", "c d", "e f"]},
    "queries": {"_id": ["q0", "q1"], "text": ["a", "c"]},
    "qrels": {"query-id": ["q0", "q1", "q1"], "corpus-id": ["d0", "d1", "d2"], "score": [1, 2, 0]},
}
GOOD = {
    "clustering": {"test": {"sentences": LABELLED["text"], "labels": LABELLED["label"]}},
    "classification": {"train": LABELLED, "test": {name: cells[:2] for name, cells in LABELLED.items()}},
    "sts": {"test": {"sentence1": ["a", "b", "c"], "sentence2": ["d", "e", "f"], "score": [1, 2, 3]}},
    "retrieval": SEARCH,
    "reranking": SEARCH | {"top_ranked": {"query-id": ["q0", "q1"], "corpus-ids": [["d0", "d1"], ["d2", "d1"]]}},
}
SETS = {"sentences": [["a", "b", "c"], ["d", "e", "f"]], "labels": [["x", "x", "y"], ["x", "y", "y"]]}


def read(folder, kind, name=None, ending=".jsonl", **changed):
    """Read a good task in which columns of one file are changed; a column of None is left out."""
    tables = {each: pd.DataFrame(columns) for each, columns in GOOD[kind].items()}
    if name:
        cells = {column: values for column, values in (GOOD[kind][name] | changed).items() if values is not None}
        tables[name] = pd.DataFrame({column: pd.Series(values) for column, values in cells.items()})
    return tasks_from_files.read(kind, write(tables, folder / "task", ending))


@pytest.mark.parametrize("kind", task_files.FILES)
def test_good_tasks_are_read(tmp_path, kind):
    assert read(tmp_path, kind)


A_TEXT, A_NUMBER, A_LIST = "expected: a text", "expected: a number", "expected: a list (jsonl or parquet)"
WHOLE = "expected: a whole number from 0 (0: not relevant)"
CELLS = [
    ("clustering", "test", {"sentences": ["a b", 2024, "e f", "g h"]}, "'sentences' is 2024 in row 2; " + A_TEXT),
    ("clustering", "test", {"sentences": [1, 2, 3, 4]}, "'sentences' is 1 in row 1; " + A_TEXT),
    ("clustering", "test", {"labels": ["x", None, "x", "y"]}, "'labels' is empty in row 2; expected: a value"),
    ("clustering", "test", {"labels": [["x"], "y", "x", "y"]}, "'labels' contains a list in row 1; expected: one text"),
    ("classification", "train", {"text": ["a", "b", "c", 2024]}, "'text' is 2024 in row 4; " + A_TEXT),
    ("classification", "test", {"text": ["a", True]}, "'text' is True in row 2; " + A_TEXT),
    ("classification", "test", {"text": ["a", {"b": 1}]}, "'text' is {'b': 1} in row 2; " + A_TEXT),
    ("classification", "test", {"text": ["a", " \n"]}, "'text' is empty in row 2; " + A_TEXT),
    ("classification", "test", {"label": None}, "no column 'label'; columns: text"),
    ("sts", "test", {"sentence1": [[["a"]] * 9, "b", "c"]}, "'sentence1' is [['a'], ['a']"),
    ("sts", "test", {"sentence2": ["d", None, "f"]}, "'sentence2' is empty in row 2; expected: a value"),
    ("sts", "test", {"score": ["1", "high", "2"]}, "'score' is 'high' in row 2; " + A_NUMBER),
    ("sts", "test", {"score": ["1", "2", "inf"]}, "'score' is 'inf' in row 3; " + A_NUMBER),
    ("sts", "test", {"score": [[1], 2, 3]}, "'score' contains a list in row 1; expected: one text or number"),
    ("sts", "test", {"sentence1": [], "sentence2": [], "score": []}, "no column 'sentence1'; columns: "),
    ("retrieval", "queries", {"text": ["a", ""]}, "'text' is empty in row 2; " + A_TEXT),
    ("retrieval", "queries", {"text": ["a", 2024]}, "'text' is 2024 in row 2; " + A_TEXT),
    ("retrieval", "corpus", {"text": ["a", 2024, "c"]}, "'text' is 2024 in row 2; " + A_TEXT),
    ("retrieval", "queries", {"_id": ["q1", "q1"]}, "'_id' is 'q1' in rows 1 and 2; expected: unique ids"),
    ("retrieval", "corpus", {"_id": [1, 2, 1]}, "'_id' is '1' in rows 1 and 3; expected: unique ids"),
    (
        "retrieval",
        "qrels",
        {"query-id": ["q0", "q1", "nobody"]},
        "'query-id' is 'nobody' in row 3; expected: an _id in queries.jsonl",
    ),
    (
        "retrieval",
        "qrels",
        {"corpus-id": ["d0", "nothing", "d2"]},
        "'corpus-id' is 'nothing' in row 2; expected: an _id in corpus.jsonl",
    ),
    ("retrieval", "qrels", {"score": [0.5, 1, 1]}, "'score' is 0.5 in row 1; " + WHOLE),
    ("retrieval", "qrels", {"score": [1, 1, -1]}, "'score' is -1 in row 3; " + WHOLE),
    ("retrieval", "qrels", {"score": [1, "yes", 1]}, "'score' is 'yes' in row 2; " + A_NUMBER),
    (
        "reranking",
        "top_ranked",
        {"query-id": ["q0", "q0"]},
        "'query-id' is 'q0' in rows 1 and 2; expected: unique ids",
    ),
    ("reranking", "top_ranked", {"corpus-ids": [["d0"], "d1"]}, f"'corpus-ids' is 'd1' in row 2; {A_LIST}"),
    ("reranking", "top_ranked", {"corpus-ids": [["d0"], []]}, "contains nothing in row 2; expected: a list of ids"),
    (
        "reranking",
        "top_ranked",
        {"corpus-ids": [["d0", None], ["d1"]]},
        "contains None in row 1; expected: a list of ids",
    ),
    ("reranking", "top_ranked", {"corpus-ids": [["d0"], ["d9"]]}, "contains 'd9' in row 2; expected: an _id in corpus"),
    ("reranking", "top_ranked", {"corpus-ids": [["d0", "d0"], ["d1"]]}, "repeats an id in row 1; expected: unique ids"),
    ("clustering", "test", SETS | {"sentences": [["a", None, "c"], ["d", "e", "f"]]}, "contains None in row 1; "),
    ("clustering", "test", SETS | {"sentences": [["a", "b", "c"], ["d", 7, "f"]]}, "contains 7 in row 2; "),
    ("clustering", "test", SETS | {"sentences": [["a", "b", "c"], ["d", " ", "f"]]}, "contains ' ' in row 2; "),
    ("clustering", "test", SETS | {"sentences": [["a", "b", "c"], "d"]}, "'sentences' is 'd' in row 2; " + A_LIST),
    ("clustering", "test", SETS | {"labels": [["x", "x", None], ["x", "y", "y"]]}, "contains None in row 1; "),
    ("clustering", "test", SETS | {"labels": [["x", "x", "y"], "x"]}, "'labels' is 'x' in row 2; " + A_LIST),
    ("clustering", "test", SETS | {"labels": [["x", "y"], ["x", "y", "y"]]}, "3 sentences, 2 labels in row 1; "),
]
# What every model, or every answer, would get the same score for.
ALIKE = [
    ("clustering", "test", {"labels": ["x"] * 4}, "'labels' has the one value 'x'; expected: two labels or more"),
    ("clustering", "test", {"labels": [1, 2, 3, 4]}, "has another value for every text; expected: labels that texts"),
    ("clustering", "test", {"sentences": ["a"] * 4}, "'sentences' repeats one text; expected: different texts"),
    ("clustering", "test", SETS | {"labels": [["x", "x", "y"], ["x"] * 3]}, "has the one value 'x' in row 2; expected"),
    ("clustering", "test", SETS | {"labels": [["x", "y", "z"], ["x", "x", "y"]]}, "value for every text in row 1; "),
    ("classification", "train", {"label": ["x"] * 4}, "'label' has the one value 'x'; expected: two classes or more"),
    (
        "classification",
        "test",
        {"label": ["x", "z"]},
        "'label' is 'z' in row 2; expected: a label in train.jsonl: x, y",
    ),
    ("sts", "test", {"score": [3, 3.0, 3]}, "'score' is 3 in every row; expected: different scores"),
    ("sts", "test", {"sentence2": ["a", "b", "c"]}, "has equally similar texts to sentence1 in every row; "),
    (
        "sts",
        "test",
        {"sentence1": ["a", "b", "a"], "sentence2": ["b", "a", "b"]},
        "has equally similar texts to sentence1 in every row; ",
    ),
    ("retrieval", "qrels", {"score": [0, 0, 0]}, "'score' is 0 for every document judged for query 'q0'; expected: a"),
    ("retrieval", "qrels", {"score": [1, 0, 0]}, "'score' is 0 for every document judged for query 'q1'; expected: a"),
    (
        "retrieval",
        "qrels",
        {"corpus-id": ["d0", "d1", "d1"]},
        "query 'q1' and document 'd1' are judged in rows 2 and 3; expected: once",
    ),
    (
        "retrieval",
        "corpus",
        {"_id": ["d0"], "text": ["a"]},
        "'corpus-id' is 'd1' in row 2; expected: an _id in corpus.jsonl",
    ),
    (
        "reranking",
        "top_ranked",
        {"corpus-ids": [["d0"], ["d1"]]},
        "'score' is above 0 for every document to rank; expected: some documents that are not relevant",
    ),
    ("reranking", "top_ranked", {"corpus-ids": [["d1"], ["d0"]]}, "contains no relevant document in any row; "),
    ("reranking", "top_ranked", {"query-id": ["q1"], "corpus-ids": [["d1", "d0"]]}, "'query-id' lacks 'q0'; expected"),
]


@pytest.mark.parametrize(("kind", "name", "changed", "message"), CELLS + ALIKE)
def test_what_is_wrong_is_one_line_that_names_the_file(tmp_path, kind, name, changed, message):
    with pytest.raises(InputError) as error:
        read(tmp_path, kind, name, **changed)
    said = str(error.value)
    assert message in said
    assert said.startswith(str(tmp_path / "task"))
    assert said.isprintable()
    assert len(said) < len(str(tmp_path)) + 250


@pytest.mark.parametrize(
    ("kind", "name", "changed", "message"),
    [
        ("classification", "test", {"text": [b"a", b"b"]}, "'text' is b'a' in row 1; " + A_TEXT),
        ("classification", "test", {"text": [1.5, 2.5]}, "'text' is 1.5 in row 1; " + A_TEXT),
        ("sts", "test", {"score": [1.0, 2.0, math.inf]}, "'score' is inf in row 3; " + A_NUMBER),
        ("clustering", "test", SETS | {"sentences": [["a", "b", None], ["d", "e", "f"]]}, "contains None in row 1; "),
        ("clustering", "test", SETS | {"labels": [[1.0, 1.0, math.nan], [1.0, 2.0, 2.0]]}, "contains nan in row 1; "),
    ],
)
def test_cells_of_parquet_files_are_checked_alike(tmp_path, kind, name, changed, message):
    with pytest.raises(InputError) as error:
        read(tmp_path, kind, name, ".parquet", **changed)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"score": ["1", "high", "2"]}, "test.csv: column 'score' is 'high' in row 2; " + A_NUMBER),
        ({"sentence2": ["d", None, "f"]}, "test.csv: column 'sentence2' is empty in row 2; expected: a value"),
        ({"sentence1": [], "sentence2": [], "score": []}, "test.csv: no rows; expected: at least one"),
    ],
)
def test_tables_of_text_are_checked_alike(tmp_path, changed, message):
    with pytest.raises(InputError) as error:
        read(tmp_path, "sts", "test", ".csv", **changed)
    assert message in str(error.value)


def test_texts_of_a_parquet_file_are_utf_8(tmp_path):
    _, ends, broken = pa.array([b"a\xff", b"bc"]).buffers()
    texts = pa.Array.from_buffers(pa.string(), 2, [None, ends, broken])
    folder = write({"train": pd.DataFrame(LABELLED)}, tmp_path, ".parquet")
    pq.write_table(pa.table({"text": texts, "label": ["x", "y"]}), folder / "test.parquet")
    with pytest.raises(InputError, match=r"test.parquet: cannot be read: .*; expected: texts in UTF-8"):
        tasks_from_files.read("classification", folder)


def test_lists_are_not_read_from_text(tmp_path):
    with pytest.raises(InputError, match=r"top_ranked.csv: column 'corpus-ids' is .* in row 1; expected: a list \("):
        read(tmp_path, "reranking", "top_ranked", ".csv")


def test_a_missing_file_and_two_files_of_one_name(tmp_path):
    folder = write({}, tmp_path / "task", ".csv")
    with pytest.raises(InputError, match=r"no such file; expected: one file test that ends in \.csv, \.tsv, \.jsonl"):
        tasks_from_files.read("sts", folder)
    for ending in (".csv", ".jsonl"):
        write({"test": pd.DataFrame(GOOD["sts"]["test"])}, folder, ending)
    with pytest.raises(InputError, match=r"test.csv and test.jsonl; expected: one file test"):
        tasks_from_files.read("sts", folder)


def test_row_numbers_that_a_table_brings_do_not_matter(tmp_path):
    shifted = pd.DataFrame(GOOD["sts"]["test"] | {"score": ["1", "high", "2"]}, index=[5, 9, 11])
    with pytest.raises(InputError, match="column 'score' is 'high' in row 2; expected: a number"):
        tasks_from_files.read("sts", write({"test": shifted}, tmp_path / "task", ".parquet"))


@pytest.mark.parametrize(
    ("kind", "name", "ending", "changed"),
    [
        ("classification", "test", ".csv", {"text": ["2024", "2025"]}),  # texts, in a table of texts
        ("classification", "test", ".parquet", {"label": ["x", "x"]}),  # a class less than in training
        ("clustering", "test", ".parquet", SETS | {"labels": [[1, 1, 2], [3, 4, 4]]}),
        ("retrieval", "corpus", ".jsonl", {"text": ["", "c d", "e f"], "title": ["A title", None, 2024]}),
        ("retrieval", "qrels", ".parquet", {"score": [1.0, 2.0, 0.0]}),
        ("reranking", "top_ranked", ".jsonl", {"corpus-ids": [["d0", "d1"], ["d2"]]}),  # a relevant one was not found
    ],
)
def test_what_can_be_scored_is_not_refused(tmp_path, kind, name, ending, changed):
    assert read(tmp_path, kind, name, ending, **changed)


def test_ids_that_are_whole_numbers_are_equal_in_all_types(tmp_path):
    tables = {name: pd.DataFrame(columns) for name, columns in SEARCH.items()}
    tables["corpus"]["_id"] = [0.0, 1.0, 2.0]
    tables["qrels"]["corpus-id"] = ["0", "1", "2"]
    found = tasks_from_files.read("retrieval", write(tables, tmp_path / "task", ".parquet"))["default"]["test"]
    assert found["corpus"]["id"] == ["0", "1", "2"]
    assert found["relevant_docs"] == {"q0": {"0": 1}, "q1": {"1": 2, "2": 0}}


def test_files_are_refused_before_a_model_is_loaded(tmp_path):
    """The model folder is empty."""
    folder = write({"test": pd.DataFrame(GOOD["sts"]["test"] | {"score": 3})}, tmp_path / "task", ".csv")
    words = ["--model", tmp_path, "--path", "base/tiny", "--step", "0", "--task", "Own", "sts", "sts", folder]
    words += ["--score", "mean", "1", "unit", "Own", "--device", "cpu", "--output", tmp_path / "64.csv"]
    done = run_step("score_mteb", *words)
    expected = "column 'score' is 3 in every row; expected: different scores, to correlate with similarities"
    assert (done.returncode, done.stderr) == (1, f"error: task 'Own': {folder}/test.csv: {expected}\n")
