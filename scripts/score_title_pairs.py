"""Score embeddings without labels, by finding the text that belongs to a title, and the title of a text.

Reads embeddings of a corpus of titles. Writes tidy score rows (CSV): recall@1, recall@10 and mean reciprocal rank,
averaged over both directions; and the outcome of each text (Parquet). Texts with the same title, or the same text, are
not candidates for each other's queries.
"""

from selfembed.jobs import command_line, options
from selfembed.scores import crop_pairs, measures, scoring
from selfembed.settings.scores import Threads


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    scoring.add_arguments(parser)
    options.add(parser, Threads, keep=("score",), names={"score": "threads"})
    arguments = parser.parse_args(argv)
    crop_pairs.write(arguments, "titles", {name: name.removeprefix("title_") for name in measures.OF_TITLE_PAIRS})


if __name__ == "__main__":
    command_line.run(main)
