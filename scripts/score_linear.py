"""Compute the accuracy of a linear probe on each layer and pooling of one model on one corpus.

Uses labelled texts only. Writes tidy score rows (CSV), and the contribution of each test text to the scores (Parquet).
"""

from selfembed.jobs import command_line, options
from selfembed.scores import probes, scoring
from selfembed.settings.scores import Classification, Threads


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    scoring.add_arguments(parser)
    options.add(parser, Classification)
    options.add(parser, Threads, keep=("score",), names={"score": "threads"})
    arguments = parser.parse_args(argv)
    scoring.write_accuracy(arguments, {}, probes.predict)


if __name__ == "__main__":
    command_line.run(main)
