"""Accuracy of a linear probe on every embedded layer and pooling of one model on one corpus.

Reads embeddings and the corpus; only labelled texts count. Writes tidy score rows (CSV).
"""

from selfembed import command_line, probes, scoring
from selfembed.records import write_table


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    scoring.add_arguments(parser)
    arguments = parser.parse_args(argv)
    write_table(scoring.score(arguments, {}, probes.predict), arguments.output)


if __name__ == "__main__":
    command_line.run(main)
