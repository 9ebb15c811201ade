"""Embed a corpus with one model: the selected layers and poolings in one forward pass.

Writes a folder with `embeddings.npy` (float32, shape poolings × layers × texts × dim; for TF-IDF `embeddings.npz`, a
sparse matrix texts × words) and `embeddings.json`, which lists poolings and layers. For a diverged run, the folder has
no vectors and `embeddings.json` has the key `diverged`.
An interrupted job resumes after its last finished block of texts, saved beside the output in `.NAME.unfinished/`.
Several jobs can embed a corpus: each writes such a folder with `--part`, and with `--parts` they are merged.
"""

import re
from argparse import ArgumentTypeError, Namespace
from pathlib import Path

from selfembed.embeddings import vectors
from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.devices import choose_device, use_threads
from selfembed.jobs.progress import Progress
from selfembed.jobs.records import checksum, code_checksum, provenance, read_json, resumable, write_json
from selfembed.models import own_modules
from selfembed.settings.encoders import FolderEncoder
from selfembed.settings.experiments import Experiment
from selfembed.settings.schema import Settings
from selfembed.settings.scores import Embedding, Threads
from selfembed.texts.corpora import read_corpus
from selfembed.training import divergence


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus", model="model folder at a step")
    # An experiment needs corpora or tasks: here, the corpus to embed.
    options.add(parser, Experiment, keep=("layers", "poolings"), known={"corpora": "corpus"})
    options.add(parser, FolderEncoder, keep=("max_length",))
    options.add(parser, Embedding)
    options.add(parser, Settings, keep=("device",))
    options.add(parser, Threads, keep=("embed",), names={"embed": "threads"})
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--part", type=number_and_parts, help="part of the texts to embed, for instance 3-of-8")
    parts.add_argument("--parts", type=command_line.existing, nargs="+", help="folders of all parts, to be merged")
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    texts = read_corpus(arguments.corpus)["text"].tolist()
    facts = {"texts": len(texts), "corpus": checksum(arguments.corpus)}
    if arguments.part:
        facts["part"] = arguments.part
    identity = identity_of(arguments, facts)
    with resumable(arguments.output, identity) as unfinished:
        folder = unfinished / "result"
        folder.mkdir(exist_ok=True)
        if diverged := divergence.of_model(arguments.model):
            facts |= without_vectors(arguments, diverged)
        elif (arguments.model / "bag_of_words.json").is_file():
            facts |= embed_as_bags_of_words(arguments, texts, folder)
        elif arguments.parts:
            facts |= merge(arguments.parts, facts | {"weights": identity["weights"]}, folder)
        else:
            facts |= embed_with_encoder(arguments, texts, folder, unfinished / "blocks.json", identity["weights"])
        write_json(provenance(**facts), folder / "embeddings.json")
    embedded = f"part {arguments.part} of {len(texts)} texts" if arguments.part else f"{len(texts)} texts"
    log.info("%s, layers %s, poolings %s", embedded, facts["layers"], facts["poolings"])


def number_and_parts(words: str) -> str:
    """Argument type: the number of a part and the number of all parts, as in 3-of-8."""
    match = re.fullmatch(r"([1-9]\d{0,8})-of-([1-9]\d{0,8})", words)
    if not match or int(match[1]) > int(match[2]):
        raise ArgumentTypeError(f"{words!r} is invalid; expected: for instance 3-of-8")
    return words


def identity_of(arguments: Namespace, facts: dict) -> dict:
    """Return everything that determines the vectors; blocks of a job with the same identity are reused."""
    described = [arguments.model / name for name in ("bag_of_words.json", divergence.FILE)]
    known = next(filter(Path.is_file, described), None)
    if known is None and "own" in arguments.poolings:
        model = own_modules.checksum(arguments.model)
    else:
        model = checksum(known or arguments.model / "model.safetensors")
    words = {key: str(value) for key, value in vars(arguments).items() if key != "output"}
    return provenance(**words | facts, weights=model, code=code_checksum())


def without_vectors(arguments: Namespace, diverged: dict) -> dict:
    """Return the metadata of the embeddings of a diverged run."""
    from selfembed.embeddings import embedding

    log.warning("%s: the run diverged at step %d: no vectors", arguments.model, diverged["diverged"]["step"])
    layers = embedding.chosen_layers(arguments.layers, diverged["last_layer"])
    facts = {"poolings": arguments.poolings, "layers": layers}
    return facts | {key: diverged[key] for key in ("last_layer", "diverged")}


def merge(parts: list[Path], facts: dict, folder: Path) -> dict:
    """Write the vectors of all parts to `folder`; return their metadata.

    Raises InputError if a part is missing, of other texts or another model, or made otherwise than the first.
    """
    told = [read_json(part / "embeddings.json", "part") for part in parts]
    for number, (part, found) in enumerate(zip(parts, told, strict=True), start=1):
        expected = told[0] | facts | {"part": f"{number}-of-{len(parts)}"}
        for key, value in expected.items():
            if key not in provenance() and found.get(key) != value:
                again = "delete the folder and run snakemake again"
                raise InputError(f"{part}: {key} {found.get(key)}; expected: {value}; {again}")
    vectors.merge(parts, folder)
    return {key: value for key, value in told[0].items() if key not in provenance(part=None)}


def embed_as_bags_of_words(arguments: Namespace, texts: list[str], folder: Path) -> dict:
    """Save the vectors of a bag of words in `folder`; return their metadata."""
    from selfembed.embeddings import bags_of_words

    if arguments.part:
        raise InputError("--part: a bag of words is fitted on all texts; expected: no part")
    settings = read_json(arguments.model / "bag_of_words.json", "components", "normalise", "terms")
    embedded = bags_of_words.embed(texts, **settings)
    vectors.save(embedded, folder)
    return {"poolings": ["none"], "layers": [0], "last_layer": 0, "dim": embedded.shape[1]}


def embed_with_encoder(arguments: Namespace, texts: list[str], folder: Path, finished: Path, weights: str) -> dict:
    """Write the vectors of an encoder to `folder`, block by block; return their metadata.

    Args:
        finished: file with the number of embedded texts, from which an interrupted job resumes.
        weights: checksum of the encoder's weights.
    """
    from selfembed.embeddings import embedding
    from selfembed.embeddings.precision import available
    from selfembed.models import checkpoints

    use_threads(arguments.threads)
    device = choose_device(arguments.device)
    precision = available(arguments.precision, device)
    poolings, last_layer = arguments.poolings, checkpoints.last_layer(arguments.model)
    layers = embedding.chosen_layers(arguments.layers, last_layer)
    if "own" in poolings and (poolings, layers) != (["own"], [last_layer]):
        raise InputError("--poolings: 'own' is embedded alone and at the last layer; expected: own, --layers last")
    how = arguments.max_length, device, precision, arguments.tokens_per_batch
    model = embedding.load(arguments.model, poolings, layers, *how)
    if arguments.part:
        number, parts = map(int, arguments.part.split("-of-"))
        texts = texts[embedding.part_of(len(texts), number, parts)]
    progress = Progress(len(texts), "texts")
    if finished.is_file():
        progress.skip(read_json(finished)["texts"])
        log.info("resuming after %d of %d texts", progress.done, len(texts))
    else:
        vectors.create(folder, len(poolings), len(layers), len(texts), model.dim)
    for done in model.fill(folder, texts, progress):
        write_json({"texts": done}, finished)
    return {
        "poolings": poolings,
        "layers": layers,
        "last_layer": last_layer,
        "dim": model.dim,
        "weights": weights,
        "max_length": model.max_length,
        "precision": precision,
        "device": device,
        "threads": arguments.threads,
    }


if __name__ == "__main__":
    command_line.run(main)
