"""Score embeddings without labels, by finding one crop of a text from its other crop.

Reads embeddings of a corpus of crops. Writes tidy score rows (CSV): recall@1, recall@10 and mean reciprocal rank of the
other crop, alignment and uniformity; and the outcome of each text (Parquet).
"""

import numpy as np

from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.scores import crop_pairs, measures, scoring
from selfembed.settings.scores import Threads
from selfembed.texts.corpora import read_corpus


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    scoring.add_arguments(parser)
    options.add(parser, Threads, keep=("score",), names={"score": "threads"})
    arguments = parser.parse_args(argv)
    ids = read_corpus(arguments.corpus)["id"].to_numpy()
    try:
        texts, first, second = crop_pairs.positions(ids)
    except InputError as error:
        raise InputError(f"{arguments.corpus}: {error}") from error

    def measure(embeddings):
        return crop_pairs.outcomes(embeddings[first], embeddings[second])

    every_row = np.full(len(ids), True)
    settings, facts = {"similarity": "cosine"}, {"n_test": len(texts)}
    scoring.write_scores(arguments, settings, measures.OF_CROP_PAIRS, measure, every_row, texts, facts)


if __name__ == "__main__":
    command_line.run(main)
