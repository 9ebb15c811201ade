"""Copy the model that was chosen for a corpus to a folder that is ready to use and publish.

Writes a folder that SentenceTransformer(folder) loads, with a README.md (model card) that describes data, training and
evaluation. If no other model is better, it is the encoder before fine-tuning.
"""

import shutil

from selfembed.jobs import command_line
from selfembed.jobs.command_line import log
from selfembed.jobs.records import written_whole
from selfembed.pages import account


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    account.add_arguments(parser)
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    from selfembed.pages import adapted_card

    found = account.read(arguments)
    card = adapted_card.card(found)
    with written_whole(arguments.output) as folder:
        shutil.copytree(found.model, folder)
        (folder / "README.md").write_text(card, encoding="utf-8")
    log.info("%s: %s, from %s", arguments.output, found.choice.label, found.model)


if __name__ == "__main__":
    command_line.run(main)
