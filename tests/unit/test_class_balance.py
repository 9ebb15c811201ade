"""Accuracies on unequal classes, against scikit-learn: balanced accuracy, and always predicting the largest class."""

import logging
import warnings

import numpy as np
import pandas as pd
import pytest
import with_defaults
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score

from selfembed.evidence import differences
from selfembed.scores import class_balance, measures, scoring
from selfembed.settings.scores import Knn, Linear, numbers

UNEQUAL = np.repeat(["a", "b"], [230, 10])


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.96, 0.04], [0.7, 0.2, 0.09, 0.01], [1.0]])
def test_the_mean_of_the_outcomes_is_scikit_learns_balanced_accuracy(shares):
    generator = np.random.default_rng(0)
    for _ in range(20):
        labels, predicted = generator.choice(list("abcd")[: len(shares)], (2, 60), p=shares)
        outcomes = class_balance.balanced_outcomes(predicted == labels, labels)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # predicted classes that no test text has
            assert outcomes.mean() == pytest.approx(balanced_accuracy_score(labels, predicted))


@pytest.mark.parametrize("sizes", [[230, 10], [10, 230], [50, 50, 20]])
def test_the_largest_class_is_that_of_scikit_learns_dummy(sizes):
    labels = np.random.default_rng(0).permutation(np.repeat(list("abc")[: len(sizes)], sizes))
    train, test = labels[:80], labels[80:]
    reference = DummyClassifier(strategy="most_frequent").fit(train, train)
    correct = class_balance.always_largest(train, test, "texts")
    assert correct.mean() == reference.score(test, test)
    balanced = class_balance.balanced_outcomes(correct, test).mean()
    assert balanced == pytest.approx(balanced_accuracy_score(test, reference.predict(test)))


@pytest.mark.parametrize(("sizes", "warned"), [((81, 19), True), ((80, 20), False)])
def test_a_class_of_more_than_four_fifths_is_told_in_one_line(caplog, sizes, warned):
    labels = np.repeat(["a", "b"], sizes)
    with caplog.at_level(logging.WARNING, "selfembed"):
        class_balance.always_largest(labels, labels, "mail")
    said = "mail: 81.0 % of 100 test texts are of one class, so an accuracy says little (compare a balanced accuracy)"
    assert caplog.messages == ([said] if warned else [])


def test_classes_without_test_texts_are_told(caplog):
    with caplog.at_level(logging.WARNING, "selfembed"):
        class_balance.always_largest(np.array(list("aabbc")), np.array(list("ab")), "mail")
    assert caplog.messages == ["mail: 1 of 3 classes have no test text"]


def test_always_predicting_the_largest_class_is_no_balanced_success():
    """230 texts of one class and 10 of another."""
    correct = UNEQUAL == "a"
    assert scoring.summary(correct)["value"] == pytest.approx(0.9583, abs=1e-4)
    assert scoring.summary(class_balance.balanced_outcomes(correct, UNEQUAL))["value"] == pytest.approx(0.5)


def test_one_text_of_a_rare_class_proves_nothing():
    """Two models that differ in the only text of a class have balanced accuracies of 50 and 100 %."""
    labels = np.repeat(["a", "b"], [23, 1])
    hits = {"Before": labels == "a", "After": np.ones(24, dtype=bool)}
    by_text = [pd.Series(class_balance.balanced_outcomes(found, labels)) for found in hits.values()]
    place = {"corpus": "mail", "score": "knn_balanced_accuracy", "step": "0", "layer": 2, "pooling": "mean"}
    rows = pd.DataFrame([place | {"label": label, "seed": pd.NA, "largest_class": 0.5} for label in hits])
    known = {"knn_balanced_accuracy": measures.Number(measures.BALANCED, "Balanced accuracy")}
    table = with_defaults.compare(rows, by_text, "Before", [], numbers=known)
    assert differences.for_print(table)["always the largest class"].tolist() == ["50.0"]
    (found,) = table.to_dict("records")
    assert (found["value"], found["against_value"]) == (1, pytest.approx(0.5))
    assert (found["low"], found["high"], found["against_low"], found["against_high"]) == (1, 1, 0, 1)
    assert found["sentence"] == (
        "After gives 100.0% of the test texts of a class the right label on average (knn_balanced_accuracy, 24 texts), "
        "Before 50.0%: not distinguishable, +50.0 points (95% interval +0.0 to +150.0). Always predicting the largest "
        "class: 50.0%."
    )


@pytest.mark.parametrize(("kind", "heading"), [(Knn, "kNN accuracy"), (Linear, "Linear accuracy")])
def test_the_balanced_accuracy_is_a_number_of_the_score_that_asks_for_it(kind, heading):
    name = kind.model_fields["type"].annotation.__args__[0]
    plain, balanced = (numbers("near", kind(type=name, balanced=asked)) for asked in (False, True))
    assert {score: number.heading for score, number in plain.items()} == {"near": heading}
    assert {score: number.heading for score, number in balanced.items()} == {
        "near": heading,
        "near_balanced_accuracy": f"{heading} (balanced)",
    }
