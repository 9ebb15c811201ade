"""Time and memory at the size of the paper's largest corpus, arXiv: the workflow's own scripts on generated data.

What would take days is made smaller, and printed so: texts are embedded by a narrow encoder (12 layers), and of the
nearest neighbours of 768-dimensional vectors a hundredth of the texts is tested. Neither changes the memory per number.
"""

import shutil
import tempfile
from pathlib import Path

import growth
import measure
import numpy as np

TEXTS = 732_723
LAYERS = 13
DIM = 768


def main() -> None:
    """Run pairs, embedding and kNN, and print a table."""
    parser = measure.command_line.parser(__doc__)
    parser.add_argument("--texts", type=int, default=TEXTS, help="texts")
    parser.add_argument("--dim", type=int, default=48, help="width of the encoder that embeds them")
    parser.add_argument("--length", type=int, default=32, help="tokens of a text")
    parser.add_argument("--folder", type=Path, help="folder to work in; default: that of temporary files")
    arguments = parser.parse_args()
    settings = {"layers": LAYERS - 1, "dim": arguments.dim, "length": arguments.length}
    print(f"| {arguments.texts:,} texts | seconds | maximum MB |\n|---|---|---|")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)

        def show(what: str, step: str, more: str = "") -> None:
            seconds, megabytes = growth.run(step, folder, more, **settings)
            print(f"| {what} | {seconds:.0f} | {megabytes:,.0f} |", flush=True)

        measure.apart(growth.write_texts, arguments.texts, folder / "source.parquet")
        show("corpus prepared", "prepare_corpus")
        show("pairs of one epoch", "make_pairs")
        show("pairs of ten epochs", "make_pairs", "--epochs 10")
        growth.run("build_random_model", folder, **settings)
        show(f"embedded, {LAYERS} layers × {arguments.dim}, {arguments.length} tokens", "embed")
        shutil.rmtree(folder / "embeddings")
        write_vectors(folder, arguments.texts)
        show(f"kNN accuracy, one layer × {DIM}, 1 % tested", "score_knn", "--test-fraction 0.01")


def write_vectors(folder: Path, n_texts: int) -> None:
    """An embeddings folder with one layer of random vectors."""
    from selfembed.embeddings import vectors
    from selfembed.jobs import records

    (folder / "embeddings").mkdir()
    vectors.create(folder / "embeddings", 1, 1, n_texts, DIM)
    generator = np.random.default_rng(0)
    for start in range(0, n_texts, 50_000):
        out = vectors.to_fill(folder / "embeddings")[0, 0, start : start + 50_000]
        out[:] = generator.standard_normal(out.shape, dtype=np.float32)
    facts = {"poolings": ["mean"], "layers": [12], "last_layer": 12, "dim": DIM}
    records.write_json(facts, folder / "embeddings" / "embeddings.json")


if __name__ == "__main__":
    main()
