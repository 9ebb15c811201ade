"""Save the adapted model in another form: fewer dimensions, vectors of lower precision, static, or int8 weights.

Reads the model and the corpus whose training texts dimensions and ranges are fitted on. Writes a folder that its own
library loads, with a README.md that says how.
"""

import os

from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.devices import choose_device, use_threads
from selfembed.jobs.records import written_whole
from selfembed.settings.recipes import Recipe
from selfembed.settings.schema import Settings
from selfembed.settings.scores import Threads
from selfembed.texts.corpora import read_corpus

FITTED_ON = 10_000  # texts at most


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus", model="folder of the model")
    parser.add_argument("--export", required=True, help="form of the model, such as static or dimensions_128")
    options.add(parser, Recipe, keep=("held_out",))
    options.add(parser, Settings, keep=("device",))
    options.add(parser, Threads, keep=("embed",), names={"embed": "threads"})
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    os.environ.update(HF_HUB_OFFLINE="1")
    from selfembed.augmentations.crops import positions_kept
    from selfembed.exports import forms

    use_threads(arguments.threads)
    texts = read_corpus(arguments.corpus)["text"]
    texts = texts.iloc[positions_kept(len(texts), arguments.held_out)]
    texts = texts.sample(min(len(texts), FITTED_ON), random_state=0).tolist()
    source = forms.Source(arguments.model, texts, choose_device(arguments.device))
    with written_whole(arguments.output) as folder:
        forms.export(arguments.export, source, folder)
    log.info("%s: %s of %s", arguments.output, arguments.export, arguments.model)


if __name__ == "__main__":
    command_line.run(main)
