"""kNN accuracy of one layer, or of TF-IDF: our search, against scikit-learn's classifier and other libraries."""

import measure
import texts
from sklearn.datasets import make_blobs
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from selfembed.scores import neighbors

K = 10


def dense(arguments):
    """Vectors in overlapping clusters, float32, with their clusters as labels."""
    vectors, labels = make_blobs(arguments.texts, arguments.dim, centers=60, cluster_std=1.7, random_state=0)
    return vectors.astype("float32"), labels


def tfidf(arguments):
    """TF-IDF vectors of texts with the words of real ones, and their packages as labels."""
    found = texts.many(arguments.texts)
    return TfidfVectorizer().fit_transform(found["text"]), found["label"].to_numpy()


def faiss_search(train, test, threads):
    """Positions of the nearest training texts by faiss' exact index, in single precision."""
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatL2(train.shape[1])
    index.add(train)
    return index.search(test, K)[1]


def sparse_search(train, test, threads):
    """The same for unit vectors by sparse_dot_topn, from cosines."""
    from sparse_dot_topn import sp_matmul_topn

    return sp_matmul_topn(test, train.T.tocsr(), top_n=K, sort=True, n_threads=threads)


PEERS = {"dense": ("faiss", faiss_search), "tfidf": ("sparse_dot_topn", sparse_search)}


def main():
    """Check that the ways agree, time them and print a table."""
    parser = measure.parser(__doc__, rounds=5)
    parser.add_argument("vectors", choices=["dense", "tfidf"], help="what is searched")
    parser.add_argument("--texts", type=int, default=50_000, help="texts; a tenth is tested")
    parser.add_argument("--dim", type=int, default=768, help="dimension of dense vectors")
    parser.add_argument("--peers", action="store_true", help="also time faiss or sparse_dot_topn, if installed")
    arguments = parser.parse_args()
    vectors, labels = dense(arguments) if arguments.vectors == "dense" else tfidf(arguments)
    cut = arguments.texts // 10
    train, test = vectors[cut:], vectors[:cut]
    ways = {
        "scikit-learn": lambda: KNeighborsClassifier(K, algorithm="brute").fit(train, labels[cut:]).predict(test),
        "ours": lambda: neighbors.predict(train, labels[cut:], test, k=K, metric="euclidean"),
    }
    with threadpool_limits(arguments.threads):
        agreement = (ways["ours"]() == ways["scikit-learn"]()).mean()
        print(
            f"{train.shape[0]} training and {test.shape[0]} test texts; {agreement:.2%} of predictions are the same\n"
        )
        if arguments.peers:
            name, search = PEERS[arguments.vectors]
            ways[f"{name}, neighbours alone"] = lambda: search(train, test, arguments.threads)
        print(measure.report(measure.alternate(ways, arguments.rounds), "scikit-learn"))


if __name__ == "__main__":
    main()
