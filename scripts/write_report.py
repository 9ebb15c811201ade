"""Write the report about a corpus and a model adapted to it: data, training, results, usage.

Writes one HTML page that works offline, with links to interactive maps beside it.
"""

import os

from selfembed.jobs import command_line
from selfembed.jobs.command_line import existing, log
from selfembed.jobs.records import read_json, write_text
from selfembed.pages import account

FIGURE = ("title", "shows", "caption")


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    account.add_arguments(parser)
    parser.add_argument("--title", required=True, help="heading")
    what = "numbers of texts of corpora of crops, or of titles (JSON)"
    parser.add_argument("--crops", type=existing, nargs="+", default=[], help=what)
    parser.add_argument("--maps", type=existing, nargs="+", default=[], help="interactive maps (HTML)")
    what = "title, content and caption (may be empty) of a figure, and the figure (PNG); repeatable"
    command_line.add_entries(parser, FIGURE, what, required=False)
    command_line.add_outputs(parser, output="HTML file")
    arguments = parser.parse_args(argv)
    from selfembed.pages import plain_words, report_page
    from selfembed.pages.report_page import Figure

    found = account.read(arguments)
    figures = [
        Figure(path=path, **words)
        for words, paths in command_line.read_entries(arguments.entry, FIGURE)
        for path in paths
    ]
    maps = {path.stem: os.path.relpath(path, arguments.output.parent) for path in arguments.maps}
    crops = [read_json(path, "counts")["counts"] for path in arguments.crops]
    page = report_page.page(arguments.title, found, str(arguments.model), figures, maps, crops, arguments.differences)
    write_text(page, arguments.output)
    for line in plain_words.verdict(found):
        log.info("%s", line)


if __name__ == "__main__":
    command_line.run(main)
