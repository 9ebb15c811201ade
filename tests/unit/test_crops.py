"""Packs and pairs, against texts worked out by hand and against their definition."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from with_defaults import make_pairs, packs

from selfembed.augmentations.crops import crop_pair, dropout_pair, halves
from selfembed.errors import InputError


def piece(length: int, letter: str) -> str:
    """A sentence of exactly `length` characters as the split sees it: one leading space, then letters."""
    return " " + letter * (length - 1)


def text_of(*pieces: str) -> str:
    return ".".join(pieces) + "."


def sentences_of(pack: str) -> list[str]:
    """The letters of the sentences in a pack."""
    return [sentence.strip()[0] for sentence in pack.split(".") if sentence.strip()]


@pytest.mark.parametrize(("length", "eligible"), [(99, False), (100, True), (250, True), (251, False)])
def test_eligible_length_counts_the_leading_space(length, eligible):
    text = text_of(piece(150, "a"), piece(length, "b"), piece(150, "c"))
    expected = [["a", "b"], ["b", "c"]] if eligible else [["a", "c"]]
    assert [sentences_of(pack) for pack in packs(text)] == expected


def test_first_sentence_has_no_leading_space():
    assert [sentences_of(pack) for pack in packs(text_of("a" * 100, piece(100, "b")))] == [["a", "b"]]
    assert packs(text_of("a" * 99, piece(100, "b"))) == []


def test_pack_is_stripped_sentences_each_with_full_stop_and_space():
    assert packs(text_of("a" * 120, piece(130, "b"))) == ["a" * 120 + ". " + "b" * 129 + ". "]


def test_ineligible_sentence_between_two_eligible_ones_is_skipped():
    text = text_of(piece(120, "a"), piece(20, "x"), piece(120, "b"), piece(300, "y"), piece(120, "c"))
    assert [sentences_of(pack) for pack in packs(text)] == [["a", "b"], ["b", "c"]]


def test_text_without_full_stop_has_no_pack():
    assert packs("a" * 120) == []
    assert packs("") == []


def test_text_that_ends_without_full_stop_keeps_its_last_sentence():
    assert [sentences_of(pack) for pack in packs("a" * 120 + "." + piece(120, "b"))] == [["a", "b"]]


def test_trailing_spaces_count_for_length_but_are_stripped():
    text = "a" * 95 + " " * 5 + "." + piece(120, "b") + "."
    assert packs(text) == ["a" * 95 + ". " + "b" * 119 + ". "]
    assert packs("a" * 95 + " " * 4 + "." + piece(120, "b") + ".") == []


def test_decimal_points_split_too():
    text = "We reach 0." + "5" * 110 + "." + piece(120, "b") + "." + piece(120, "c") + "."
    assert [sentences_of(pack) for pack in packs(text)] == [["5", "b"], ["b", "c"]]


@pytest.mark.parametrize(("sentences", "n_packs"), [(1, 4), (2, 3), (3, 2), (4, 1), (5, 0)])
def test_number_of_packs(sentences, n_packs):
    text = text_of(*(piece(120, letter) for letter in "abcd"))
    assert len(packs(text, sentences)) == n_packs


texts = st.lists(st.text(alphabet="ab c", max_size=12), max_size=12).map(".".join)


@given(texts, st.integers(1, 4), st.integers(0, 6), st.integers(0, 6))
def test_packs_follow_the_literal_algorithm(text, sentences, shortest, extra):
    """The study's own words: from every eligible start, walk on, collecting eligible pieces, until there are n."""
    longest = shortest + extra
    pieces = text.split(".")
    expected = []
    for start in range(len(pieces) - sentences + 1):
        if not shortest <= len(pieces[start]) <= longest:
            continue
        collected = []
        for candidate in pieces[start:]:
            if shortest <= len(candidate) <= longest:
                collected.append(candidate.strip() + ". ")
            if len(collected) == sentences:
                expected.append("".join(collected))
                break
    assert packs(text, sentences, shortest, longest) == expected


@given(st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_crop_pair_takes_two_different_packs(n_packs, seed):
    candidates = [str(number) for number in range(n_packs)]
    anchor, positive = crop_pair(candidates, np.random.default_rng(seed))
    assert {anchor, positive} <= set(candidates)
    assert anchor != positive


def test_crop_pair_is_uniform_over_ordered_pairs():
    generator = np.random.default_rng(0)
    drawn = pd.Series([crop_pair(["a", "b", "c"], generator) for _ in range(6000)]).value_counts()
    assert len(drawn) == 6
    assert drawn.between(880, 1120).all()  # 1000 ± 4 standard deviations


@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_dropout_pair_is_one_pack_twice(n_packs, seed):
    anchor, positive = dropout_pair([str(number) for number in range(n_packs)], np.random.default_rng(seed))
    assert anchor == positive


@given(texts)
def test_halves_are_all_sentences_in_order_and_the_first_is_not_the_shorter(text):
    sentences = [piece.strip() + ". " for piece in text.split(".") if piece.strip()]
    if len(sentences) < 2:
        assert halves(text) == []
        return
    first, second = halves(text)
    assert first + second == "".join(sentences)
    assert first.count(".") - second.count(".") in (0, 1)


@pytest.mark.parametrize("held_out", [-0.1, 1.0, 1.5])
def test_what_cannot_be_held_out_is_one_clear_line(held_out):
    with pytest.raises(InputError, match=f"held_out is {held_out}, which is not possible with 30 texts") as error:
        make_pairs(corpus_of(30), "crops", 1, seed=1, held_out=held_out)
    assert "\n" not in str(error.value)


def corpus_of(n_texts: int) -> pd.DataFrame:
    """Texts with 2, 3, 4 … eligible sentences; the first has one pack only."""
    texts = [text_of(*(piece(120, chr(97 + n)) for n in range(length))) for length in range(2, 2 + n_texts)]
    return pd.DataFrame({"id": [f"t{number}" for number in range(n_texts)], "text": texts})


@pytest.mark.parametrize("augmentation", ["crops", "dropout"])
def test_one_pair_per_text_and_epoch_and_none_of_texts_with_one_pack(augmentation):
    pairs = make_pairs(corpus_of(6), augmentation, epochs=3, seed=1)
    assert list(pairs.columns) == ["epoch", "id", "anchor", "positive"]
    assert pairs["epoch"].is_monotonic_increasing
    for _, epoch in pairs.groupby("epoch"):
        assert sorted(epoch["id"]) == ["t1", "t2", "t3", "t4", "t5"]


@pytest.mark.parametrize("augmentation", ["crops", "dropout"])
def test_every_anchor_and_positive_is_a_pack_of_its_text(augmentation):
    corpus = corpus_of(6)
    of = {row.id: packs(row.text) for row in corpus.itertuples()}
    for pair in make_pairs(corpus, augmentation, epochs=3, seed=1).itertuples():
        assert {pair.anchor, pair.positive} <= set(of[pair.id])
        assert (pair.anchor == pair.positive) == (augmentation == "dropout")


def test_epochs_have_their_own_order_and_draws():
    pairs = make_pairs(corpus_of(30), "crops", epochs=2, seed=1)
    first, second = (epoch.reset_index(drop=True) for _, epoch in pairs.groupby("epoch"))
    assert list(first["id"]) != list(second["id"])
    both = first.merge(second, on="id")
    assert (both["anchor_x"] != both["anchor_y"]).any()


def test_the_seed_alone_decides():
    corpus = corpus_of(30)
    assert make_pairs(corpus, "crops", 2, seed=7).equals(make_pairs(corpus, "crops", 2, seed=7))
    assert not make_pairs(corpus, "crops", 2, seed=7).equals(make_pairs(corpus, "crops", 2, seed=8))


def test_fewer_epochs_are_the_start_of_more():
    corpus = corpus_of(30)
    more = make_pairs(corpus, "crops", 3, seed=7)
    assert make_pairs(corpus, "crops", 1, seed=7).equals(more[more["epoch"] == 0])


def test_no_usable_text_is_one_clear_line():
    corpus = pd.DataFrame({"id": ["a"], "text": ["Too short."]})
    with pytest.raises(
        InputError, match="none of the 1 texts has two packs of 2 sentences of 100 to 250 characters"
    ) as error:
        make_pairs(corpus, "crops", 1, seed=0)
    assert "\n" not in str(error.value)
