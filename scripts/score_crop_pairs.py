"""Score embeddings without labels, by finding one crop of a text from its other crop.

Reads embeddings of a corpus of crops. Writes tidy score rows (CSV): recall@1, recall@10 and mean reciprocal rank of the
other crop, alignment and uniformity; and the outcome of each text (Parquet). Texts with an identical crop are not
candidates for each other's queries.
"""

from selfembed.jobs import command_line, options
from selfembed.scores import crop_pairs, measures, scoring
from selfembed.settings.scores import Threads


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    scoring.add_arguments(parser)
    options.add(parser, Threads, keep=("score",), names={"score": "threads"})
    arguments = parser.parse_args(argv)
    crop_pairs.write(arguments, "crops", {name: name for name in measures.OF_CROP_PAIRS})


if __name__ == "__main__":
    command_line.run(main)
