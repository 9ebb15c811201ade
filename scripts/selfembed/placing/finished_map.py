"""The map of a finished study that new texts are placed on, and the model that it was computed from."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from selfembed.errors import InputError
from selfembed.jobs.records import read_json
from selfembed.maps.rows import names_of_clusters, read_rows
from selfembed.maps.sampling import random_rows
from selfembed.settings.corpora import Corpus
from selfembed.settings.encoders import BagOfWords
from selfembed.settings.report import Report
from selfembed.settings.schema import Settings
from selfembed.study import adapted, expansion, files
from selfembed.study.checks.names import original
from selfembed.study.expansion import Evaluation, Study
from selfembed.texts.corpora import read_corpus
from selfembed.workflow.maps import Maps, cluster_files, map_file
from selfembed.workflow.models import Models


@dataclass(frozen=True)
class FinishedMap:
    """A map, its texts and its model.

    Attributes:
        label: label of the model.
        title: title of the page with the map.
        cleaning: settings of the corpus, or of the one that it is derived from.
        positions: t-SNE positions by the model, float64, shape (texts, 2).
        first: the same by the first model of the page, which the others are rotated to match.
        clusters: the name of the cluster of every text.
        rows: rows of the texts that the page shows.
        neighbors: nearest texts of these texts by the model, as positions in `rows`, int32, shape (len(rows), any).
        characters: maximum length of texts in the page.
        flags: flags of `embed.py` that the texts of the map were embedded with.
        embeddings: folder with their vectors, which may have been removed (`keep: results`).
        threads: threads of scores.
        folder: where results of placing are written.
    """

    label: str
    title: str
    corpus: pd.DataFrame
    cleaning: Corpus
    positions: np.ndarray
    first: np.ndarray
    clusters: pd.Series
    rows: np.ndarray
    neighbors: np.ndarray
    characters: int
    model: Path
    flags: list[str]
    embeddings: Path
    threads: int
    folder: Path


def read(config: Path) -> FinishedMap:
    """Read the interactive map of the corpus of a report: by the recommended model or, without it, by the last one.

    Raises InputError if the config has no report or no such map, or a result is missing or damaged.
    """
    settings, report = files.read_with_report(config)
    study = expansion.expand(settings)
    maps = Maps(settings, study)
    results = Path("results", settings.folder)

    def result(path: str) -> Path:
        return files.finished(Path(path.replace("<results>", str(results))), config)

    if report.corpus not in maps.interactive:
        raise InputError(
            f"{config}: figures: no interactive map of '{report.corpus}'; expected: a figure with draw: interactive_map"
        )
    of_corpus = SimpleNamespace(corpus=report.corpus)
    shown = maps.shown(of_corpus)
    chosen = read_json(result("<results>/choice.json"), "label")["label"]
    item, is_chosen = mapped_by(chosen, shown, report, settings, study)
    corpus = read_corpus(result(f"<results>/corpora/{report.corpus}.parquet"))
    positions = {map_file(one): read_rows(result(map_file(one)), corpus["id"], ["x", "y"]) for one in shown}
    whole = [table.to_numpy() for table in positions.values() if table.notna().all(axis=None)]
    if positions[map_file(item)].isna().any(axis=None):
        raise InputError(f"{result(map_file(item))}: the run diverged, so there is no map; expected: a map")
    numbers, names = map(result, cluster_files(shown[-1]))
    figure = maps.interactive[report.corpus]
    rows = random_rows(len(corpus), figure.points)
    nearest = result(f"<results>/neighbors/{item.embeddings}.parquet")
    neighbors = read_rows(nearest, corpus["id"].iloc[rows], ["neighbors"])["neighbors"]
    model = results / "models" / item.model.path / item.step
    if is_chosen and not model.exists():  # removed with `keep: results`, but its copy is not
        model = results / "adapted_model"
    texts = expansion.texts_of(item.on, settings)
    embedding = SimpleNamespace(model=item.model.path, selection=item.selection)
    return FinishedMap(
        label=item.line.label,
        title=maps.page_title(of_corpus),
        corpus=corpus,
        cleaning=settings.corpora[original(report.corpus, settings)],
        positions=positions[map_file(item)].to_numpy(),
        first=whole[0],
        clusters=names_of_clusters(read_rows(numbers, corpus["id"], ["cluster"])["cluster"], names),
        rows=rows,
        neighbors=np.stack(list(neighbors)),
        characters=figure.characters,
        model=files.finished(model, config),
        flags=[*shlex.split(Models(settings, study).embedding_flags(embedding)), "--device", settings.device],
        embeddings=results / "embeddings" / texts / item.model.path / item.step / item.selection,
        threads=settings.threads.score,
        folder=results / "placed",
    )


def mapped_by(
    chosen: str, shown: list[Evaluation], report: Report, settings: Settings, study: Study
) -> tuple[Evaluation, bool]:
    """Return the map of the recommended model and True; if there is none, that of the last model and False.

    Args:
        chosen: label of the recommended model.
        shown: the maps of the page.

    Raises InputError if all maps are of bags of words, which have no vectors for texts that they were not counted in.
    """
    encoders = [item for item in shown if not isinstance(settings.encoders[item.model.encoder], BagOfWords)]
    if not encoders:
        raise InputError(f"the map of '{report.corpus}' is of a bag of words; expected: a map of an encoder")
    for candidate in adapted.candidates(report, settings, study):
        for item in encoders:
            if candidate.line.label == chosen and (candidate.model, candidate.step) == (item.model, item.step):
                return item, True
    return encoders[-1], False
