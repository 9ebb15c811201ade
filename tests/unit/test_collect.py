"""Tables of experiments name every run and every score right."""

import json

import pandas as pd
import pytest

import collect_losses
import summarise_scores
from selfembed.errors import InputError
from selfembed.scores import measures, tables
from selfembed.scores.measures import Number


def test_losses_belong_to_the_run_whose_folder_they_are_in(tmp_path):
    """Whatever the order in which a shell expands the folders; a run can have two labels."""
    runs = [f"{corpus}/bert/{recipe}/seed-1" for corpus in "ab" for recipe in ("crops", "dropout")]
    for number, run in enumerate(runs):
        folder = tmp_path / "tuned" / run
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"run": run}))
        pd.DataFrame({"step": [1], "loss": [float(number)]}).to_csv(folder / "loss.csv", index=False)
    folders = {run: str(tmp_path / "tuned" / run) for run in runs}
    entries = ["--entry", "Crops", folders[runs[2]], folders[runs[0]], "--entry", "Dropout", folders[runs[1]]]
    entries += [folders[runs[3]], "--entry", "Crops again", folders[runs[0]]]
    collect_losses.main([*entries, "--output", str(tmp_path / "losses.csv")])
    table = pd.read_csv(tmp_path / "losses.csv")
    found = {(row.label, row.training_corpus, row.recipe): row.loss for row in table.itertuples()}
    assert found == {
        ("Crops", "a", "crops"): 0,
        ("Dropout", "a", "dropout"): 1,
        ("Crops", "b", "crops"): 2,
        ("Dropout", "b", "dropout"): 3,
        ("Crops again", "a", "crops"): 0,
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Crops"], "--entry Crops: no path; expected: label, paths"),
        (["Crops", "nowhere"], "--entry Crops: 'nowhere' does not exist"),
    ],
)
def test_an_entry_without_its_files_is_one_clear_line(tmp_path, words, message):
    with pytest.raises(InputError, match=message):
        collect_losses.main(["--entry", *words, "--output", str(tmp_path / "losses.csv")])


KNN = {"score": "near", "settings": "k=10 metric=euclidean"}
LINEAR = {"score": "probe", "settings": "split=labelled"}
MTEB = {"score": "mteb", "settings": "max_length=384"}
RECALL = {"score": "pairs_recall@1", "settings": "measure=recall@1 similarity=cosine"}
UNIFORMITY = {"score": "pairs_uniformity", "settings": "measure=uniformity similarity=cosine"}
NUMBERS = {
    "near": Number("accuracy", "kNN accuracy"),
    "probe": Number("accuracy", "Linear accuracy"),
    "mteb": Number("mteb", "MTEB score"),
    "pairs_recall@1": Number("recall@1", "Recall@1 of crops"),
    "pairs_uniformity": Number("uniformity", "Uniformity of crops"),
}


def table_of(*rows):
    """A table of one model on one corpus, with a value for each of some rows."""
    plain = {"label": "A", "corpus": "one", "step": "final", "layer": 2, "last_layer": 2, "pooling": "mean"}
    found = [dict.fromkeys(tables.IDENTITY_COLUMNS) | plain | row | {"value": 0.5} for row in rows]
    return pd.DataFrame(found)


def printed(table):
    """The summary of a table as Markdown."""
    return summarise_scores.markdown(summarise_scores.for_print(summarise_scores.summarise(table), NUMBERS))


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([KNN], "| model | corpus | pooling | kNN accuracy (%) |"),
        ([LINEAR], "| model | corpus | pooling | Linear accuracy (%) |"),
        ([MTEB], "| model | corpus | pooling | MTEB score (%) |"),
        ([KNN, LINEAR], "| model | corpus | score | pooling | Score (%) |"),
        ([RECALL], "| model | corpus | pooling | Recall@1 of crops (%) |"),
        ([UNIFORMITY], "| model | corpus | pooling | Uniformity of crops |"),
        ([RECALL, UNIFORMITY], "| model | corpus | score | pooling | Score (parts of 1 in %) |"),
        ([KNN | {"step": "0"}, KNN], "| model | corpus | step | pooling | kNN accuracy (%) |"),
        ([KNN | {"label": "B", "step": "0"}, KNN], "| model | corpus | pooling | kNN accuracy (%) |"),
    ],
)
def test_a_summary_says_what_was_scored(rows, header):
    """Rows of a summary can be told apart, and its heading names the score."""
    text = printed(table_of(*rows))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0].startswith(header)
    assert len(set(lines[2:])) == len(rows)
    for row, line in zip(rows, lines[2:], strict=True):
        assert ("0.500" if row is UNIFORMITY else "50.0") in line.split(" | ")


def test_a_summary_has_the_score_of_the_largest_class_beside_accuracies():
    table = table_of(KNN | {"largest_class": 0.958, "seed": 1}, KNN | {"largest_class": 0.958, "seed": 2}, RECALL)
    summary = summarise_scores.summarise(table)
    assert summary["n_seeds"].tolist() == [2, 1]
    assert summary["largest_class"].tolist()[0] == 0.958
    header, _, knn, recall = printed(table).splitlines()
    assert [line.split(" | ")[-1].strip(" |") for line in (header, knn, recall)] == [
        "always the largest class",
        "95.8",
        "–",
    ]


def test_published_scores_are_called_as_ours_are():
    """By their names, which are the config's."""
    numbers = {"knn_cosine": Number("accuracy", "kNN accuracy"), "linear": Number("accuracy", "Linear accuracy")}
    assert measures.heading(["knn_cosine"], numbers) == "kNN accuracy"
    assert measures.heading(["linear"], numbers) == "Linear accuracy"
    assert measures.heading(["recall"], numbers) == "Score"
    assert measures.heading(["knn_cosine", "linear"], numbers) == "Score"


def test_nothing_is_taken_for_an_accuracy():
    with pytest.raises(InputError, match="score 'recall': no measure given; expected: --measure recall"):
        printed(table_of({"score": "recall"}))
    with pytest.raises(InputError, match="--measure near: 'speed' is unknown; expected: accuracy, "):
        measures.read([["near", "speed", "Speed"]])


@pytest.mark.parametrize("name", ["null", "123", "1e3", "true"])
def test_names_that_look_like_other_values_stay_text(tmp_path, name):
    """A folder with an encoder can have any name."""
    columns = ("corpus", "encoder", "recipe", "training_corpus")
    pd.DataFrame([dict.fromkeys(columns, name) | {"value": 0.5}]).to_csv(tmp_path / "scores.csv", index=False)
    assert tables.read(tmp_path / "scores.csv").loc[0, list(columns)].tolist() == [name] * len(columns)
