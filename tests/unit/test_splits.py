"""The one random split: scikit-learn's, and the same for runs that leave texts out and scores that test on them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split
from with_defaults import labelled_split, make_pairs, split

from selfembed.augmentations.crops import AUGMENTATIONS


@given(st.integers(2, 300), st.sampled_from([0.1, 0.25, 0.5]), st.integers(0, 99))
def test_every_text_is_in_one_part_and_the_sizes_are_scikit_learns(n_texts, test_fraction, seed):
    train, test = split(n_texts, test_fraction, seed)
    assert sorted([*train, *test]) == list(range(n_texts))
    assert len(test) == int(np.ceil(n_texts * test_fraction))
    expected = train_test_split([f"t{number}" for number in range(n_texts)], test_size=test_fraction, random_state=seed)
    assert [[f"t{number}" for number in part] for part in (train, test)] == expected


def test_the_seed_decides():
    assert not np.array_equal(split(100, 0.1, 42)[1], split(100, 0.1, 23)[1])


@pytest.mark.parametrize("augmentation", sorted(AUGMENTATIONS))
def test_a_run_never_sees_the_texts_that_the_train_only_score_tests(augmentation):
    """Labelled or not: the split is over all texts."""
    sentence = "This sentence has clearly more than one hundred characters and can be part of a pack, text {} part {}"
    texts = [". ".join(sentence.format(number, part) for part in range(4)) for number in range(60)]
    corpus = pd.DataFrame({"id": range(60), "text": texts, "title": "What the text is about"})
    corpus["group"] = "thread"
    labelled = np.arange(60) % 3 > 0
    train, test = labelled_split(labelled, "all", 0.1, 42)
    seen = set(make_pairs(corpus, augmentation, 2, seed=1, held_out=0.1)["id"])
    labelled_ids = corpus["id"].to_numpy()[labelled]
    assert not seen & set(labelled_ids[test])
    assert set(labelled_ids[train]) <= seen
    assert len(seen) == 54
