"""Embed a corpus with one model: the chosen layers and poolings in one forward pass.

Reads a model at a step and a corpus. Writes a folder with `embeddings.npy` (float32, shape poolings × layers × texts ×
dim; for TF-IDF `embeddings.npz`, a sparse matrix texts × words) and `embeddings.json`, which names poolings and layers.

An embedding that was cut off goes on after the last finished block of texts, and ends with the same bytes.
"""

from argparse import Namespace

from selfembed import command_line, vectors
from selfembed.command_line import existing, log, use_threads
from selfembed.corpora import read_corpus
from selfembed.devices import choose_device
from selfembed.progress import Progress
from selfembed.records import checksum, identity, provenance, read_json, resumable, write_json, written_whole


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--model", type=existing, required=True, help="model folder at a step")
    parser.add_argument("--corpus", type=existing, required=True, help="prepared corpus (Parquet)")
    parser.add_argument("--layers", nargs="+", default=["last"], help="'last', 'all' or layer numbers from 0")
    parser.add_argument("--poolings", nargs="+", default=["mean"], help="mean, cls, last, token7")
    parser.add_argument("--max-length", type=int, default=512, help="tokens to which texts are truncated")
    parser.add_argument(
        "--tokens-per-batch", type=int, help="padded tokens in a batch; default: 2048 on a processor, 65536 on a GPU"
    )
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of the encoder's forward pass")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where to embed")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads; decides the last digits")
    parser.add_argument("--output", required=True, help="folder to write")
    arguments = parser.parse_args(argv)
    texts = read_corpus(arguments.corpus)["text"].tolist()
    facts = {"texts": len(texts), "corpus": checksum(arguments.corpus)}
    embed = embed_as_bags_of_words if (arguments.model / "bag_of_words.json").is_file() else embed_with_encoder
    facts |= embed(arguments, texts, facts)
    log.info("%d texts, layers %s, poolings %s", len(texts), facts["layers"], facts["poolings"])


def embed_as_bags_of_words(arguments: Namespace, texts: list[str], facts: dict) -> dict:
    """Write the vectors of a bag of words; return what describes them."""
    from selfembed import bags_of_words

    embedded = bags_of_words.embed(texts, **read_json(arguments.model / "bag_of_words.json"))
    facts = facts | {"poolings": ["none"], "layers": [0], "last_layer": 0, "dim": embedded.shape[1]}
    with written_whole(arguments.output) as folder:
        folder.mkdir()
        vectors.save(embedded, folder)
        write_json(provenance(**facts), folder / "embeddings.json")
    return facts


def embed_with_encoder(arguments: Namespace, texts: list[str], facts: dict) -> dict:
    """Write the vectors of an encoder, block by block, from where an earlier call ended; return what describes them."""
    from selfembed import embedding, encoders

    use_threads(arguments.threads)
    device = choose_device(arguments.device)
    encoder = encoders.load(arguments.model).to(device)
    config = encoder.model.config
    layers = embedding.chosen_layers(arguments.layers, config.num_hidden_layers)
    facts = facts | {
        "poolings": arguments.poolings,
        "layers": layers,
        "last_layer": config.num_hidden_layers,
        "dim": config.hidden_size,
        "weights": checksum(arguments.model / "model.safetensors"),
        "max_length": arguments.max_length,
        "precision": arguments.precision,
        "device": device,
        "threads": arguments.threads,
    }
    shape = (len(arguments.poolings), len(layers), len(texts), config.hidden_size)
    decides = identity(__file__, **facts, tokens_per_batch=arguments.tokens_per_batch, block=embedding.BLOCK)
    with resumable(arguments.output, decides) as (state, result):
        done_file = state / "done.json"
        done = read_json(done_file)["texts"] if done_file.is_file() else 0
        if done:
            log.info("goes on after text %d of %d", done, len(texts))
        else:
            vectors.create(result, *shape)
        progress = Progress(len(texts), "texts", before=done)
        for block in embedding.blocks(len(texts), done):
            out = vectors.to_fill(result)
            embedding.embed(
                encoder,
                texts[block],
                layers,
                arguments.poolings,
                out[:, :, block],
                arguments.max_length,
                arguments.tokens_per_batch,
                arguments.precision,
                progress,
            )
            out.flush()
            write_json({"texts": block.stop}, done_file)
        write_json(provenance(**facts), result / "embeddings.json")
    return facts


if __name__ == "__main__":
    command_line.run(main)
