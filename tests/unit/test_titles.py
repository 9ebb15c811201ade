"""Titles and texts: pairs for training, corpora of held-out ones and scores on them, against plain loops."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, save_npz
from with_defaults import make_pairs, split, title_corpus

from selfembed.augmentations import crops
from selfembed.errors import InputError
from selfembed.jobs import records
from selfembed.texts.titles import title_and_text, without_title
from warm_steps import run_step

SCRIPTS = Path(crops.__file__).parents[2]


def texts(number):
    """A corpus; every third text begins with its title, every fifth has no title, every seventh is only its title."""
    rows = []
    for index in range(number):
        title, text = f"Title {index}", f"text number {index} says something"
        if index % 7 == 0:
            text = f"{title}."
        elif index % 3 == 0:
            text = f"{title.upper()}:  {text}"
        label = "even" if index % 2 == 0 else None
        rows.append((f"id/{index}", text, label, title if index % 5 else [None, " "][index % 2]))
    return pd.DataFrame(rows, columns=["id", "text", "label", "title"])


def is_usable(index):
    return bool(index % 5 and index % 7)


# The title at the beginning -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "text", "rest"),
    [
        ("On Cats", "On Cats. They purr.", "They purr."),
        ("on  cats", "ON\ncats — they purr.", "they purr."),
        ("On Cats?", "On cats They purr.", "They purr."),
        ("On Cats", "On Cats\n=====\n\nThey purr.", "They purr."),
        ("On Cats", "On Cats (and dogs).", "(and dogs)."),
        ("On Cats", 'On Cats: "They purr."', '"They purr."'),
        ("Straße", "STRASSE is a street.", "is a street."),
        ("论猫", "论猫：它们会打呼噜。", "它们会打呼噜。"),
        ("论猫", "论猫它们会打呼噜。", "它们会打呼噜。"),
        ("On Cats", "On Cats", ""),
    ],
)
def test_the_title_and_what_follows_it_are_removed(title, text, rest):
    assert without_title(text, title) == rest


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("On Cats", "Cats purr. On Cats: more."),
        ("Cat", "Category theory."),
        ("Well", "Well-known facts."),
        ("graph", "graph_tool draws."),
        ("Version 1", "Version 10 is out."),
        ("On Cats and Dogs", "On Cats"),
        ("", ", they purr."),
    ],
)
def test_a_text_that_does_not_begin_with_its_title_is_whole(title, text):
    assert without_title(text, title) == text


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_is_left_is_the_end_of_the_text(title, rest):
    for text in (rest, title + rest, f"{title} {rest}", f"{title}. {rest}"):
        assert text.endswith(without_title(text, title))


# The rest does not begin with an underscore, which is punctuation after the title.
@given(st.from_regex(r"\A(\w+[ ?]?){1,4}\Z"), st.from_regex(r"\A[^\W_](\w| |\.){0,20}\Z"))
def test_a_title_in_another_case_and_spacing_is_found(title, rest):
    spaced = "  ".join(title.swapcase()) if title.swapcase().casefold() == title.casefold() else title
    assert without_title(f"{spaced}: {rest}", title) == rest


@pytest.mark.parametrize("title", [None, float("nan"), "", " \n", "They purr.", "they  PURR"])
def test_texts_without_a_title_or_another_text_have_no_pair(title):
    assert title_and_text((title, "They purr.")) == []


# Pairs --------------------------------------------------------------------------------------------------------


def test_pairs_are_titles_and_the_texts_without_them():
    corpus = texts(100)
    pairs = make_pairs(corpus, "titles", epochs=2, seed=1, held_out=0.1)
    kept = set(split(100, 0.1)[0])
    expected = {
        f"id/{index}": (f"Title {index}", f"text number {index} says something")
        for index in range(100)
        if index in kept and is_usable(index)
    }
    for _, epoch in pairs.groupby("epoch"):
        found = dict(zip(epoch["id"], zip(epoch["anchor"], epoch["positive"], strict=True), strict=True))
        assert len(epoch) == len(expected) and found == expected
    first, second = (epoch["id"].tolist() for _, epoch in pairs.groupby("epoch"))
    assert first != second


def test_sentences_of_a_corpus_do_not_matter():
    corpus = texts(20)
    split_before = corpus.assign(sentences=[["other. ", "sentences."]] * 20)
    assert make_pairs(corpus, "titles", 1, 1).equals(make_pairs(split_before, "titles", 1, 1))


def test_no_titles_are_one_clear_line():
    corpus = texts(8).assign(title=None)
    with pytest.raises(InputError) as error:
        make_pairs(corpus, "titles", epochs=1, seed=1)
    assert str(error.value) == (
        "none of the 8 texts has a title (or another column named as title); expected: a source with title: COLUMN, "
        "and texts that are more than their title"
    )


# The corpus of titles -----------------------------------------------------------------------------------------


def test_a_corpus_of_titles_is_of_what_runs_hold_out():
    corpus = texts(1000)
    found, counts = title_corpus(corpus, held_out=0.2, size=None, seed=7)
    held_out = set(split(1000, 0.2)[1])
    usable = sorted(index for index in held_out if is_usable(index))
    assert found["id"].tolist() == [f"id/{index}/{place}" for index in usable for place in (0, 1)]
    assert found["text"].tolist() == [
        side for index in usable for side in (f"Title {index}", f"text number {index} says something")
    ]
    for column in ("label", "title"):
        assert found[column].tolist() == [cell for cell in corpus[column].iloc[usable] for _ in (0, 1)]
    pairs = make_pairs(corpus, "titles", epochs=1, seed=1, held_out=0.2)
    assert not set(pairs["id"]) & {name.rpartition("/")[0] for name in found["id"]}
    assert counts == {
        "texts": 1000,
        "held out": 200,
        "without a title or another text": 200 - len(usable),
        "not drawn": 0,
        "kept": len(usable),
        "kept, a title or text is in another text": 0,
    }


def test_a_number_of_titles_is_drawn_and_twins_are_counted():
    corpus = texts(1000)
    corpus.loc[corpus["title"].isin(["Title 1", "Title 2", "Title 4"]), "title"] = "The same"
    one, counts = title_corpus(corpus, held_out=0, size=60, seed=7)
    assert len(one) == 120 and counts["kept"] == 60
    assert one.equals(title_corpus(corpus, held_out=0, size=60, seed=7)[0])
    assert not one.equals(title_corpus(corpus, held_out=0, size=60, seed=8)[0])
    _, counts = title_corpus(corpus, held_out=0, size=None, seed=7)
    assert counts["kept, a title or text is in another text"] == 3


@pytest.mark.slow
def test_too_few_titles_are_one_clear_line(tmp_path):
    records.write_table(texts(100), tmp_path / "corpus.parquet")
    words = ["--corpus", tmp_path / "corpus.parquet", "--output", tmp_path / "titles.parquet"]
    words += ["--counts", tmp_path / "titles.json"]
    done = run_step("title_corpus", *words)
    assert done.returncode != 0
    usable = sum(map(is_usable, split(100, 0.1)[1]))
    assert done.stderr.splitlines()[-1] == (
        f"error: {tmp_path}/corpus.parquet: {usable} of the 10 held-out texts have a title (or another column named as "
        "title); expected: 50 (more texts, a larger held_out, or a source with title: COLUMN, and texts that are more "
        "than their title)"
    )
    done = run_step("title_corpus", *words, "--held-out", "0")
    assert done.returncode == 0, done.stderr
    assert records.read_json(tmp_path / "titles.json")["counts"]["kept"] == sum(map(is_usable, range(100)))


# The score ----------------------------------------------------------------------------------------------------


def plain(titles, bodies, vectors):
    """The three measures in a loop over texts and directions; texts with the same title or text are no candidates."""
    number = len(titles)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    ranks = []
    for text in range(number):
        for asked, found in ((0, 1), (1, 0)):
            right = unit[2 * text + asked] @ unit[2 * text + found]
            rank = 1
            for other in range(number):
                twin = titles[other] == titles[text] or bodies[other] == bodies[text]
                if not twin and unit[2 * text + asked] @ unit[2 * other + found] >= right - 1e-12:
                    rank += 1
            ranks.append(rank)
    ranks = np.array(ranks)
    return {
        "title_recall@1": np.mean(ranks == 1),
        "title_recall@10": np.mean(ranks <= 10),
        "title_mrr": np.mean(1 / ranks),
    }


@pytest.mark.slow
@pytest.mark.parametrize("sparse", [False, True])
def test_the_score_is_that_of_a_plain_loop(tmp_path, sparse):
    corpus = texts(200)
    corpus.loc[corpus["title"].isin([f"Title {index}" for index in range(40)]), "title"] = "The same"
    found, _ = title_corpus(corpus, held_out=0, size=60, seed=7)
    records.write_table(found, tmp_path / "titles.parquet")
    generator = np.random.default_rng(0)
    vectors = np.repeat(generator.normal(size=(60, 6)), 2, axis=0) + generator.normal(size=(120, 6))
    folder = tmp_path / "embeddings"
    folder.mkdir()
    if sparse:
        vectors = vectors.clip(min=0) + 1e-3
        save_npz(folder / "embeddings.npz", csr_matrix(vectors))
    else:
        vectors = vectors.astype(np.float32).astype(np.float64)
        np.save(folder / "embeddings.npy", vectors[None, None].astype(np.float32))
    records.write_json({"poolings": ["mean"], "layers": [3], "last_layer": 3}, folder / "embeddings.json")
    words = ["--embeddings", folder, "--corpus", tmp_path / "titles.parquet", "--model", "base/tiny", "--step", "0"]
    words += ["--score", "search", "--output", tmp_path / "scores.csv", "--outcomes", tmp_path / "outcomes.parquet"]
    done = run_step("score_title_pairs", *words)
    assert done.returncode == 0, done.stderr
    same = int((found["text"] == "The same").sum())
    assert f" {same} of 60 texts have one side of their pair in another pair, too" in done.stderr
    scores = pd.read_csv(tmp_path / "scores.csv").set_index("score")
    expected = plain(found["text"].tolist()[::2], found["text"].tolist()[1::2], vectors)
    assert 2 <= same < 60 and 0 < expected["title_recall@1"] < expected["title_recall@10"] < 1
    assert scores["value"].to_dict() == pytest.approx({f"search_{name}": value for name, value in expected.items()})
    assert set(scores["n_test"]) == {60}
    outcomes = pd.read_parquet(tmp_path / "outcomes.parquet")
    means = outcomes.groupby("score", observed=True)["outcome"].mean().to_dict()
    assert means == pytest.approx(scores["value"].to_dict(), abs=1e-6)
