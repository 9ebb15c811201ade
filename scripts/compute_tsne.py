"""Map a corpus in two dimensions with t-SNE, as one model embeds it.

Reads embeddings and the corpus. Writes a Parquet table with the columns id, label, x, y; without positions if the
model's run diverged.
"""

from selfembed.embeddings import vectors
from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, existing, log, positive
from selfembed.jobs.records import write_table
from selfembed.texts.corpora import read_corpus
from selfembed.training import divergence


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--embeddings", type=existing, required=True, help="embeddings folder")
    parser.add_argument("--corpus", type=existing, required=True, help="prepared corpus (Parquet)")
    parser.add_argument("--perplexity", type=positive, default=30, help="effective number of neighbours")
    parser.add_argument("--seed", type=at_least(0), default=42, help="seed of the layout")
    parser.add_argument("--threads", type=at_least(1), default=1, help="CPU threads")
    parser.add_argument("--output", required=True, help="Parquet file to write")
    arguments = parser.parse_args(argv)
    import numpy as np

    from selfembed.maps import tsne

    corpus = read_corpus(arguments.corpus)
    if diverged := divergence.of_embeddings(arguments.embeddings):
        log.warning("%s: the run diverged at step %d: no map", arguments.embeddings, diverged["step"])
        positions = np.full((len(corpus), 2), np.nan)
    else:
        embeddings = vectors.load_last_layer(arguments.embeddings, len(corpus))
        log.info("%d texts", len(corpus))
        positions = tsne.layout(embeddings, arguments.perplexity, arguments.seed, arguments.threads)
    write_table(corpus[["id", "label"]].assign(x=positions[:, 0], y=positions[:, 1]), arguments.output)


if __name__ == "__main__":
    command_line.run(main)
