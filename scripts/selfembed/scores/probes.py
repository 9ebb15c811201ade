"""Linear probe of embeddings, with the protocol of the paper."""

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from selfembed.jobs.command_line import log

MAXIMUM_ITERATIONS = 1000
SEED = 42  # for the order of texts in the solver


def predict(train: np.ndarray | csr_matrix, train_labels: np.ndarray, test: np.ndarray | csr_matrix) -> np.ndarray:
    """Predict the labels of the test texts by logistic regression without penalty on standardised embeddings.

    The scaler is fitted on the training texts. Sparse embeddings are scaled but not centred.

    Args:
        train, test: shape (texts, dim).
    """
    scaler = StandardScaler(with_mean=not issparse(train)).fit(train)
    probe = LogisticRegression(C=np.inf, solver="saga", tol=1e-2, max_iter=MAXIMUM_ITERATIONS, random_state=SEED)
    probe.fit(scaler.transform(train), train_labels)
    if probe.n_iter_.max() >= MAXIMUM_ITERATIONS:
        log.warning("the linear probe has not converged in %d iterations", MAXIMUM_ITERATIONS)
    return probe.predict(scaler.transform(test))
