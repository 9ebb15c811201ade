"""Draw a random sample of a corpus without replacement.

Writes a corpus in the order drawn, or nothing if the sample is not as expected.
"""

from selfembed.errors import InputError, reword_errors
from selfembed.jobs import command_line, options
from selfembed.jobs.records import write_table
from selfembed.settings.corpora import Expected, SampleSource
from selfembed.texts import corpora


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus")
    options.add(parser, SampleSource, omit=("corpus",))
    options.add(parser, Expected, "expected", prefix="expect-", optional=True)
    command_line.add_outputs(parser, output="Parquet file")
    arguments = parser.parse_args(argv)
    with reword_errors(arguments.corpus, InputError):
        sample = corpora.sample(corpora.read_corpus(arguments.corpus), arguments.size, arguments.seed)
    corpora.check_expected(sample, arguments.output.stem, arguments.expected)
    write_table(sample, arguments.output)


if __name__ == "__main__":
    command_line.run(main)
