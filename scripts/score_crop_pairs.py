"""Score embeddings without labels, by finding one crop of a text from its other crop.

Reads embeddings of a corpus of crops. Writes tidy score rows (CSV): recall@1, recall@10 and mean reciprocal rank of the
other crop, alignment and uniformity; and the outcome of each text (Parquet). Texts with an identical crop are not
candidates for each other's queries.
"""

import numpy as np

from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.scores import crop_pairs, measures, scoring
from selfembed.settings.scores import Threads
from selfembed.texts.corpora import read_corpus


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    scoring.add_arguments(parser)
    options.add(parser, Threads, keep=("score",), names={"score": "threads"})
    arguments = parser.parse_args(argv)
    corpus = read_corpus(arguments.corpus)
    ids, crops = corpus["id"].to_numpy(), corpus["text"].to_numpy()
    try:
        texts, first, second = crop_pairs.positions(ids)
    except InputError as error:
        raise InputError(f"{arguments.corpus}: {error}") from error

    shared = crop_pairs.shared_crops(np.concatenate([crops[first], crops[second]]))
    if with_twin := np.diff(shared.indptr).astype(bool).sum():
        log.warning("%d of %d texts have a crop that is in another text, too", with_twin, len(texts))

    def measure(embeddings):
        return crop_pairs.outcomes(embeddings[first], embeddings[second], shared)

    every_row = np.full(len(ids), True)
    settings, facts = {"similarity": "cosine"}, {"n_test": len(texts)}
    scoring.write_scores(arguments, settings, measures.OF_CROP_PAIRS, measure, every_row, texts, facts)


if __name__ == "__main__":
    command_line.run(main)
