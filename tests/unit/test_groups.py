"""Texts of the same group, such as a thread: pairs for training, their order, and what is left out."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as some
from with_defaults import make_pairs, prepare, read_source, split

from selfembed.augmentations import crops
from selfembed.errors import InputError
from selfembed.jobs import records
from selfembed.texts import corpora, groups
from warm_steps import run_step

SCRIPTS = Path(crops.__file__).parents[2]
THREADS = SCRIPTS.parent / "config" / "smoke_threads.csv"

# Groups of texts; None is a text without one.
NAMES = some.lists(some.sampled_from(["a", "b", "c", "d", None]), min_size=10, max_size=40)


def texts(names, repeated=()):
    """A corpus with a group per text; texts at the positions `repeated` are the same as the first text."""
    said = [f"text {0 if place in repeated else place}" for place in range(len(names))]
    ids = [f"id/{place}" for place in range(len(names))]
    return pd.DataFrame({"id": ids, "text": said, "label": None, "title": None, "group": names}, dtype=object)


# Pairs


@given(NAMES, some.sets(some.integers(0, 9)), some.integers(0, 99), some.sampled_from([0.0, 0.2]))
def test_every_training_text_with_another_one_in_its_group_is_the_anchor_once_an_epoch(names, repeated, seed, held_out):
    corpus = texts(names, repeated)
    training = corpus.iloc[np.sort(split(len(corpus), held_out, 42)[0])] if held_out else corpus
    partners = {
        row.id: {
            other.text
            for other in training.itertuples()
            if row.group is not None and other.group == row.group and other.text != row.text
        }
        for row in training.itertuples()
    }
    expected = sorted(name for name, found in partners.items() if found)
    assume(expected)
    pairs = make_pairs(corpus, "groups", epochs=2, seed=seed, held_out=held_out)
    said = dict(zip(corpus["id"], corpus["text"], strict=True))
    for _, epoch in pairs.groupby("epoch"):
        assert sorted(epoch["id"]) == expected
    for pair in pairs.itertuples():
        assert pair.anchor == said[pair.id]
        assert pair.positive in partners[pair.id]
    summary = groups.summary(training)
    alone = sum(row.group is not None and not partners[row.id] for row in training.itertuples())
    assert list(summary.values()) == [
        len({row.group for row in training.itertuples() if partners[row.id]}),
        len(expected),
        alone,
        len(training) - len(expected) - alone,
    ]


def test_the_positive_is_drawn_uniformly_from_the_others_of_the_group():
    pairs = make_pairs(texts(["a"] * 4 + ["b"] * 2), "groups", epochs=3000, seed=1)
    drawn = pairs[pairs["id"] == "id/1"]["positive"].value_counts()
    assert set(drawn.index) == {"text 0", "text 2", "text 3"}
    assert drawn.between(900, 1100).all()  # 1000 ± 4 standard deviations


def test_the_seed_alone_decides_and_fewer_epochs_are_the_start_of_more():
    corpus = texts([f"group {place % 9}" for place in range(60)])
    more = make_pairs(corpus, "groups", 3, seed=7)
    assert more.equals(make_pairs(corpus, "groups", 3, seed=7))
    assert not more.equals(make_pairs(corpus, "groups", 3, seed=8))
    assert make_pairs(corpus, "groups", 1, seed=7).equals(more[more["epoch"] == 0])
    first, second = (epoch["id"].tolist() for _, epoch in more[more["epoch"] < 2].groupby("epoch"))
    assert first != second


@pytest.mark.parametrize(
    "corpus", [texts(["a", "b", None]), texts([None] * 3), texts([None] * 3).drop(columns="group")]
)
def test_no_two_texts_of_a_group_are_one_clear_line(corpus):
    with pytest.raises(InputError) as error:
        make_pairs(corpus, "groups", epochs=1, seed=1)
    assert str(error.value) == (
        "none of the 3 texts has another text in its group; expected: a source with group: COLUMN, and values that "
        "several texts have"
    )


# Order


@given(some.lists(some.sampled_from("abcdefgh"), min_size=1, max_size=60), some.integers(0, 99))
def test_between_two_texts_of_a_group_lie_texts_of_all_groups_that_are_as_large(names, seed):
    """A group that is n times as large lies there n times."""
    order = groups.spread(names, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(names)))
    sizes = Counter(names)
    for group, size in sizes.items():
        places = [place for place, position in enumerate(order) if names[position] == group]
        expected = sum(other // size for name, other in sizes.items() if name != group)
        assert all(after - before > expected for before, after in pairwise(places))


def test_no_batch_has_two_pairs_of_a_group_if_there_are_as_many_groups_as_pairs_in_a_batch():
    names = [f"thread {place % 64}" for place in range(64 * 5)]
    pairs = make_pairs(texts(names), "groups", epochs=2, seed=3)
    known = dict(zip((f"id/{place}" for place in range(len(names))), names, strict=True))
    for start in range(0, len(pairs), 64):
        batch = [known[name] for name in pairs["id"][start : start + 64]]
        assert len(set(batch)) == len(batch)


def test_every_text_can_come_first():
    firsts = {groups.spread(["a", "a", "b", "b", "c"], np.random.default_rng(seed))[0] for seed in range(200)}
    assert firsts == set(range(5))


# From the file to the pairs


def test_a_group_is_folded_like_a_label_and_a_blank_one_is_none(tmp_path):
    path = tmp_path / "t.csv"
    pd.DataFrame({"text": ["one", "two", "three", "four"], "product": [" a\tb", "a b ", "  ", None]}).to_csv(path)
    corpus, _ = prepare(read_source(path, group="product"))
    assert corpus["group"].fillna("missing").tolist() == ["a b", "a b", "missing", "missing"]


def test_numbers_are_groups(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"text": ["one", "two", "three"], "author": [7.0, 7.0, None]}).to_parquet(path)
    corpus, _ = prepare(read_source(path, group="author"))
    assert corpus["group"].fillna("missing").tolist() == ["7", "7", "missing"]


def test_a_corpus_has_the_column_only_if_the_source_names_it(tmp_path):
    without, _ = prepare(read_source(THREADS))
    with_groups, _ = prepare(read_source(THREADS, group="thread"))
    assert without.columns.tolist() == corpora.COLUMNS
    assert with_groups.columns.tolist() == [*corpora.COLUMNS, "group"]
    assert without.equals(with_groups.drop(columns="group"))
    for corpus in (without, with_groups):
        records.write_table(corpus, tmp_path / "corpus.parquet")
        read = corpora.read_corpus(tmp_path / "corpus.parquet")
        assert read.fillna("missing").to_dict("list") == corpus.fillna("missing").to_dict("list")
    with pytest.raises(InputError, match=r"no column 'topic' for 'group'; columns: thread, text"):
        read_source(THREADS, group="topic")


def test_the_scripts_make_pairs_and_count_what_is_left_out(tmp_path):
    def run(script, words):
        return run_step(script, *words.split(), cwd=tmp_path, check=True)

    cleaning = "--minimum-length 1 --minimum-label-count 1 --deduplicate --sentences paper"
    run(
        "prepare_corpus", f"--source {THREADS} --text text --group thread {cleaning} --output c.parquet --counts c.json"
    )
    words = "--corpus c.parquet --type groups --epochs 2 --held-out 0.0 --seed 1 --output p.parquet --settings p.json"
    done = run("make_pairs", words)
    corpus = pd.read_csv(THREADS).set_index("text")["thread"]
    pairs = pd.read_parquet(tmp_path / "p.parquet")
    assert len(pairs) == 2 * 13
    assert (corpus[pairs["anchor"]].to_numpy() == corpus[pairs["positive"]].to_numpy()).all()
    assert (pairs["anchor"] != pairs["positive"]).all()
    counts = {"groups": 5, "texts with another one": 13, "alone in their group": 1, "without a group": 1}
    assert json.loads((tmp_path / "p.json").read_text())["training texts"] == counts
    assert "5 groups, 13 texts with another one, 1 alone in their group, 1 without a group" in done.stderr
