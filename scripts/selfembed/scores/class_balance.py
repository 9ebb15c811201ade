"""Accuracies on unequal classes: balanced accuracy, and the accuracy of always predicting the largest class."""

import numpy as np

from selfembed.jobs.command_line import log

UNEQUAL = 0.8  # share of a class from which an accuracy says little


def balanced_outcomes(correct: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return one value per test text; their mean is the balanced accuracy, the mean over classes of the recall.

    The value is 1, less n / (K · n_c) if the prediction is wrong: of n texts in K classes, n_c are of the text's class.
    So the outcomes of two models on the same texts differ by the text's share in the difference of their scores. A
    class of few texts gives a wide interval, as it must.

    Args:
        correct: whether each text is classified correctly, shape (texts,).
        labels: classes of the texts, shape (texts,).
    """
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return 1 - ~correct * (len(labels) / (len(sizes) * sizes[classes]))


def always_largest(train_labels: np.ndarray, test_labels: np.ndarray, what: str) -> np.ndarray:
    """Return whether each test text is of the largest class of the training texts (of ties, the first by name).

    Logs a warning that names `what` if more than UNEQUAL of them are, or if a class has no test text.
    """
    classes, sizes = np.unique(train_labels, return_counts=True)
    correct = test_labels == classes[sizes.argmax()]
    if correct.mean() > UNEQUAL:
        log.warning(
            "%s: %.1f %% of %d test texts are of one class, so an accuracy says little (compare a balanced accuracy)",
            *(what, 100 * correct.mean(), len(correct)),
        )
    if len(untested := np.setdiff1d(classes, test_labels)):
        log.warning("%s: %d of %d classes have no test text", what, len(untested), len(classes))
    return correct
