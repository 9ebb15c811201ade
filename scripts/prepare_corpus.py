"""Clean a table of texts into a corpus.

Reads a csv, tsv, jsonl or parquet file. Writes a Parquet table with the columns id, text, label, title, and a JSON file
that says how many rows went where, and of which revision they are; neither if the corpus is not what is expected.
"""

from pathlib import Path

from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, existing, log
from selfembed.jobs.records import checksum, provenance, read_json, write_json, write_table
from selfembed.texts import corpora, expectations


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--source", type=existing, required=True, help="file with the texts")
    parser.add_argument(
        "--format", choices=sorted(set(corpora.FORMATS.values())), help="file format; default: by its ending"
    )
    parser.add_argument("--encoding", help="encoding of a text file that is not UTF-8")
    parser.add_argument("--separator", help="what separates the cells of a csv file; default: a comma")
    parser.add_argument("--text", default="text", help="column with the texts")
    parser.add_argument("--label", help="column with the labels")
    parser.add_argument("--title", help="column with the titles")
    parser.add_argument("--id", help="column with unique ids; default: hashes of the texts")
    parser.add_argument("--keywords", help="column with keywords, which then decide the labels")
    parser.add_argument("--keyword-classes", type=existing, help="keywords with frequency and class (CSV)")
    parser.add_argument("--unlabelled", nargs="+", default=[], help="labels that mean 'no label'")
    parser.add_argument("--minimum-length", type=at_least(1), default=1, help="shorter texts are dropped (characters)")
    parser.add_argument("--minimum-label-count", type=at_least(1), default=1, help="rarer labels become 'no label'")
    parser.add_argument("--deduplicate", action="store_true", help="keep only the first of identical texts")
    parser.add_argument("--origin", type=existing, help="which revision the source is of (JSON)")
    expectations.add_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="Parquet file to write")
    parser.add_argument("--counts", required=True, help="JSON file to write the row counts to")
    arguments = parser.parse_args(argv)
    table = corpora.read_source(
        arguments.source,
        arguments.format,
        arguments.text,
        arguments.label,
        arguments.title,
        arguments.id,
        arguments.keywords,
        arguments.keyword_classes,
        arguments.encoding,
        arguments.separator,
    )
    corpus, counts = corpora.prepare(
        table,
        tuple(arguments.unlabelled),
        arguments.minimum_length,
        arguments.minimum_label_count,
        arguments.deduplicate,
    )
    log.info("%s: %s", arguments.source, corpora.summary(counts))
    expectations.check(corpus, arguments.output.stem, arguments)
    origin = {"origin": read_json(arguments.origin, "repository", "revision")} if arguments.origin else {}
    write_table(corpus, arguments.output)
    write_json(provenance(source=checksum(arguments.source), **origin, rows=counts), arguments.counts)


if __name__ == "__main__":
    command_line.run(main)
