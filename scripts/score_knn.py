"""Nearest-neighbour accuracy of every embedded layer and pooling of one model on one corpus.

Reads embeddings and the corpus; only labelled texts count. Writes tidy score rows (CSV).
"""

import pandas as pd
from threadpoolctl import threadpool_limits

from selfembed import command_line, model_paths, neighbors, vectors
from selfembed.command_line import existing, log
from selfembed.corpora import read_corpus
from selfembed.errors import InputError
from selfembed.records import read_json, write_table
from selfembed.tables import SCORE_COLUMNS


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--embeddings", type=existing, required=True, help="embeddings folder")
    parser.add_argument("--corpus", type=existing, required=True, help="prepared corpus (Parquet)")
    parser.add_argument("--model", required=True, help="model path, for instance tuned/iclr/mpnet/crops/seed-42")
    parser.add_argument("--step", required=True, help="step of the model")
    parser.add_argument("--k", type=int, default=10, help="neighbours that vote")
    parser.add_argument("--metric", choices=["euclidean", "cosine"], default="euclidean", help="distance")
    parser.add_argument("--test-fraction", type=float, default=0.1, help="part of the labelled texts that is tested")
    parser.add_argument("--split-seed", type=int, default=42, help="seed of the split")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; decide which of equally near texts count")
    parser.add_argument("--output", required=True, help="CSV file to write")
    arguments = parser.parse_args(argv)
    labels = read_corpus(arguments.corpus)["label"]
    labelled = labels.notna().to_numpy()
    if not labelled.any():
        raise InputError(f"{arguments.corpus}: no text has a label, which kNN accuracy needs")
    facts = read_json(arguments.embeddings / "embeddings.json")
    settings = {key: getattr(arguments, key) for key in ("k", "metric", "test_fraction", "split_seed")}
    rows = []
    for row, pooling in enumerate(facts["poolings"]):
        for column, layer in enumerate(facts["layers"]):
            embeddings = vectors.load(arguments.embeddings, row, column, labelled)
            with threadpool_limits(arguments.threads):
                scored = neighbors.accuracy(embeddings, labels[labelled].to_numpy(dtype=str), **settings)
            identity = {
                "corpus": arguments.corpus.stem,
                **model_paths.identity(arguments.model),
                "step": arguments.step,
                "layer": layer,
                "last_layer": facts["last_layer"],
                "pooling": pooling,
                "score": "knn_accuracy",
                "settings": " ".join(f"{key}={value}" for key, value in settings.items()),
            }
            rows.append(identity | scored)
            log.info("%s, layer %d: %.4f ± %.4f", pooling, layer, scored["value"], scored["standard_error"])
    write_table(pd.DataFrame(rows, columns=SCORE_COLUMNS), arguments.output)


if __name__ == "__main__":
    command_line.run(main)
