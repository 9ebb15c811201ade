"""What tf32 or bf16 in the encoder changes in scores, compared with fp32 on the same texts.

Without `--trained`, an encoder is embedded in both precisions. With it, the encoder is fine-tuned on crops and embedded
in one and in the other precision, for every seed.

Scores, of mean pooling: STS tasks (cosine Spearman, as MTEB defines it), retrieval of abstracts by their titles
(nDCG@10) and clustering (v-measure, means of ten k-means) as in tasks from a corpus, kNN of every layer, and a linear
probe of every layer (after fine-tuning: of the last), tested on half of the labelled texts. An interval is the central
95 % of a bootstrap over pairs, queries, test texts or starts of k-means, the same ones for both precisions; ± is the
standard error over seeds.

What was computed is kept in a folder, from which an interrupted run resumes.
"""

import logging
import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

import measure
import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr
from sentence_transformers.sentence_transformer.modules import Transformer
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import v_measure_score
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from selfembed.augmentations import crops
from selfembed.embeddings import embedding
from selfembed.evidence.differences import interval
from selfembed.jobs import command_line
from selfembed.jobs.options import defaults
from selfembed.models import encoders
from selfembed.scores import neighbors, probes
from selfembed.settings.base import Packs, Precision
from selfembed.settings.corpora import Corpus
from selfembed.settings.recipes import Masked, Recipe
from selfembed.settings.scores import Knn
from selfembed.tasks import tasks_from_corpus
from selfembed.texts import corpora, splits
from selfembed.training import training

STS = ("STS13", "STS15")
STARTS = 10  # of k-means
RESAMPLES = 1000

Scores = dict[str, np.ndarray]


def main() -> None:
    """Compute what is missing, and print the tables."""
    parser = command_line.parser(__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of iclr_2017_2018_2021, sts13, sts15 (.parquet)"
    )
    parser.add_argument("--encoder", type=Path, default=measure.minilm(), help="folder of the encoder")
    parser.add_argument(
        "--precision", choices=Precision.__args__, default="bf16", help="precision to compare with fp32"
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--max-length", type=int, default=128, help="tokens of a text")
    parser.add_argument("--labelled", type=int, default=None, help="labelled texts to score; all by default")
    parser.add_argument("--pairs", type=int, default=None, help="pairs of an STS task, evenly spread; all by default")
    parser.add_argument("--trained", type=int, default=0, help="pairs of a fine-tuning; 0: no fine-tuning")
    parser.add_argument("--batch-size", type=int, default=64, help="pairs of an optimiser step")
    parser.add_argument("--learning-rate", type=float, default=1e-4, help="peak learning rate of a fine-tuning")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 23, 12], help="seeds of fine-tunings")
    parser.add_argument("--folder", type=Path, required=True, help="folder of results; one for each set of options")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    corpus = read(arguments.data / "iclr_2017_2018_2021.parquet")
    data = tasks(corpus, arguments)
    found = {}
    with threadpool_limits(arguments.threads):
        for name, make in models(arguments):
            path = arguments.folder / f"{'_'.join(map(str, name))}.npz"
            if not path.is_file():
                scores = scored(make(corpus), data, name, arguments)
                np.savez(path.with_suffix(".part.npz"), **scores)
                os.replace(path.with_suffix(".part.npz"), path)
            found[name] = with_mean(dict(np.load(path)))
            print(*name, {score: round(value(units), 4) for score, units in found[name].items()}, flush=True)
    print()
    print(table(found, arguments.precision).to_markdown(index=False, disable_numparse=True))


def read(path: Path) -> pd.DataFrame:
    """The corpus, as `config/iclr_part.yaml` prepares it."""
    raw = corpora.read_source(path, text="abstract", title="title", label="labels", id="id")
    cleaning = defaults(Corpus, "minimum_length", "minimum_label_count", "sentences", "drop_repeated")
    return corpora.prepare(raw, unlabelled=["unlabeled"], deduplicate=False, **cleaning)[0]


def models(arguments: Namespace) -> Iterator[tuple[tuple, Callable[[pd.DataFrame], Transformer]]]:
    """Names of what is compared, (precision, seed or 0 without fine-tuning), and how it is made of the corpus."""
    for seed in arguments.seeds if arguments.trained else [0]:
        for precision in ("fp32", arguments.precision):
            yield (precision, seed), lambda corpus, which=(precision, seed): model(corpus, *which, arguments)


def model(corpus: pd.DataFrame, precision: str, seed: int, arguments: Namespace) -> Transformer:
    """The encoder, after one epoch of crops if it is fine-tuned."""
    encoder = encoders.load(arguments.encoder).to(arguments.device)
    if arguments.trained:
        every = defaults(Packs) | defaults(Recipe, "epochs", "held_out")
        pairs = crops.make_pairs(corpus, "crops", seed=seed, **every).head(arguments.trained)
        how = defaults(Recipe, "temperature", "warmup") | defaults(Masked)
        how |= {"precision": precision} | {key: getattr(arguments, key) for key in ("batch_size", "learning_rate")}
        trained = encoders.assemble(encoder, "mean", arguments.max_length).to(arguments.device)
        losses = training.fine_tune(trained, pairs, seed=seed, **how)["loss"]
        print(f"{precision}, seed {seed}: loss {losses.iloc[0]:.4f} to {losses.iloc[-1]:.4f}", flush=True)
    return encoder


def tasks(corpus: pd.DataFrame, arguments: Namespace) -> dict:
    """Texts and what is known about them."""
    labelled = corpus[corpus["label"].notna()].head(arguments.labelled).reset_index(drop=True)
    searched = tasks_from_corpus.make("retrieval", labelled)["default"]["test"]
    positions = {name: place for place, name in enumerate(searched["corpus"]["id"])}
    wanted = [positions[next(iter(searched["relevant_docs"][name]))] for name in searched["queries"]["id"]]
    return {
        "texts": labelled["text"].tolist(),
        "labels": labelled["label"].to_numpy(dtype=str),
        "split": splits.split(len(labelled), 0.5, 42),
        "queries": list(searched["queries"]["text"]),
        "wanted": np.array(wanted),
        "pairs": {
            name: spread(pd.read_parquet(arguments.data / f"{name.lower()}.parquet"), arguments.pairs) for name in STS
        },
    }


def spread(pairs: pd.DataFrame, number: int | None) -> pd.DataFrame:
    """A number of pairs, evenly spread over all."""
    return pairs.iloc[np.linspace(0, len(pairs) - 1, number or len(pairs)).round().astype(int)]


def scored(encoder: Transformer, data: dict, name: tuple, arguments: Namespace) -> Scores:
    """What every unit (pair, query, text or start) adds to each score; `value` makes a score of it."""
    precision, seed = name
    sentences = [text for pairs in data["pairs"].values() for text in [*pairs["sentence1"], *pairs["sentence2"]]]
    places = {text: place for place, text in enumerate(dict.fromkeys([*data["texts"], *data["queries"], *sentences]))}
    last = encoder.model.config.num_hidden_layers
    out = np.empty((1, last + 1, len(places), encoder.model.config.hidden_size), np.float32)
    how = {"max_length": arguments.max_length, "precision": precision}
    embedding.embed(encoder, list(places), list(range(last + 1)), ["mean"], out, **how)

    def vectors(texts, layer: int = last) -> np.ndarray:
        return out[0, layer, [places[text] for text in texts]]

    found: Scores = {}
    for name, pairs in data["pairs"].items():
        one, two = (normalize(vectors(pairs[column])) for column in ("sentence1", "sentence2"))
        found[name] = np.stack([(one * two).sum(axis=1), pairs["score"]], axis=1)
    texts, queries = (normalize(vectors(data[key])) for key in ("texts", "queries"))
    cosines = queries @ texts.T
    ranks = 1 + (cosines > cosines[np.arange(len(queries)), data["wanted"]][:, None]).sum(axis=1)
    found["retrieval"] = np.where(ranks <= 10, 1 / np.log2(1 + ranks), 0)
    found["clustering"] = np.array([v_measure(texts, data["labels"], start) for start in range(STARTS)])
    train, test = data["split"]
    labels = data["labels"]
    for layer in range(last + 1):
        here = vectors(data["texts"], layer)
        said = {"kNN": neighbors.predict(here[train], labels[train], here[test], **defaults(Knn, "k", "metric"))}
        if layer == last or not seed:
            said["linear"] = probes.predict(here[train], labels[train], here[test])
        found |= {f"{name}, layer {layer}": (labels[test] == guessed).astype(float) for name, guessed in said.items()}
    return found


def with_mean(scores: Scores) -> Scores:
    """Scores, and the kNN accuracy averaged over layers."""
    layers = [units for score, units in scores.items() if score.startswith("kNN")]
    return scores | {"kNN, mean of layers": np.mean(layers, axis=0)}


def v_measure(vectors: np.ndarray, labels: np.ndarray, start: int) -> float:
    """V-measure of mini-batch k-means, with mteb's settings."""
    means = MiniBatchKMeans(len(set(labels)), batch_size=500, n_init="auto", random_state=start)
    return float(v_measure_score(labels, means.fit_predict(vectors)))


def value(units: np.ndarray) -> float:
    """The score: a mean or, of pairs of cosine and judgement, their rank correlation."""
    return float(units.mean() if units.ndim == 1 else spearmanr(*units.T).statistic)


def table(found: dict[tuple, Scores], low: str) -> pd.DataFrame:
    """A row for each score, in per cent: in fp32, and the difference of the lower precision."""
    seeds = [seed for precision, seed in found if precision == low]
    rows = []
    for score in found["fp32", seeds[0]]:
        compared = [(found[low, seed][score], found["fp32", seed][score]) for seed in seeds]
        exact = np.array([100 * value(units) for _, units in compared])
        rows.append([score, f"{exact.mean():.2f}{error(exact)}", *difference(compared)])
    return pd.DataFrame(rows, columns=["score", "fp32", f"difference of {low}", "95 % interval"])


def difference(compared: list[tuple[np.ndarray, np.ndarray]]) -> tuple[str, str]:
    """Mean difference over seeds with its standard error, and the interval of a bootstrap over units."""
    observed = 100 * np.array([value(one) - value(other) for one, other in compared])
    generator, size = np.random.default_rng(42), len(compared[0][0])
    draws = np.empty(RESAMPLES)
    for number in range(RESAMPLES):
        drawn = generator.integers(size, size=size)
        draws[number] = np.mean([100 * (value(one[drawn]) - value(other[drawn])) for one, other in compared])
    low, high = interval(draws)
    return f"{observed.mean():+.2f}{error(observed)}", f"{low:+.2f} to {high:+.2f}"


def error(values: np.ndarray) -> str:
    """Standard error over seeds; empty for a single value."""
    return f" ± {values.std(ddof=1) / np.sqrt(len(values)):.2f}" if len(values) > 1 else ""


if __name__ == "__main__":
    main()
