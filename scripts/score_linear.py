"""Accuracy of a linear probe on every embedded layer and pooling of one model on one corpus.

Reads embeddings and the corpus; only labelled texts count. Writes tidy score rows (CSV)
and whether every tested text gets the right label (Parquet).
"""

from selfembed.jobs import command_line
from selfembed.scores import probes, scoring


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    scoring.add_arguments(parser)
    scoring.add_split_arguments(parser)
    arguments = parser.parse_args(argv)
    scoring.write_accuracy(arguments, {}, probes.predict)


if __name__ == "__main__":
    command_line.run(main)
