"""Shorten the labels of a corpus: keep the part of each label before a separator.

Writes a corpus with the same rows and ids, or nothing if the corpus is not as expected.
"""

from selfembed.jobs import command_line, options
from selfembed.jobs.records import write_table
from selfembed.settings.corpora import Expected, RelabelledSource
from selfembed.texts.corpora import check_expected, read_corpus


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus")
    options.add(parser, RelabelledSource, omit=("corpus",))
    options.add(parser, Expected, "expected", prefix="expect-", optional=True)
    command_line.add_outputs(parser, output="Parquet file")
    arguments = parser.parse_args(argv)
    corpus = read_corpus(arguments.corpus)
    corpus["label"] = corpus["label"].map(lambda label: label.split(arguments.up_to)[0], na_action="ignore")
    check_expected(corpus, arguments.output.stem, arguments.expected)
    write_table(corpus, arguments.output)


if __name__ == "__main__":
    command_line.run(main)
