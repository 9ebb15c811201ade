"""What tf32 or bf16 in the encoder changes in scores, compared with fp32 on the same texts.

Two comparisons of an encoder with itself in fp32:

- embedding: the encoder as it is, embedded in the lower precision;
- fine-tuning: one epoch of crops of some texts, for every seed; trained in the lower precision and embedded in fp32,
  and trained and embedded in the lower precision.

Scores, of mean pooling: STS tasks (cosine Spearman, as MTEB defines it), retrieval of abstracts by their titles
(nDCG@10) and clustering (v-measure, means of ten k-means) as in tasks from a corpus, kNN of every layer, and a linear
probe of every layer (after fine-tuning: of the last), tested on half of the labelled texts. An interval is the central
95 % of a bootstrap over pairs, queries, test texts or starts of k-means, the same ones for all models; ± is the
standard error over seeds.

What was computed is kept in a folder, from which an interrupted run resumes.
"""

import logging
import os
from argparse import Namespace
from collections.abc import Iterator
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
    parser.add_argument("--sts", nargs="+", default=["STS13", "STS15"], help="STS tasks")
    parser.add_argument("--trained", type=int, default=1024, help="pairs of a fine-tuning; 0: no fine-tuning")
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
        for name, model in models(arguments):
            path = arguments.folder / f"{'_'.join(map(str, name))}.npz"
            if not path.is_file():
                scores = scored(model(corpus), data, name, arguments)
                np.savez(path.with_suffix(".part.npz"), **scores)
                os.replace(path.with_suffix(".part.npz"), path)
            found[name] = dict(np.load(path))
            print(*name, {score: round(value(units), 4) for score, units in found[name].items()}, flush=True)
    print()
    print(table(found, arguments).to_markdown(index=False))


def read(path: Path) -> pd.DataFrame:
    """The corpus, as `config/iclr_part.yaml` prepares it."""
    raw = corpora.read_source(path, text="abstract", title="title", label="labels", id="id")
    cleaning = defaults(Corpus, "minimum_length", "minimum_label_count", "sentences", "drop_repeated")
    return corpora.prepare(raw, unlabelled=["unlabeled"], deduplicate=False, **cleaning)[0]


def models(arguments: Namespace) -> Iterator[tuple[tuple, object]]:
    """What is compared, as (precision of training or `none`, precision of embedding, seed), and how it is made."""
    low = arguments.precision
    for precision in ("fp32", low):
        yield ("none", precision, 0), lambda corpus: encoders.load(arguments.encoder).to(arguments.device)
    for seed in arguments.seeds if arguments.trained else ():
        for trained_in, embedded_in in (("fp32", "fp32"), (low, "fp32"), (low, low)):
            yield (
                (trained_in, embedded_in, seed),
                lambda corpus, how=trained_in, seed=seed: tuned(corpus, how, seed, arguments),
            )


def tuned(corpus: pd.DataFrame, precision: str, seed: int, arguments: Namespace) -> Transformer:
    """The encoder after one epoch of crops; weights are kept."""
    folder = arguments.folder / f"model_{precision}_{seed}"
    if not folder.is_dir():
        pairs = crops.make_pairs(
            corpus, "crops", seed=seed, **defaults(Packs), **defaults(Recipe, "epochs", "held_out")
        )
        model = encoders.assemble(encoders.load(arguments.encoder), "mean", arguments.max_length).to(arguments.device)
        how = defaults(Recipe, "temperature", "batch_size", "warmup") | defaults(Masked)
        how |= {"precision": precision, "learning_rate": arguments.learning_rate}
        history = training.fine_tune(model, pairs.head(arguments.trained), seed=seed, **how)
        print(
            f"{precision}, seed {seed}: loss {history['loss'].iloc[0]:.4f} to {history['loss'].iloc[-1]:.4f}",
            flush=True,
        )
        encoders.save(model, folder.with_suffix(".part"), "")
        os.replace(folder.with_suffix(".part"), folder)
    return encoders.load(folder).to(arguments.device)


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
        "pairs": {name: pd.read_parquet(arguments.data / f"{name.lower()}.parquet") for name in arguments.sts},
    }


def scored(encoder: Transformer, data: dict, name: tuple, arguments: Namespace) -> Scores:
    """What every unit (pair, query, text or start) adds to each score; `value` makes a score of it."""
    trained_in, precision, _ = name
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
        if layer == last or trained_in == "none":
            said["linear"] = probes.predict(here[train], labels[train], here[test])
        found |= {f"{name}, layer {layer}": (labels[test] == guessed).astype(float) for name, guessed in said.items()}
    return found


def v_measure(vectors: np.ndarray, labels: np.ndarray, start: int) -> float:
    """V-measure of mini-batch k-means, with mteb's settings."""
    means = MiniBatchKMeans(len(set(labels)), batch_size=500, n_init="auto", random_state=start)
    return float(v_measure_score(labels, means.fit_predict(vectors)))


def value(units: np.ndarray) -> float:
    """The score: a mean or, of pairs of cosine and judgement, their rank correlation."""
    return float(units.mean() if units.ndim == 1 else spearmanr(*units.T).statistic)


def table(found: dict[tuple, Scores], arguments: Namespace) -> pd.DataFrame:
    """A row for each score, in per cent: fp32, and the differences that the precision makes."""
    low, rows = arguments.precision, []
    seeds = [seed for seed in arguments.seeds if (low, low, seed) in found]
    for score in found["none", "fp32", 0]:
        exact = found["none", "fp32", 0][score]
        row = {"score": score, "fp32": f"{100 * value(exact):.2f}"}
        row[f"embedded in {low}"] = difference([(found["none", low, 0][score], exact)])
        if seeds and score in found[low, low, seeds[0]]:
            trained = np.array([100 * value(found["fp32", "fp32", seed][score]) for seed in seeds])
            row["fine-tuned in fp32"] = f"{trained.mean():.2f}{error(trained)}"
            for name, embedded_in in ((f"fine-tuned in {low}", "fp32"), (f"both in {low}", low)):
                row[name] = difference(
                    [(found[low, embedded_in, seed][score], found["fp32", "fp32", seed][score]) for seed in seeds]
                )
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def difference(compared: list[tuple[np.ndarray, np.ndarray]]) -> str:
    """Mean difference over seeds with its standard error, and the interval of a bootstrap over units."""
    observed = 100 * np.array([value(one) - value(other) for one, other in compared])
    generator, size = np.random.default_rng(42), len(compared[0][0])
    draws = np.empty(RESAMPLES)
    for number in range(RESAMPLES):
        drawn = generator.integers(size, size=size)
        draws[number] = np.mean([100 * (value(one[drawn]) - value(other[drawn])) for one, other in compared])
    low, high = interval(draws)
    return f"{observed.mean():+.2f}{error(observed)} ({low:+.2f} to {high:+.2f})"


def error(values: np.ndarray) -> str:
    """Standard error over seeds; empty for a single value."""
    return f" ± {values.std(ddof=1) / np.sqrt(len(values)):.2f}" if len(values) > 1 else ""


if __name__ == "__main__":
    main()
