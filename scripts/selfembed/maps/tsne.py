"""t-SNE maps of corpora."""

import numpy as np
from openTSNE import TSNE

from selfembed.errors import InputError
from selfembed.jobs.command_line import log
from selfembed.jobs.progress import Progress

ITERATIONS = (250, 500)  # openTSNE's defaults: early exaggeration, then the rest
EVERY = 50  # iterations between log lines


def layout(embeddings: np.ndarray, *, perplexity: float, seed: int, threads: int) -> np.ndarray:
    """Positions of texts by t-SNE with openTSNE's defaults, as in the paper.

    PCA initialisation, early exaggeration 12 for 250 iterations, then 500 iterations, learning rate n / exaggeration.

    Args:
        embeddings: shape (texts, dim). A perplexity that is too high for few texts is lowered to a third of them.

    Returns float64, shape (texts, 2).

    Raises InputError if there are fewer than 10 texts, or if all have the same vector.
    """
    if len(embeddings) < 10:
        raise InputError(f"{len(embeddings)} texts are too few for a map; expected: at least 10")
    if np.allclose(embeddings, embeddings[0], atol=0):
        raise InputError(
            f"all {len(embeddings)} texts have the same vector; expected: an encoder that knows the script of the texts"
        )
    highest = (len(embeddings) - 1) / 3
    if perplexity > highest:
        log.warning("perplexity %g is too high for %d texts; %g is used", perplexity, len(embeddings), highest)
    progress = Progress(sum(ITERATIONS), "iterations")

    def advance(iteration: int, divergence: float, positions: np.ndarray) -> None:
        progress.advance(EVERY, f"KL divergence {divergence:.4f}")

    layout = TSNE(
        perplexity=min(perplexity, highest),
        early_exaggeration_iter=ITERATIONS[0],
        n_iter=ITERATIONS[1],
        random_state=seed,
        n_jobs=threads,
        verbose=True,  # logs the time of neighbours and affinities
        callbacks=advance,
        callbacks_every_iters=EVERY,
    )
    return np.asarray(layout.fit(np.asarray(embeddings, dtype=np.float64)))
