"""Linear probe of embeddings, to the paper's protocol."""

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from selfembed.jobs.command_line import log

MAXIMUM_ITERATIONS = 1000
SEED = 42  # of the solver's order of texts


def predict(train: np.ndarray | csr_matrix, train_labels: np.ndarray, test: np.ndarray | csr_matrix) -> np.ndarray:
    """Labels of the test texts by logistic regression without penalty on standardised embeddings.

    Solver SAGA, tolerance 0.01, at most 1,000 iterations; the scaler is fitted on the training texts. Sparse embeddings
    are scaled, not centred.

    Args:
        train, test: shape (texts, dim).
    """
    scaler = StandardScaler(with_mean=not issparse(train)).fit(train)
    probe = LogisticRegression(C=np.inf, solver="saga", tol=1e-2, max_iter=MAXIMUM_ITERATIONS, random_state=SEED)
    probe.fit(scaler.transform(train), train_labels)
    if probe.n_iter_.max() >= MAXIMUM_ITERATIONS:
        log.warning("the linear probe has not converged in %d iterations", MAXIMUM_ITERATIONS)
    return probe.predict(scaler.transform(test))
