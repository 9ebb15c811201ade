"""Convert a pretrained checkpoint to a base model (step 0).

Reads an encoder folder, with or without an adapter; an encoder from the hub is tried out. Writes a folder with `0/`, a
SentenceTransformer in fp32 with the encoder's own modules (if it has none, a pooling), and `model.json`, which
contains repository and revision of an encoder from the hub, the licence in its card, and describes the own modules.
"""

from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import checksum, provenance, write_json, written_whole
from selfembed.models import model_cards
from selfembed.settings.encoders import FolderEncoder


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, encoder="folder of the checkpoint")
    options.add(parser, FolderEncoder, keep=("max_length", "prompt"))
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    from selfembed.models import adapters, checkpoints, encoders, own_modules, trial

    if origin := checkpoints.origin(arguments.encoder):  # imports have been tried out
        trial.run(arguments.encoder, checkpoints.last_layer(arguments.encoder), f"hub: '{origin['repository']}'")
    encoder = encoders.load(arguments.encoder)
    model = encoders.with_own_modules(encoder, arguments.encoder, arguments.max_length, arguments.prompt)
    facts = {"encoder": arguments.encoder.name, "weights": checksum(arguments.encoder / "model.safetensors")}
    facts["licence"] = model_cards.licence(arguments.encoder)
    what = "a pretrained encoder"
    if origin:
        what = f"`{origin['repository']}` of the Hugging Face hub at revision {origin['revision']}"
    if (adapter := arguments.encoder / adapters.FOLDER).is_dir():
        facts |= {"adapter": adapters.source(adapter), "adapter_weights": checksum(adapter / adapters.WEIGHTS)}
        what += " with its adapter"
    modules = [f"{encoders.pooling_without_modules(encoder)} pooling"]
    if own := own_modules.read(arguments.encoder, arguments.prompt):
        modules = own.words
        weights = [path for path in own_modules.files(arguments.encoder) if path.name == own_modules.WEIGHTS]
        facts |= {"own": own.described(), "own_weights": {path.parent.name: checksum(path) for path in weights}}
        log_own(own, arguments.max_length)
    with written_whole(arguments.output) as folder:
        own_code = encoders.needs_own_code(model)
        card = model_cards.base(arguments.encoder.name, f"{what}, not fine-tuned", own_code, modules)
        encoders.save_as_it_came(model, arguments.encoder, folder / "0", card)
        write_json(provenance(**facts, **origin, max_length=arguments.max_length), folder / "model.json")


def log_own(own, max_length: int) -> None:
    """Log the own modules, and which maximum length and prompt apply to them."""
    log.info("own modules: %s", ", ".join(own.words))
    if own.max_length not in (None, max_length):
        words = "pooling 'own': at most %d tokens, the smaller of max_length %d and the encoder's own %d"
        log.info(words, min(own.max_length, max_length), max_length, own.max_length)
    if own.prompts:
        log.info("pooling 'own': %s of the prompts %s", own.prompt or "none", ", ".join(own.prompts))


if __name__ == "__main__":
    command_line.run(main)
