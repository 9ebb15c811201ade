"""Clean a table of texts to a corpus.

Reads a csv, tsv, jsonl, json, parquet or xlsx file. Writes a Parquet table with the columns id, text, label, title (and
group, if it is named, and sentences, if texts are not split as in the paper), and a JSON file with the numbers of rows
kept and excluded, and the source's revision. Writes nothing if the corpus is not as expected.
"""

from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import checksum, provenance, read_json, write_json, write_table
from selfembed.settings.corpora import Corpus, Expected, FileSource
from selfembed.texts import corpora


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, source="file with the texts")
    optional = {"keyword_classes": "keywords with frequency and class (CSV)", "origin": "revision of the source (JSON)"}
    command_line.add_inputs(parser, required=False, **optional)
    options.add(parser, FileSource, "columns", known={"path": "source", "keyword_classes": "keyword_classes"})
    options.add(parser, Corpus, "cleaning", omit=("source", "expect", "seeds", "embedding_jobs"))
    options.add(parser, Expected, "expected", prefix="expect-", optional=True)
    command_line.add_outputs(parser, output="Parquet file", counts="JSON file with the row counts")
    arguments = parser.parse_args(argv)
    columns = arguments.columns.model_dump(exclude={"type", "unlabelled"})
    table = corpora.read_source(arguments.source, keyword_classes=arguments.keyword_classes, **columns)
    corpus, counts = corpora.prepare(table, unlabelled=arguments.unlabelled, **arguments.cleaning.model_dump())
    log.info("%s: %s", arguments.source, corpora.summary(counts))
    corpora.check_expected(corpus, arguments.output.stem, arguments.expected)
    origin = {"origin": read_json(arguments.origin, "repository", "revision")} if arguments.origin else {}
    write_table(corpus, arguments.output)
    cleaning = arguments.cleaning
    split = {} if cleaning.sentences == "paper" else cleaning.model_dump(include={"sentences", "drop_repeated"})
    write_json(provenance(source=checksum(arguments.source), **origin, **split, rows=counts), arguments.counts)


if __name__ == "__main__":
    command_line.run(main)
