"""Whether crops that find each other rank models as labels do: rank correlations, from the workflow's own tables.

Reads the tables of a config whose models are scored both ways (`crop_retrieval.yaml`; run it first). Prints, for every
corpus, Spearman's correlation of each measure of crops with kNN accuracy, over all models and layers and over models at
their last layers; and the last layers' numbers. Where lower is better, the sign is turned: 1 is the same ranking.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import yaml
from scipy.stats import spearmanr

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from selfembed import command_line, measures, tables
from selfembed.errors import InputError
from selfembed.settings.corpora import CropsSource
from selfembed.settings.schema import Settings
from selfembed.settings.scores import CropPairs, Knn
from selfembed.settings.validation import load

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
    print(last.sort_values(["corpus", "knn"], ascending=[True, False]).to_markdown(index=False, floatfmt=".3f"))


def read(settings: Settings, folder: Path) -> pd.DataFrame:
    """The tables of all experiments with scores that are there, one after the other.

    Raises InputError if there is none.
    """
    paths = [folder / f"{name}.csv" for name in settings.experiments]
    found = [tables.read(path) for path in paths if path.is_file()]
    if not found:
        raise InputError(f"{folder}: no table of this config; needed: run the workflow with it first")
    return pd.concat(found, ignore_index=True)


def ranked(settings: Settings, scores: pd.DataFrame) -> pd.DataFrame:
    """One row for everything ranked, means over seeds: `knn` and a column for each measure of crops.

    Scores on crops are beside those on the corpus whose texts they are of.
    """
    of = {
        name: corpus.source.corpus
        for name, corpus in settings.corpora.items()
        if isinstance(corpus.source, CropsSource)
    }
    kinds = {name: type(score) for name, score in settings.scores.items()}
    knn = next(name for name, kind in kinds.items() if kind is Knn)
    pairs = next(name for name, kind in kinds.items() if kind is CropPairs)
    columns = {knn: "knn"} | {measures.score_name(pairs, measure): measure for measure in measures.OF_CROP_PAIRS}
    scores = scores[scores["score"].isin(columns)]
    scores = scores.assign(corpus=scores["corpus"].replace(of), score=scores["score"].map(columns))
    means = scores.groupby([*RANKED, "score"], sort=False)["value"].mean().unstack()
    return means[list(columns.values())].dropna().reset_index().rename_axis(columns=None)


def correlations(values: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Rows of a table: corpus, what is ranked and how many, and a column for each measure."""
    for corpus, found in values.groupby("corpus", sort=False):
        last = found[found["layer"] == found["last_layer"]]
        for what, chosen in {"all layers": found, "last layers": last}.items():
            row: dict[str, object] = {"corpus": corpus, "ranked": what, "number": len(chosen)}
            for name, measure in measures.OF_CROP_PAIRS.items():
                sign = -1 if measure.lower_is_better else 1
                row[name] = spearmanr(sign * chosen[name], chosen["knn"]).statistic
            yield row


if __name__ == "__main__":
    command_line.run(main)
