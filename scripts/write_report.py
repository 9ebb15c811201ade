"""Write the report about a corpus and the model that was chosen for it: answer, scores, map, examples, use.

Writes one HTML page that works offline, and shows interactive maps beside it.
"""

import os
from pathlib import Path

from selfembed.jobs import command_line
from selfembed.jobs.command_line import existing, log
from selfembed.jobs.records import read_json, write_text
from selfembed.pages import account


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    account.add_arguments(parser)
    parser.add_argument("--title", required=True, help="heading")
    parser.add_argument("--model", type=existing, required=True, help="folder of the chosen model, ready to use")
    what = "numbers of texts of corpora of crops, or of titles (JSON)"
    parser.add_argument("--pairs", type=existing, nargs="+", default=[], help=what)
    parser.add_argument("--queries", type=existing, help="corpus of crops, or of titles, for examples (Parquet)")
    what = "label and embeddings of that corpus; repeatable"
    command_line.add_entries(parser, ["label"], what, required=False, option="--vectors")
    parser.add_argument("--maps", type=existing, nargs="+", default=[], help="interactive maps (HTML)")
    parser.add_argument("--exports", type=existing, help="comparison of the exports with the model (CSV)")
    what = "title, content and caption (may be empty) of a figure, and the figure (PNG); repeatable"
    command_line.add_entries(parser, ["title", "shows", "caption"], what, required=False)
    command_line.add_outputs(parser, output="HTML file")
    arguments = parser.parse_args(argv)
    from selfembed.pages import plain_words, report_page
    from selfembed.pages.report_page import Figure

    found = account.read(arguments)
    figures = [Figure(path=path, **words) for words, paths in arguments.entry for path in paths]
    maps = {path.stem: os.path.relpath(path, arguments.output.parent) for path in arguments.maps}
    pairs = [read_json(path, "counts")["counts"] for path in arguments.pairs]
    shown = examples_of(found, arguments.queries, arguments.vectors)
    corpus = arguments.model.parent / "corpora" / f"{found.corpus}.parquet"
    files = str(arguments.model), str(corpus)
    exports = account.read_differences(arguments.exports, account.EXPORT_COLUMNS) if arguments.exports else []
    page = report_page.page(arguments.title, found, *files, shown, figures, maps, pairs, arguments.table, exports)
    write_text(page, arguments.output)
    answer = plain_words.answer(found)
    for line in (answer.heading, *answer.sentences):
        log.info("%s", line)


def examples_of(found: account.Account, queries: Path | None, entries: list) -> list:
    """Return examples of search before and after; none without a corpus of queries."""
    from selfembed.embeddings import vectors
    from selfembed.pages import examples
    from selfembed.texts.corpora import read_corpus

    if queries is None:
        return []
    corpus = read_corpus(queries)
    folders = {
        words["label"]: path for words, (path,) in entries if words["label"] in (found.choice.keep, found.choice.label)
    }
    loaded = {label: vectors.load_last_layer(folder, len(corpus)) for label, folder in folders.items()}
    after = None if found.choice.is_kept else loaded[found.choice.label]
    return examples.examples(corpus, loaded[found.choice.keep], after)


if __name__ == "__main__":
    command_line.run(main)
