"""Embed a corpus with an export of the adapted model, or with the model itself, as their users do.

Writes a folder with `embeddings.npy` (float32, shape 1 × 1 × texts × dim) and `embeddings.json`, as `embed` does for
pooling `own` and the last layer. Vectors in bits are written as -1 and 1.
"""

from selfembed.embeddings import vectors
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.devices import choose_device
from selfembed.jobs.records import provenance, write_json, written_whole
from selfembed.settings.schema import Settings
from selfembed.settings.scores import Threads
from selfembed.texts.corpora import read_corpus


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus", model="folder of the export or of the model")
    parser.add_argument("--export", required=True, help="form of the model, or adapted_model")
    options.add(parser, Settings, keep=("device",))
    options.add(parser, Threads, keep=("embed",), names={"embed": "threads"})
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    from selfembed.exports import forms

    texts = read_corpus(arguments.corpus)["text"].tolist()
    device = choose_device(arguments.device)
    form = forms.of(arguments.export)
    found = form.numbers(form.load(arguments.model, device, arguments.threads)(texts))
    facts = {"export": arguments.export, "texts": len(texts), "dim": found.shape[1], "device": device}
    place = {"poolings": ["own"], "layers": [0], "last_layer": 0}
    with written_whole(arguments.output) as folder:
        folder.mkdir()
        vectors.save(found, folder)
        write_json(provenance(**place, **facts, threads=arguments.threads), folder / "embeddings.json")
    log.info("%d texts, %d dimensions", *found.shape)


if __name__ == "__main__":
    command_line.run(main)
