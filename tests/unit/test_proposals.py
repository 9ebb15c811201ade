"""From a file of one's own to a config: where the texts are, and what is chosen for so many and such texts."""

import json
import re
import signal
from contextlib import suppress
from pathlib import Path
from shlex import split

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from small_models import small_bert
from with_defaults import crop_corpus, make_pairs, prepare, read_source

from local_servers import REVISION, Hub, serving
from selfembed import cli
from selfembed.errors import InputError
from selfembed.models import encoders
from selfembed.proposals import base_encoder, config_file, crop_limits, proposals, proposed_config
from selfembed.study.expansion import expand
from selfembed.study.validation import load
from selfembed.texts import columns, sources
from selfembed.workflow.flags import flags
from workflow_runs import ROOT

WORDS = [
    "river",
    "cloud",
    "stone",
    "letter",
    "garden",
    "winter",
    "engine",
    "paper",
    "bridge",
    "market",
    "silver",
    "window",
    "forest",
    "harbour",
]


def sentence(generator, length):
    """A sentence of about so many characters, which ends in a full stop."""
    words = ""
    while len(words) < length:
        words += " " + WORDS[generator.integers(len(WORDS))]
    return words.strip().capitalize() + "."


def texts(number, sentences=6, length=120, seed=0):
    generator = np.random.default_rng(seed)
    return [" ".join(sentence(generator, length) for _ in range(sentences)) for _ in range(number)]


def table(number=400, **changes):
    """Texts with what tables of texts have beside them."""
    found = texts(number, **changes)
    title = [text[:40] for text in found]
    return pd.DataFrame(
        {"number": range(number), "title": title, "body": found, "queue": [f"q{n % 3}" for n in range(number)]}
    )


def untitled(number=400, **changes):
    """The same texts without titles."""
    return table(number, **changes).drop(columns="title")


def write(frame, path, **how):
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False, **how)
        case ".tsv":
            frame.to_csv(path, index=False, sep="\t", **how)
        case ".jsonl":
            frame.to_json(path, orient="records", lines=True, force_ascii=False)
        case ".parquet":
            frame.to_parquet(path)
    return path


@pytest.fixture
def propose(tmp_path, monkeypatch, capsys):
    """A function that runs the command and returns the config that it wrote, as text and as keys."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        cli.main(["propose", *map(str, arguments)])
        written = (tmp_path / capsys.readouterr().out.strip()).read_text(encoding="utf-8")
        load(yaml.safe_load(written))
        return written, yaml.safe_load(written)

    return run


# Where the texts are


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_texts_and_titles_are_found_in_every_format(tmp_path, propose, ending):
    path = write(table(), tmp_path / f"tickets{ending}")
    _, config = propose(path)
    assert config["folder"] == "tickets"
    source = {"type": "file", "path": str(path), "text": "body", "title": "title", "colors": ["queue"]}
    assert config["corpora"]["texts"]["source"] == source
    assert "grouping" not in config["experiments"]


def test_a_folder_of_txt_files_is_a_corpus(tmp_path, propose):
    for n, text in enumerate(texts(200)):
        file = tmp_path / "notes" / f"topic {n % 2}" / f"note {n}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    _, config = propose("notes")
    assert config["corpora"]["texts"]["source"] == {"type": "folder", "path": "notes"}
    _, config = propose("notes", "--label", "folder")
    assert config["corpora"]["texts"]["source"]["label"] == "folder"
    assert config["experiments"]["grouping"]["scores"] == ["knn", "linear"]
    for option in ("--text", "--group"):
        with pytest.raises(InputError, match=r"a folder of text files has no columns; expected: LABEL=folder"):
            propose("notes", option, "body")


def test_a_table_of_one_column_needs_no_name():
    assert columns.find_text(pd.DataFrame({"x": ["one"]}), "file") == "x"


def test_a_column_called_text_is_taken_among_several():
    frame = pd.DataFrame({"answer": texts(9), "Text": texts(9, seed=1)})
    assert columns.find_text(frame, "file") == "Text"


def test_where_it_is_not_clear_the_candidates_are_listed():
    frame = pd.DataFrame({"question": texts(9, sentences=2), "answer": texts(9, sentences=4), "n": range(9)})
    with pytest.raises(InputError, match=r"'answer' \(\d+ characters\), 'question' \(\d+ .*: TEXT=answer") as refused:
        columns.find_text(frame, "file")
    assert "'n'" not in str(refused.value)


def test_without_texts_all_columns_are_listed():
    frame = pd.DataFrame({"name": ["Ann"] * 9, "year": range(9), "many": [["a"]] * 9, "empty": [None] * 9})
    with pytest.raises(
        InputError, match=r"no column contains texts of several words; columns: name, year, many, empty"
    ):
        columns.find_text(frame, "file")


def test_what_could_be_labels_has_few_values_that_come_often():
    frame = table(60).assign(rare=[f"r{n // 3}" for n in range(60)], one="same", lists=["a"] * 59 + [["b"]])
    assert columns.could_be_labels(frame, "body") == ["queue"]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    some.dictionaries(
        some.text(max_size=5),
        some.lists(some.one_of(some.text(max_size=40), some.none()), min_size=3, max_size=3),
        min_size=1,
        max_size=4,
    )
)
def test_any_table_has_a_column_of_texts_or_a_line_that_asks(columns_of_cells):
    frame = pd.DataFrame(columns_of_cells, dtype=object)
    try:
        assert columns.find_text(frame, "file") in frame.columns
    except InputError as error:
        assert "TEXT=" in str(error)
    columns.find_title(frame, "x")
    columns.could_be_labels(frame, "x")


# How files are read

MESSY = [
    'She said "no, never", and left.',
    "a first line\nand a second\r\nand a third",
    "🙂 a smile, 🚀 a rocket, é è ü ß",
    "semicolons; commas, tabs\tand 'apostrophes'",
    "x" * 1_000_000,
    "",
]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_messy_csv_is_read_as_it_was_written(tmp_path, separator, encoding):
    messy = [text.encode(encoding, "replace").decode(encoding).lstrip("\ufeff") for text in MESSY]
    frame = pd.DataFrame({"café": ["", *"abcde"], "empty": "", "body": messy})
    path = tmp_path / "messy.csv"
    frame.to_csv(path, index=False, sep=separator, encoding=encoding)
    source, raw, notes = sources.look_at(path, sources.ColumnNames(text="body", title="café"))
    assert list(raw["text"].fillna("")) == messy
    assert raw["title"].isna().tolist() == [True] + [False] * 5
    assert source.get("encoding") == {"utf-16": "utf-16", "cp1252": "cp1252"}.get(encoding)
    assert any("is not UTF-8; assumed encoding:" in note for note in notes) == (not encoding.startswith("utf-8"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=some.lists(
        some.text(some.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), min_size=1),
        min_size=1,
        max_size=5,
    ),
    separator=some.sampled_from(",;|"),
)
def test_any_cells_come_back(tmp_path, cells, separator):
    path = tmp_path / "cells.csv"
    frame = pd.DataFrame({"number": [str(n) for n in range(len(cells))], "body": cells})
    frame.to_csv(path, index=False, sep=separator, quoting=1)
    _, raw, _ = sources.look_at(path, sources.ColumnNames(text="body"))
    assert list(raw["text"]) == cells


def test_an_encoding_that_is_given_is_used(tmp_path):
    path = tmp_path / "russian.csv"
    path.write_bytes("text\nпривет\n".encode("cp1251"))
    source, raw, _ = sources.look_at(path, encoding="cp1251")
    assert source["encoding"] == "cp1251"
    assert raw["text"].tolist() == ["привет"]


def test_files_of_a_folder_may_differ_in_encoding(tmp_path):
    (tmp_path / "one.txt").write_bytes("Käse".encode())
    (tmp_path / "two.TXT").write_bytes("Käse".encode("latin-1"))
    (tmp_path / ".hidden.txt").write_bytes(b"not a text")
    (tmp_path / "three.md").write_bytes(b"not a text")
    source, raw, _ = sources.look_at(tmp_path)
    assert source["encoding"] == "cp1252"
    assert dict(zip(raw["title"], raw["text"], strict=True)) == {"one": "Käse", "two": "Käse"}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=some.one_of(some.binary(max_size=200), some.text(max_size=200).map(lambda text: text.encode("utf-16"))))
@pytest.mark.parametrize(
    "name",
    ["any.csv", "any.tsv", "any.jsonl", "any.json", "any.parquet", "any.xlsx", "folder/any.txt", "folder/any.md"],
)
def test_any_bytes_are_looked_at_or_refused_in_one_line(tmp_path, name, content):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with suppress(InputError):
        sources.look_at(path if path.parent == tmp_path else path.parent)


# What is chosen


@pytest.mark.parametrize(
    ("number", "held_out", "epochs", "batch_size"),
    [(100, 0.5, 5, 32), (200, 0.3, 4, 32), (1000, 0.3, 1, 32), (2500, 0.2, 1, 64), (9000, 0.1, 1, 64)],
)
def test_small_corpora_are_seen_more_often(tmp_path, number, held_out, epochs, batch_size):
    proposal = proposals.propose("x", write(table(number, sentences=4), tmp_path / "x.csv"))
    assert (proposal.held_out, proposal.epochs, proposal.batch_size) == (held_out, epochs, batch_size)
    assert proposal.limits == crop_limits.PAPER


def test_what_is_proposed_is_what_the_workflow_finds(tmp_path, propose):
    """Numbers in the config are those of the steps: texts, pairs and held-out texts."""
    frame = untitled(300)
    frame.loc[:40, "body"] = "Too short. For that."
    frame.loc[41:60, "body"] = frame["body"][100]
    path = write(frame, tmp_path / "x.csv")
    written, config = propose(path)
    corpus, counts = prepare(read_source(path, text="body"))
    crops = config["corpora"]["crops_of_texts"]["source"]
    _, kept = crop_corpus(corpus, crops["held_out"], size=500, seed=42)
    recipe = config["recipes"]["crops"]
    pairs = make_pairs(corpus, "crops", recipe["epochs"], 42, held_out=recipe["held_out"])
    n_usable, n_texts = map(int, re.search(r"which (\d+) of (\d+) texts meet", written).groups())
    assert n_texts == counts["kept"] == 240
    assert f"Of these, {kept['kept']} are long enough" in written
    assert n_usable == kept["kept"] + len(pairs) // recipe["epochs"]
    assert f"# {len(pairs) // recipe['epochs']} texts are trained on" in written


@pytest.mark.parametrize(("length", "sentences"), [(120, 6), (40, 6), (40, 2), (20, 2)])
def test_shorter_texts_get_shorter_crops_that_work(tmp_path, propose, length, sentences):
    path = write(untitled(300, sentences=sentences, length=length), tmp_path / "x.csv")
    _, config = propose(path)
    source = {key: value for key, value in config["corpora"]["crops_of_texts"]["source"].items() if key != "type"}
    source.pop("corpus")
    corpus, _ = prepare(read_source(path, text="body"))
    crop_corpus(corpus, **source, seed=42)
    source = {key: value for key, value in source.items() if key not in ("held_out", "size")}
    recipe = config["recipes"]["crops"]["augmentation"]
    assert recipe == ("crops" if length == 120 else {"type": "crops"} | source)


def test_of_very_many_texts_a_sample_is_taken_and_said(tmp_path, propose, caplog):
    path = write(table(400), tmp_path / "x.csv")
    with caplog.at_level("INFO", "selfembed"):
        written, config = propose(path, "--most-texts", 300, "--label", "queue")
    assert config["corpora"]["texts"]["source"] == {"type": "sample", "corpus": "all_texts", "size": 300, "seed": 42}
    assert "300 texts, a random sample" in caplog.text
    assert "# A random sample of the texts" in written


def test_labels_bring_accuracies_on_the_texts_that_are_held_out(tmp_path, propose):
    _, config = propose(write(untitled(), tmp_path / "x.csv"), "--label", "queue")
    split = {"split": "all", "test_fraction": config["recipes"]["crops"]["held_out"], "balanced": True}
    assert config["scores"]["knn"] == {"type": "knn", "metric": "cosine"} | split
    assert config["scores"]["linear"] == {"type": "linear"} | split
    assert config["report"]["grouping"] == "grouping" and "grouping" in config["figures"]
    embedded = {
        item.selection for items in expand(load(config)).experiments.values() for item in items if item.on == "texts"
    }
    assert embedded == {"own_last", "none_last"}
    labels = [entry["label"] for entry in config["experiments"]["grouping"]["models"]]
    assert labels == [
        "TF-IDF",
        "Before",
        *(f"{name} + words" for name in ("Before", "Crops ¼", "Crops ½", "Crops ¾", "Crops")),
    ]


def with_titles(number=300):
    return table(number).assign(title=[f"What is said in text {row}" for row in range(number)])


def test_titles_are_trained_on_and_search_is_judged_by_them(tmp_path, propose):
    _, config = propose(write(with_titles(), tmp_path / "x.csv"), "--for", "search")
    assert list(config["recipes"]) == ["titles", "crops"]
    assert config["corpora"]["titles_of_texts"]["source"]["type"] == "titles"
    assert config["experiments"]["search"]["scores"] == ["title_pairs"]
    assert config["report"]["purpose"] == "search"
    labels = [entry["label"] for entry in config["experiments"]["search"]["models"]]
    trained = [f"{name}{step} + words" for name in ("Titles", "Crops") for step in (" ¼", " ½", " ¾", "")]
    assert labels[2:] == ["Before + words", *trained]
    assert all(recipe["guide"] for recipe in config["recipes"].values())


@pytest.mark.parametrize(
    ("titles", "usable"),
    [
        (lambda row: f"About the matter {row}", True),
        (lambda row: f"No {row}", False),
        (lambda row: f"part {row}/{row}.txt", False),
        (lambda row: "The same for everybody", False),
        (lambda row: None, False),
        (lambda row: f"About the matter {row}" if row % 3 else None, True),
    ],
)
def test_titles_that_say_nothing_are_not_used(titles, usable):
    texts = pd.Series([f"A text {row}." for row in range(90)])
    assert proposals.are_titles(pd.Series([titles(row) for row in range(90)], dtype=object), texts) == usable
    assert not proposals.are_titles(texts, texts)


@pytest.mark.parametrize(("frame", "others"), [(with_titles(), ["titles", "crops"]), (untitled(300), ["crops"])])
def test_groups_are_trained_on_beside_titles_and_crops(tmp_path, propose, caplog, frame, others):
    """As many texts as the proposal says have a pair in the recipe that it proposes."""
    caplog.set_level("INFO")
    path = write(frame.assign(thread=[f"thread {row // 3}" for row in range(300)]), tmp_path / "x.csv")
    written, config = propose(path, "--group", "thread", "--for", "search")
    assert config["corpora"]["texts"]["source"]["group"] == "thread"
    assert list(config["recipes"]) == [*others, "groups"]
    recipe = config["recipes"]["groups"]
    assert recipe == config["recipes"]["crops"] | {"augmentation": "groups"} and recipe["guide"]
    labels = [entry["label"] for entry in config["experiments"]["search"]["models"]]
    names = [name.capitalize() for name in [*others, "groups"]]
    assert labels[3:] == [f"{name}{step} + words" for name in names for step in (" ¼", " ½", " ¾", "")]
    assert config["experiments"]["maps"]["models"][1]["recipe"] == others[0]
    corpus, _ = prepare(read_source(path, text="body", group="thread"))
    pairs = make_pairs(corpus, "groups", recipe["epochs"], 42, held_out=recipe["held_out"])
    number = pairs["id"].nunique()
    assert 100 < number < 300 * (1 - recipe["held_out"]) + 1
    assert f"{number:,} texts for training share their 'thread' with another one" in caplog.text
    assert f"# Groups: two texts with the same thread; {number} of the texts for training share" in written


def test_without_a_column_of_groups_there_is_no_recipe_of_them(tmp_path, propose):
    written, config = propose(write(untitled(300).assign(thread="t"), tmp_path / "x.csv"))
    assert list(config["recipes"]) == ["crops"] and "roups: two" not in written
    assert "group" not in config["corpora"]["texts"]["source"]


@pytest.mark.parametrize(
    ("thread", "said"),
    [
        (lambda row: "one", "'thread' has 1 value that two training texts or more share; expected: a column with 2 "),
        (lambda row: row, "'thread' has 0 values that two training texts or more share; expected: a column with 2 "),
        (lambda row: "one" if row % 2 else row, "'thread' has 1 value that two training texts or more share; "),
        (lambda row: None, "'thread' has 0 values that two training texts or more share; "),
    ],
)
def test_groups_that_pair_nothing_or_everything_are_refused(tmp_path, propose, thread, said):
    path = write(untitled(300).assign(thread=[thread(row) for row in range(300)]), tmp_path / "x.csv")
    with pytest.raises(InputError) as refused:
        propose(path, "--group", "thread")
    assert str(refused.value).startswith(f"{path}: {said}") and "\n" not in str(refused.value)
    assert not list(tmp_path.glob("*.yaml"))


def test_without_labels_only_careful_models_are_compared_unless_search_is_all_that_counts(tmp_path):
    path = write(untitled(300), tmp_path / "x.csv")
    assert list(proposals.propose("x", path).steps) == list(proposals.CAREFUL)
    assert list(proposals.propose("x", path, purpose="search").steps) == list(proposals.STEPS)
    assert list(proposals.propose("x", path, label="queue").steps) == list(proposals.STEPS)


def test_models_are_compared_before_and_after_and_with_words(tmp_path, propose):
    _, config = propose(write(untitled(), tmp_path / "x.csv"), "--seeds", 5, 6)
    assert config["seeds"] == [5, 6]
    labels = [entry["label"] for entry in config["experiments"]["search"]["models"]]
    assert labels == ["TF-IDF", "Before", "Before + words", "Crops ¼ + words", "Crops ½ + words"]
    assert [entry["label"] for entry in config["experiments"]["maps"]["models"]] == ["Before", "Crops ½ + words"]
    assert {figure["draw"] for figure in config["figures"].values()} == {"comparison", "losses", "interactive_map"}
    assert propose(tmp_path / "x.csv", "--sure")[1]["seeds"] == [42, 23, 12]


# What cannot be used


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (table(1), r"1 different text \(1 read, 0 empty, 0 duplicate\); expected: at least 100"),
        (table(40), "40 different texts .* expected: at least 100"),
        (pd.concat([table(1)] * 500), r"1 different text \(500 read, 0 empty, 499 duplicate\)"),
        (table(500).assign(body="yes."), "1 different text "),
        (
            table(500).assign(body=[f"It is number {n}." for n in range(500)]),
            "0 of 500 texts are long enough: they have at least 2 sentences of 10 to 1000 characters",
        ),
        (pd.concat([table(60), table(90, sentences=1, length=200, seed=1)]), "60 of 150 texts are long enough"),
        (table(500).assign(body=None), "no texts left: 500 read, 500 empty"),
        (table(0), "no rows"),
    ],
    ids=["one", "forty", "duplicates", "the same word", "short", "sixty long ones", "empty", "header"],
)
def test_too_few_usable_texts_are_refused_before_any_work(tmp_path, propose, frame, said):
    path = write(frame, tmp_path / "few.csv")
    with pytest.raises(InputError, match=said) as refused:
        propose(path, "--text", "body")
    assert str(refused.value).startswith(f"{path}: ") and "; expected: " in str(refused.value)
    assert not list(tmp_path.glob("*.yaml"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--text", "bdy"), r"no column 'bdy' for 'text'; columns: number, title, body, queue"),
        (("--group", "thred"), r"no column 'thred' for 'group'; columns: number, title, body, queue"),
        (("--label", "title"), "'title' has 0 values with 10 texts or more; expected: a column with two classes"),
        (("--name", "My Texts"), "folder: 'My Texts' is invalid"),
        (("--name", "corpora"), "the name 'corpora' is reserved"),
        (("--encoder", "./nowhere"), "encoder './nowhere': no such folder"),
        (("--seeds", "4", "4"), "duplicate seed"),
        (("--split", "test"), r"x\.csv: SUBSET and SPLIT are parts of a data set on the hub; expected: TEXTS=hf://"),
    ],
)
def test_wrong_options_are_one_line(tmp_path, propose, arguments, said):
    with pytest.raises(InputError, match=said):
        propose(write(table(), tmp_path / "x.csv"), *arguments)
    assert not list(tmp_path.glob("*.yaml"))


def test_a_file_that_does_not_exist_or_is_of_another_kind_is_told(tmp_path, propose):
    with pytest.raises(
        InputError, match=r"nothing\.csv: does not exist; expected: a \.csv, \.tsv, \.jsonl, \.parquet, \.json"
    ):
        propose("nothing.csv")
    (tmp_path / "book.pdf").write_bytes(b"%PDF")
    with pytest.raises(InputError, match=r"unknown file format: extension '\.pdf'"):
        propose("book.pdf")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no \.txt file in this folder"):
        propose("empty")


# What a person edited


def test_without_labels_it_is_said_how_to_judge_grouping_by_hand(tmp_path, propose, caplog):
    said = "cannot be judged without labels (LABEL=…); to judge it by hand, run `selfembed ask` after `adapt`"
    with caplog.at_level("INFO", "selfembed"):
        propose(write(table(), tmp_path / "x.csv"))
    assert said in caplog.text
    caplog.clear()
    with caplog.at_level("INFO", "selfembed"):
        propose(write(table(), tmp_path / "y.csv"), "--label", "queue")
    assert said not in caplog.text


def test_an_edited_config_is_kept_and_an_unedited_one_proposed_again(tmp_path, propose, caplog):
    path = write(table(), tmp_path / "x.csv")
    _, config = propose(path)
    assert config["seeds"] == [42]
    _, config = propose(path, "--seeds", 1)
    assert config["seeds"] == [1]
    edited = tmp_path / "my_x.yaml"
    edited.write_text(edited.read_text().replace("seeds: [1]", "seeds: [7]"))
    with caplog.at_level("INFO", "selfembed"):
        _, config = propose(path, "--seeds", 2)
    assert config["seeds"] == [7]
    assert "my_x.yaml was edited and is not overwritten" in caplog.text


def test_a_config_for_other_texts_is_not_replaced(tmp_path, propose):
    write(table(), tmp_path / "x.csv")
    propose("x.csv")
    (tmp_path / "other").mkdir()
    write(table(), tmp_path / "other/x.csv")
    with pytest.raises(InputError, match=r"my_x\.yaml is a config for x\.csv; expected: another NAME"):
        propose("other/x.csv")
    assert yaml.safe_load((tmp_path / "my_x.yaml").read_text())["corpora"]["texts"]["source"]["path"] == "x.csv"


@pytest.mark.parametrize("name", ["2021", "corpora", "smoke", "Ünï cödé", "a-b.c"])
def test_any_file_name_gives_a_name_that_a_config_can_have(tmp_path, propose, name):
    _, config = propose(write(table(), tmp_path / f"{name}.csv"))
    assert re.fullmatch("[a-z0-9_]+", config["folder"])
    assert config["folder"] not in config_file.TAKEN


@given(some.text())
def test_any_text_is_one_line_of_yaml(value):
    line = proposed_config.scalar(value)
    assert "\n" not in line
    assert yaml.safe_load(f"key: {line}") == {"key": value}


# Encoders


def test_an_encoder_in_a_folder_is_looked_at(tmp_path, propose):
    encoders.save(small_bert(tmp_path / "tokenizer"), tmp_path / "My Model", "")
    _, config = propose(write(table(), tmp_path / "x.csv"), "--encoder", tmp_path / "My Model")
    found = config["encoders"]["my_model"]
    assert (found["layers"], found["max_length"]) == (2, 64)
    assert {recipe["pooling"] for recipe in config["recipes"].values()} == {"own"}
    assert [entry["encoder"] for entry in config["experiments"]["maps"]["models"]] == ["my_model", "my_model_words"]
    words = config["encoders"]["my_model_words"]
    assert (words["of"], words["layers"], words["max_length"]) == ("my_model", 2, 64)
    assert words["held_out"] == config["recipes"]["titles"]["held_out"]


def test_an_encoder_without_a_limit_of_positions_gets_the_usual_length(tmp_path):
    from transformers import XLNetConfig

    XLNetConfig(n_layer=2).save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text()).get("max_position_embeddings", -1) == -1
    assert base_encoder.longest(tmp_path) == base_encoder.LONGEST_TOKENS


def test_an_encoder_without_modules_has_mean_pooling_and_as_many_tokens_as_positions(tmp_path, propose):
    model = small_bert(tmp_path / "tokenizer")
    positions = model[0].model.embeddings
    model[0].model.config.max_position_embeddings = 100
    positions.position_embeddings = torch.nn.Embedding(100, positions.position_embeddings.embedding_dim)
    encoders.save(model, tmp_path / "plain", "")
    (tmp_path / "plain/modules.json").unlink()
    _, config = propose(write(table(), tmp_path / "x.csv"), "--encoder", tmp_path / "plain", "--label", "queue")
    assert config["encoders"]["plain"]["max_length"] == 98
    assert {recipe["pooling"] for recipe in config["recipes"].values()} == {"own"}
    assert config["experiments"]["grouping"]["poolings"] == ["own"]


@pytest.mark.parametrize(
    ("phrase", "end", "refused"), [("แมวนอนบนโซฟาในบ้าน", " ", True), ("我在花园里看见一只猫", "。", False)]
)
def test_an_encoder_that_does_not_know_the_script_is_told_or_refused(tmp_path, phrase, end, refused):
    """MiniLM knows some Chinese characters, but no Thai words."""
    generator = np.random.default_rng(0)
    found = [end.join("".join(generator.permutation(list(phrase * 4))) for _ in range(8)) for _ in range(200)]
    file = write(pd.DataFrame({"text": found}), tmp_path / "texts.csv")
    unknown = "% of the tokens are unknown to the tokenizer of encoder 'minilm'; "
    if refused:
        with pytest.raises(InputError, match=f"{unknown}expected: an encoder for the script"):
            proposals.propose("texts", file)
    else:
        assert f"{unknown}better: an encoder for the script" in proposals.propose("texts", file).notes[-1]


def test_a_folder_without_an_encoder_is_refused(tmp_path, propose):
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="none: cannot be loaded"):
        propose(write(table(), tmp_path / "x.csv"), "--encoder", tmp_path / "none")


@pytest.mark.slow
@pytest.mark.parametrize("revision", ["", f"@{REVISION}"])
def test_an_encoder_of_the_hub_is_pinned_to_a_revision(tmp_path, revision):
    """In a process of its own, because where the hub is is read when it is imported."""
    import os
    import subprocess
    import sys

    encoders.save(small_bert(tmp_path / "tokenizer"), tmp_path / "repository", "")
    write(table(), tmp_path / "x.csv")
    with serving(Hub, folder=tmp_path / "repository") as (hub, _):
        environment = os.environ | {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
        environment["PYTHONPATH"] = str(ROOT / "scripts")
        command = [sys.executable, "-m", "selfembed", "propose", "x.csv", "--encoder", f"team/encoder{revision}"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = yaml.safe_load((tmp_path / "my_x.yaml").read_text())["encoders"]["encoder"]
    assert {key: found[key] for key in ("type", "id", "revision", "layers")} == {
        "type": "hub",
        "id": "team/encoder",
        "revision": REVISION,
        "layers": 2,
    }


# Data sets of the hub


def propose_from_hub(folder, files, *arguments):
    """Run the command on a data set of a local hub; return the process and the config, or None."""
    import os
    import subprocess
    import sys

    for name, content in files.items():
        path = folder / "repository" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content.to_parquet(path) if isinstance(content, pd.DataFrame) else path.write_text(content)
    with serving(Hub, folder=folder / "repository", repository="team/tickets", kind="datasets/") as (hub, _):
        environment = os.environ | {"HF_ENDPOINT": hub, "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_XET": "1"}
        environment["PYTHONPATH"] = str(ROOT / "scripts")
        command = [sys.executable, "-m", "selfembed", "propose", *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        written = folder / "my_tickets.yaml"
        config = yaml.safe_load(written.read_text()) if written.exists() else None
        if config:  # the workflow reads the same
            source = load(config).corpora["texts"].source
            command = [
                sys.executable,
                str(ROOT / "scripts" / "download_dataset.py"),
                *split(flags(source, omit=("type",))),
            ]
            command += ["--output", "texts.parquet", "--origin", "texts.json"]
            subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return done, config


SUBSET = """---
configs:
- config_name: en
  data_files: [{split: train, path: en/data-*}]
- config_name: de
  data_files: [{split: train, path: de/data-*}]
---
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("files", "arguments", "expected"),
    [
        ({"data/train-0.parquet": table(300), "data/test-0.parquet": table(9)}, (), {"split": "train", "label": None}),
        ({"all.csv": table(300).to_csv(index=False)}, (f"@{REVISION}",), {"split": "train", "label": None}),
        (
            {"README.md": SUBSET, "en/data-0.parquet": table(300), "de/data-0.parquet": table(9)},
            ("", "--subset", "en", "--label", "queue", "--group", "queue"),
            {"subset": "en", "split": "train", "label": "queue", "group": "queue"},
        ),
    ],
)
def test_a_data_set_of_the_hub_is_pinned_to_a_revision_and_read_again(tmp_path, files, arguments, expected):
    revision, *others = arguments or ("",)
    done, config = propose_from_hub(tmp_path, files, f"hf://team/tickets{revision}", *others)
    assert done.returncode == 0, done.stderr
    known = {"type": "hub", "id": "team/tickets", "revision": REVISION, "text": "body", "title": "title"}
    assert config["corpora"]["texts"]["source"] == known | expected
    assert ("grouping" in config["experiments"]) == (expected["label"] is not None)
    read = pd.read_parquet(tmp_path / "texts.parquet")
    assert read["text"].tolist() == table(300)["body"].tolist()
    assert read["title"].tolist() == table(300)["title"].tolist()
    assert ("group" in read) == ("groups" in config["recipes"]) == ("group" in expected)
    assert json.loads((tmp_path / "texts.json").read_text())["revision"] == REVISION


@pytest.mark.slow
@pytest.mark.parametrize(
    ("files", "address", "said"),
    [
        ({"README.md": SUBSET}, "hf://team/tickets", "hf://team/tickets: has several subsets: en, de; expected: one"),
        ({"a.bin": "x"}, "hf://team/tickets", "no file of split 'train' among a.bin; expected: .parquet"),
        ({"a.csv": "x"}, "hf://team/other", "hub: no repository 'team/other'"),
    ],
)
def test_a_data_set_that_cannot_be_proposed_is_one_line(tmp_path, files, address, said):
    done, config = propose_from_hub(tmp_path, files, address)
    assert config is None and done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert said in line


@pytest.mark.parametrize("address", ["hf://name", "hf://a/b/c", "hf://a/b@main", "hf://"])
def test_an_address_that_is_none_is_one_line(propose, address):
    with pytest.raises(InputError, match=r"no data set; expected: hf://owner/name, or"):
        propose(address)


# Running what is proposed

SNAKEMAKE = """#!/bin/sh
echo "$@" > arguments
mkdir -p logs/x
printf '12:00:01 %s\\n' "After crops is better." "By 7 points." Three. Four. Five. Six. > logs/x/write_report.log
exit ${STATUS:-0}
"""


@pytest.fixture
def snakemake(tmp_path, monkeypatch):
    """A program that takes the place of Python with Snakemake: notes how it was called, and writes a report's log."""
    program = tmp_path / "snakemake"
    program.write_text(SNAKEMAKE)
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_proposed_config_is_run_and_the_end_says_what_came_of_it_and_where(tmp_path, monkeypatch, capsys, snakemake):
    monkeypatch.chdir(tmp_path)
    cli.main(["propose", str(write(table(), tmp_path / "x.csv")), "--run"])
    called = (tmp_path / "arguments").read_text().split()
    words = ["-m", "snakemake", "adapt", "--snakefile", f"{ROOT}/Snakefile"]
    words += ["--workflow-profile", f"{ROOT}/profiles/adapt", "--configfile", "my_x.yaml"]
    assert called == [*words, "--logger", "progress"]
    said = capsys.readouterr().out
    assert said.startswith("\nAfter crops is better.\nBy 7 points.\n")
    assert len(said.splitlines()) == 10 and "Six." not in said  # the rest is in the report
    assert said.endswith(f"snakemake adapt --snakefile {ROOT}/Snakefile --configfile my_x.yaml --cores all\n")
    assert f"snakemake adapt --snakefile {ROOT}/Snakefile --configfile" in Path("my_x.yaml").read_text()
    for place in ("results/x/report.html", "figures/x/maps/texts.html", "results/x/adapted_model", "my_x.yaml"):
        assert place in said


def test_a_run_that_fails_ends_with_its_status_and_tells_no_results(tmp_path, monkeypatch, capsys, snakemake):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STATUS", "3")
    with pytest.raises(SystemExit, match="3"):
        cli.main(["propose", str(write(table(), tmp_path / "x.csv")), "--run"])
    assert capsys.readouterr().out == ""
