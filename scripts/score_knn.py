"""Compute the nearest-neighbour accuracy of each layer and pooling of one model on one corpus.

Uses labelled texts only. Writes tidy score rows (CSV), and the contribution of each test text to the scores (Parquet).
"""

from functools import partial

from selfembed.jobs import command_line, options
from selfembed.scores import neighbors, scoring
from selfembed.scores.transforms import transform
from selfembed.settings.scores import Classification, Knn, Threads


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    scoring.add_arguments(parser)
    options.add(parser, Classification)
    options.add(parser, Knn, "knn", omit=("type", *Classification.model_fields))
    options.add(parser, Threads, keep=("score",), names={"score": "threads"})
    arguments = parser.parse_args(argv)
    knn = arguments.knn
    predict = partial(neighbors.predict, k=knn.k, metric=knn.metric)
    change = partial(transform, how=knn.transform)
    scoring.write_accuracy(arguments, knn.model_dump(), predict, change)


if __name__ == "__main__":
    command_line.run(main)
