"""Put word counts beside the vectors of a base model: the base model (step 0) of an encoder of its own.

Reads a base model and a corpus, whose held-out texts are left out. Writes a folder with `0/`, a SentenceTransformer
whose last module is the truncated SVD of TF-IDF of its tokens, and `model.json`.
"""

from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import checksum, provenance, read_json, write_json, written_whole
from selfembed.models import model_cards
from selfembed.settings.encoders import BesideWordCounts
from selfembed.texts.corpora import read_corpus


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus", base="folder of the base model")
    parser.add_argument("--name", required=True, help="name of the encoder")
    options.add(parser, BesideWordCounts, keep=("held_out", "components", "weight", "max_length"))
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    from selfembed.augmentations.crops import positions_kept
    from selfembed.models import encoders, fit_word_counts, own_modules

    texts = read_corpus(arguments.corpus)["text"]
    texts = texts.iloc[positions_kept(len(texts), arguments.held_out)]
    source = arguments.base / "0"
    model = encoders.load_whole(source)
    model.max_seq_length = min(model.max_seq_length, arguments.max_length)
    words = fit_word_counts.fit(model, texts.tolist(), arguments.components, arguments.weight)
    model.append(words)
    model.truncate_dim = None  # the vectors of the encoder are cut where the words begin
    log.info("%d tokens counted, %d components, from %d texts", words.terms, words.components, len(texts))
    base = read_json(arguments.base / "model.json") if (arguments.base / "model.json").is_file() else {}
    with written_whole(arguments.output) as folder:
        what = f"word counts of {len(texts):,} texts beside another encoder"
        encoders.save(model, folder / "0", model_cards.base(arguments.name, what, own_code=True))
        own = own_modules.read(folder / "0")
        facts = {key: base[key] for key in ("repository", "revision") if key in base}
        facts |= {"encoder": arguments.name, "own": own.described(), "corpus": checksum(arguments.corpus)}
        facts |= {"base_weights": checksum(source / "model.safetensors"), "held_out": arguments.held_out}
        write_json(provenance(**facts, components=words.components, weight=words.weight), folder / "model.json")


if __name__ == "__main__":
    command_line.run(main)
