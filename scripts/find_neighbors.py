"""Find the nearest texts of every text of an interactive map by the embeddings of one model.

Neighbours are exact: cosine similarity of the embeddings in all dimensions, among the texts that the map shows.
Writes a Parquet table with the columns id and neighbors: rows of the ten nearest texts in this table, nearest first;
missing if the model's run diverged.
"""

from selfembed.embeddings import vectors
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import write_table
from selfembed.settings.figures import InteractiveMapFigure
from selfembed.settings.scores import Threads
from selfembed.texts.corpora import read_corpus
from selfembed.training import divergence


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "embeddings", "corpus")
    options.add(parser, InteractiveMapFigure, keep=("points",))
    options.add(parser, Threads, keep=("score",), names={"score": "threads"})
    command_line.add_outputs(parser, output="Parquet file")
    arguments = parser.parse_args(argv)
    from threadpoolctl import threadpool_limits

    from selfembed.maps import nearest_texts
    from selfembed.maps.sampling import random_rows

    corpus = read_corpus(arguments.corpus)
    rows = random_rows(len(corpus), arguments.points)
    table = corpus[["id"]].iloc[rows]
    if diverged := divergence.of_embeddings(arguments.embeddings):
        log.warning("%s: the run diverged at step %d: no neighbours", arguments.embeddings, diverged["step"])
        found = None
    else:
        embeddings = vectors.load_last_layer(arguments.embeddings, len(corpus))[rows]
        log.info("%d texts", len(rows))
        with threadpool_limits(arguments.threads):
            found = list(nearest_texts.nearest_texts(embeddings))
    write_table(table.assign(neighbors=found), arguments.output)


if __name__ == "__main__":
    command_line.run(main)
