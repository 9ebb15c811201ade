"""Nearest-neighbour accuracy of every embedded layer and pooling of one model on one corpus.

Reads embeddings and the corpus; only labelled texts count. Writes tidy score rows (CSV)
and whether every tested text gets the right label (Parquet).
"""

from functools import partial

from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least
from selfembed.scores import neighbors, scoring
from selfembed.scores.transforms import TRANSFORMS, transform


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    scoring.add_arguments(parser)
    scoring.add_split_arguments(parser)
    parser.add_argument("--k", type=at_least(1), default=10, help="neighbours that vote")
    parser.add_argument("--metric", choices=["euclidean", "cosine"], default="euclidean", help="distance")
    parser.add_argument("--transform", choices=TRANSFORMS, default="none", help="what is done to embeddings before")
    arguments = parser.parse_args(argv)
    settings = {key: getattr(arguments, key) for key in ("k", "metric", "transform")}
    predict = partial(neighbors.predict, k=arguments.k, metric=arguments.metric)
    scoring.write_accuracy(arguments, settings, predict, partial(transform, how=arguments.transform))


if __name__ == "__main__":
    command_line.run(main)
