"""Map a corpus in two dimensions with t-SNE, as one model embeds it.

Reads embeddings and the corpus. Writes a Parquet table with the columns id, label, x, y.
"""

from selfembed import command_line, vectors
from selfembed.command_line import at_least, existing, log, positive
from selfembed.corpora import read_corpus
from selfembed.errors import InputError
from selfembed.records import read_json, write_table


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
    from selfembed import maps

    corpus = read_corpus(arguments.corpus)
    facts = read_json(arguments.embeddings / "embeddings.json", "poolings", "layers", "last_layer")
    if facts["last_layer"] not in facts["layers"]:
        raise InputError(f"{arguments.embeddings}: the last layer was not embedded, which maps show")
    column = facts["layers"].index(facts["last_layer"])
    embeddings = vectors.load(arguments.embeddings, 0, column, corpus["id"].notna().to_numpy())
    log.info("%d texts, %s pooling, last layer", len(corpus), facts["poolings"][0])
    positions = maps.tsne(embeddings, arguments.perplexity, arguments.seed, arguments.threads)
    write_table(corpus[["id", "label"]].assign(x=positions[:, 0], y=positions[:, 1]), arguments.output)


if __name__ == "__main__":
    command_line.run(main)
