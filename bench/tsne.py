"""A t-SNE map: ours, which is openTSNE with its defaults, against scikit-learn's with the same perplexity and start."""

import logging

import knn
import measure
import numpy as np
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from selfembed.jobs.options import defaults
from selfembed.maps import tsne
from selfembed.scores import neighbors
from selfembed.settings.scores import Tsne

K = 10


def kept(vectors: np.ndarray, positions: np.ndarray) -> float:
    """Part of the 10 nearest neighbours of 1,000 texts that are among the 10 nearest in the map."""
    chosen = np.linspace(0, len(vectors) - 1, 1000).astype(int)
    before, after = (neighbors.nearest(found, found[chosen], K + 1) for found in (vectors, positions))
    return np.mean([len(set(one) & set(other)) - 1 for one, other in zip(before, after, strict=True)]) / K


def main():
    """Time both ways, and print a table and how much of the neighbourhoods their maps keep."""
    parser = measure.parser(__doc__, rounds=3)
    parser.add_argument("--texts", type=int, default=10_000, help="texts")
    parser.add_argument("--dim", type=int, default=768, help="dimension of their vectors")
    parser.add_argument("--alone", action="store_true", help="ours alone, for sizes that take scikit-learn long")
    arguments = parser.parse_args()
    logging.disable()
    vectors, _ = knn.dense(arguments)
    found = {}

    def ours():
        found["ours"] = tsne.layout(vectors, **defaults(Tsne), threads=arguments.threads)

    def library():
        with threadpool_limits(arguments.threads):
            found["scikit-learn"] = TSNE(random_state=42, n_jobs=arguments.threads).fit_transform(vectors)

    ways = {"ours": ours} if arguments.alone else {"scikit-learn": library, "ours": ours}
    print(measure.report(measure.alternate(ways, arguments.rounds), next(iter(ways))))
    print("\nNeighbours kept:", ", ".join(f"{name} {kept(vectors, place):.3f}" for name, place in found.items()))


if __name__ == "__main__":
    main()
