"""Put an adapted model into a folder of its own, ready to use and to publish.

Reads a run, where its texts came from, and tables of differences. Writes a folder that anyone can load with
SentenceTransformer(folder), whose README.md, the model card, says what it was made of and what it is worth.
"""

import shutil

from selfembed.jobs import command_line
from selfembed.jobs.command_line import log
from selfembed.jobs.records import written_whole
from selfembed.pages import account


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    account.add_arguments(parser)
    parser.add_argument("--base-model", help="repository on the Hugging Face hub that the model started from")
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    from selfembed.pages import adapted_card

    found = account.read(arguments)
    card = adapted_card.card(found, arguments.base_model)
    with written_whole(arguments.output) as folder:
        shutil.copytree(arguments.run / arguments.step, folder)
        (folder / "README.md").write_text(card, encoding="utf-8")
    log.info("%s: %s of %s", arguments.output, found.label, arguments.run)


if __name__ == "__main__":
    command_line.run(main)
