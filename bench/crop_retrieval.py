"""Whether crops that find each other say of models what labels say: rankings and verdicts, from the workflow's scores.

Reads the tables and scores of a config whose models are scored both ways (`crop_retrieval.yaml`; run it first). Prints,
for every corpus,

- Spearman's correlation of each measure of crops with kNN accuracy, over all models and layers and over models at their
  last layers (where lower is better, the sign is turned: 1 is the same ranking);
- the last layers' numbers;
- for every two models the verdict on their last layers by labels (kNN) and by crops (recall@1), and how these agree.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import yaml
from scipy.stats import spearmanr

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from selfembed.errors import InputError
from selfembed.evidence import differences
from selfembed.jobs import command_line
from selfembed.jobs.options import defaults
from selfembed.scores import measures, outcomes, tables
from selfembed.settings.corpora import CropsSource
from selfembed.settings.figures import DifferencesTable
from selfembed.settings.schema import Settings
from selfembed.settings.scores import CropPairs, Knn
from selfembed.study.expansion import expand
from selfembed.study.validation import load

# What is ranked: a model as the config calls it, at a step, a layer and a pooling.
RANKED = ["corpus", "label", "step", "layer", "last_layer", "pooling"]


def main(argv: list[str]) -> None:
    """Print the tables."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--config", type=Path, default=HERE / "crop_retrieval.yaml", help="config that was run")
    parser.add_argument("--results", type=Path, default=Path("results"), help="the workflow's results folder")
    arguments = parser.parse_args(argv)
    settings = load(yaml.safe_load(arguments.config.read_text(encoding="utf-8")))
    values = ranked(settings, read(settings, arguments.results / settings.folder / "tables"))
    rows = pd.DataFrame(correlations(values))
    print(rows.to_markdown(index=False, floatfmt=".2f"), end="\n\n")
    last = values[values["layer"] == values["last_layer"]].drop(columns=["layer", "last_layer"])
    last = last.sort_values(["corpus", "knn"], ascending=[True, False])
    print(last.to_markdown(index=False, floatfmt=".3f"), end="\n\n")
    found = verdicts(settings, arguments.results / settings.folder / "scores")
    for corpus, said in found.groupby("corpus", sort=False):
        counts = pd.crosstab(said["by labels"], said["by crops"]).rename_axis(f"{corpus}: by labels, by crops")
        print(counts.to_markdown(), end="\n\n")
    print(found.to_markdown(index=False))


def verdicts(settings: Settings, folder: Path) -> pd.DataFrame:
    """A row for every two models with scores of both kinds: `corpus`, `label`, `against`, `by labels`, `by crops`."""
    wanted = {name: "by labels" for name, score in settings.scores.items() if isinstance(score, Knn)}
    wanted |= {
        f"{name}_recall@1": "by crops" for name, score in settings.scores.items() if isinstance(score, CropPairs)
    }
    rows, by_text = [], []
    for evaluation in (item for items in expand(settings).experiments.values() for item in items):
        path = folder / f"{evaluation.path}.csv"
        if path.is_file():
            shown = tables.chosen(tables.last_layers(tables.read(path)), score=list(wanted))
            rows.append(shown.assign(label=evaluation.line.label))
            by_text += outcomes.of_scores(shown, path.with_suffix(".parquet"))
    scores = pd.concat(rows, ignore_index=True)
    labels = list(dict.fromkeys(scores["label"]))
    bootstrap = defaults(DifferencesTable, "resamples", "seed")
    numbers = {
        number: found
        for experiment in settings.experiments.values()
        for number, found in settings.numbers(experiment).items()
    }
    compared = [
        differences.compare(scores, by_text, against=label, labels=labels[place:], numbers=numbers, **bootstrap)
        for place, label in enumerate(labels[:-1], start=1)
    ]
    found = pd.concat(compared).replace({"corpus": whole_texts(settings), "score": wanted})
    return found.pivot(index=["corpus", "label", "against"], columns="score", values="verdict").dropna().reset_index()


def whole_texts(settings: Settings) -> dict[str, str]:
    """The corpus whose texts the crops of a corpus are of."""
    sources = {name: corpus.source for name, corpus in settings.corpora.items()}
    return {name: source.corpus for name, source in sources.items() if isinstance(source, CropsSource)}


def read(settings: Settings, folder: Path) -> pd.DataFrame:
    """The tables of all experiments with scores that are there, one after the other.

    Raises InputError if there is none.
    """
    paths = [folder / f"{name}.csv" for name in settings.experiments]
    found = [tables.read(path) for path in paths if path.is_file()]
    if not found:
        raise InputError(f"{folder}: no table of this config; expected: run the workflow with it first")
    return pd.concat(found, ignore_index=True)


def ranked(settings: Settings, scores: pd.DataFrame) -> pd.DataFrame:
    """One row for everything ranked, means over seeds: `knn` and a column for each measure of crops.

    Scores on crops are beside those on the corpus whose texts they are of.
    """
    kinds = {name: type(score) for name, score in settings.scores.items()}
    knn = next(name for name, kind in kinds.items() if kind is Knn)
    pairs = next(name for name, kind in kinds.items() if kind is CropPairs)
    columns = {knn: "knn"} | {measures.score_name(pairs, measure): measure for measure in measures.OF_CROP_PAIRS}
    scores = scores[scores["score"].isin(columns)]
    scores = scores.assign(corpus=scores["corpus"].replace(whole_texts(settings)), score=scores["score"].map(columns))
    means = scores.groupby([*RANKED, "score"], sort=False)["value"].mean().unstack()
    return means[list(columns.values())].dropna().reset_index().rename_axis(columns=None)


def correlations(values: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Rows of a table: corpus, what is ranked and how many, and a column for each measure."""
    for corpus, found in values.groupby("corpus", sort=False):
        last = found[found["layer"] == found["last_layer"]]
        for what, chosen in {"all layers": found, "last layers": last}.items():
            row: dict[str, object] = {"corpus": corpus, "ranked": what, "number": len(chosen)}
            for name, measure in ((name, measures.MEASURES[name]) for name in measures.OF_CROP_PAIRS):
                sign = -1 if measure.lower_is_better else 1
                row[name] = spearmanr(sign * chosen[name], chosen["knn"]).statistic
            yield row


if __name__ == "__main__":
    command_line.run(main)
