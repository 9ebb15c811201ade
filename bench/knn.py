"""kNN accuracy of one layer: our exact search, against scikit-learn's brute force."""

import argparse

import measure
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from selfembed import neighbors

K = 10


def dense(n_texts, dim):
    """Vectors in overlapping clusters, float32, with their clusters as labels."""
    vectors, labels = make_blobs(n_texts, dim, centers=60, cluster_std=1.7, random_state=0)
    return vectors.astype(np.float32), labels


def main():
    """Time both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=50_000, help="texts; a tenth is tested")
    parser.add_argument("--dim", type=int, default=768, help="dimension of dense vectors")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    arguments = parser.parse_args()
    vectors, labels = dense(arguments.texts, arguments.dim)
    cut = arguments.texts // 10
    train, test = vectors[cut:], vectors[:cut]

    def ours():
        return neighbors.predict(train, labels[cut:], test, K)

    def original():
        return KNeighborsClassifier(K, algorithm="brute").fit(train, labels[cut:]).predict(test)

    with threadpool_limits(arguments.threads):
        assert (ours() == original()).all()
        print(
            measure.report(
                measure.alternate({"scikit-learn": original, "ours": ours}, arguments.rounds), "scikit-learn"
            )
        )


if __name__ == "__main__":
    main()
