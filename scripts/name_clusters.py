"""Cluster a corpus by the embeddings of one model, and name the clusters by characteristic words.

Writes a Parquet table with the columns id and cluster, and a CSV table with the columns cluster, name, texts (number of
texts). If the model's run diverged, clusters are missing.
"""

from selfembed.embeddings import vectors
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import write_table
from selfembed.settings.figures import InteractiveMapFigure
from selfembed.texts.corpora import read_corpus
from selfembed.training import divergence


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "embeddings", "corpus")
    options.add(parser, InteractiveMapFigure, keep=("clusters",))
    command_line.add_outputs(parser, output="Parquet file", names="CSV file")
    arguments = parser.parse_args(argv)
    import pandas as pd
    from threadpoolctl import threadpool_limits

    from selfembed.maps import clusters

    corpus = read_corpus(arguments.corpus)
    if diverged := divergence.of_embeddings(arguments.embeddings):
        log.warning("%s: the run diverged at step %d: no clusters", arguments.embeddings, diverged["step"])
        write_table(corpus[["id"]].assign(cluster=pd.Series(pd.NA, corpus.index, "Int64")), arguments.output)
        write_table(pd.DataFrame(columns=["cluster", "name", "texts"]), arguments.names)
        return
    embeddings = vectors.load_last_layer(arguments.embeddings, len(corpus))
    count = arguments.clusters or clusters.number_of_clusters(len(corpus))
    with threadpool_limits(1):  # with more threads, the order of summation varies
        found = clusters.cluster(embeddings, count)
    names = clusters.describe(corpus["text"], found)
    log.info("%d texts in %d clusters", len(corpus), len(names))
    for number, name, texts in names.itertuples(index=False):
        log.info("%d: %s (%d texts)", number, name, texts)
    write_table(corpus[["id"]].assign(cluster=found), arguments.output)
    write_table(names, arguments.names)


if __name__ == "__main__":
    command_line.run(main)
