"""Compute a t-SNE map of a corpus from the embeddings of one model.

Writes a Parquet table with the columns id, label, x, y; x and y are missing if the model's run diverged.
"""

from selfembed.embeddings import vectors
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import write_table
from selfembed.settings.scores import Threads, Tsne
from selfembed.texts.corpora import read_corpus
from selfembed.training import divergence


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "embeddings", "corpus")
    options.add(parser, Tsne, "settings")
    options.add(parser, Threads, keep=("score",), names={"score": "threads"})
    command_line.add_outputs(parser, output="Parquet file")
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
        positions = tsne.layout(embeddings, **arguments.settings.model_dump(), threads=arguments.threads)
    write_table(corpus[["id", "label"]].assign(x=positions[:, 0], y=positions[:, 1]), arguments.output)


if __name__ == "__main__":
    command_line.run(main)
