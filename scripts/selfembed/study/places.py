"""Figures and tables show one number in every place, averaged over seeds alone: told before any job starts.

The scripts that draw and lay out check the same of the numbers that they read.
"""

from collections.abc import Iterator

from selfembed.settings.encoders import BAGS_OF_WORDS
from selfembed.settings.figures import ScoreFigure
from selfembed.settings.schema import Settings
from selfembed.settings.scores import score_names
from selfembed.study.expansion import Evaluation, Study, selected, spelled

# Columns of an experiment's table whose values together are a place, by kind of figure or role of an experiment.
PLACES = {
    "comparison": ("label", "corpus"),
    "layers": ("label", "corpus", "layer"),
    "benchmark_steps": ("corpus", "step"),
    "maps": ("series", "corpus"),
    "adaptation": ("series", "step"),
    "before_after": ("encoder", "tuned"),
}
PLACES_OF_ROLES = {
    "freezing": ("series", "x"),
    "layers": ("series", "layer"),
    "benchmark": ("series", "corpus", "layer"),
    "temperature": ("series", "x"),
    "sentences": ("series", "x"),
    "masking": ("series", "x"),
    "learning_rate": ("series", "x"),
}
WITHOUT_SCORES = ("losses", "interactive_map")
OVER_X = ("freezing", "temperature", "sentences", "masking", "learning_rate")
BY_LAYER = ("layers", "benchmark", "benchmark_steps")  # all others show the last layer

Row = dict[str, object]


def check(settings: Settings, study: Study) -> Iterator[str]:
    """Yield one line for every figure and table that would average over more than seeds."""
    for name, figure in settings.figures.items():
        for role, experiment in figure.experiments.items() if figure.draw not in WITHOUT_SCORES else ():
            kind, places = (figure.draw, PLACES) if role == "experiment" else (role, PLACES_OF_ROLES)
            rows = [row for row in rows_of(study.experiments[experiment], settings) if in_figure(row, figure, kind)]
            for problem in averaged(rows, places[kind]):
                yield f"figures.{name}.{role}: '{experiment}' has {problem}"
    for name, table in settings.tables.items():
        if table.lay_out == "scores":
            rows = [row for row in rows_of(study.experiments[table.experiment], settings) if in_table(row, table)]
            for problem in averaged(rows, (table.rows, table.columns)):
                yield f"tables.{name}.experiment: '{table.experiment}' has {problem}"
        elif table.lay_out == "differences":
            yield from check_differences(f"tables.{name}", table, study.experiments[table.experiment], settings)


def check_differences(key: str, table, evaluations: list[Evaluation], settings: Settings) -> Iterator[str]:
    """The labels of a table of differences have scores of their last layer on corpora, each one number per seed."""
    rows = [row for row in rows_of(evaluations, settings) if row["corpus"] in settings.corpora and in_table(row, table)]
    labels = list(dict.fromkeys(row["label"] for row in rows))
    for where, label in [("against", table.against), *((f"labels.{i}", name) for i, name in enumerate(table.labels))]:
        if label not in labels:
            yield (
                f"{key}.{where}: '{label}' is no label with such a score of its last layer on a corpus; "
                f"allowed: {', '.join(labels) or 'none in this experiment'}"
            )
    if labels == [table.against]:
        yield f"{key}.experiment: '{table.experiment}' scores '{table.against}' alone; allowed: two labels or more"
    for problem in averaged(rows, ("label", "corpus", "score")):
        yield f"{key}.experiment: '{table.experiment}' has {problem}"


def rows_of(evaluations: list[Evaluation], settings: Settings) -> Iterator[Row]:
    """What will identify every score in an experiment's table."""
    for item in evaluations:
        encoder = settings.encoders[item.model.encoder]
        last_layer = 0 if isinstance(encoder, BAGS_OF_WORDS) else encoder.layers
        poolings, layers = selected(item.selection, last_layer)
        row = {"label": item.line.label, "series": item.line.series, "x": item.line.x, "corpus": item.on}
        row |= {"encoder": item.model.encoder, "tuned": item.model.recipe is not None, "model": item.model.path}
        row |= {"step": item.step, "last_layer": last_layer}
        for score in names_of(item.score, settings):
            for pooling in poolings:
                for layer in layers:
                    yield row | {"score": score, "pooling": pooling, "layer": layer}


def names_of(score: str | None, settings: Settings) -> list[str]:
    """What tables call the numbers of a score on corpora, or on tasks; none of no score."""
    if score is None:
        return []
    return score_names(score, settings.scores[score]) if score in settings.scores else [score]


def in_figure(row: Row, figure, kind: str) -> bool:
    """Whether a figure, or a panel of it, shows a score."""
    score, poolings = getattr(figure, "score", row["score"]), [row["pooling"]]
    match figure.draw:
        case "benchmark_steps":
            score = "mteb"
        case "depth":
            poolings = ["mean"]
        case "adaptation" if not row["step"].isdigit():
            return False
    if isinstance(figure, ScoreFigure):
        poolings = [figure.pooling, "none"]
    if kind in OVER_X and not isinstance(row["x"], int | float):
        return False
    return (kind in BY_LAYER or is_last(row)) and row["score"] == score and row["pooling"] in poolings


def in_table(row: Row, table) -> bool:
    """Whether a table shows a score."""
    allowed = {"score": table.scores, "step": list(map(str, table.steps))}
    allowed |= {"series": table.series} if table.lay_out == "scores" else {}
    poolings = table.poolings if table.lay_out == "scores" else [table.pooling]
    return (
        is_last(row)
        and row["pooling"] in (*poolings, "none")
        and all(row[column] in values for column, values in allowed.items() if values)
    )


def is_last(row: Row) -> bool:
    """Whether a score is of its model's last layer."""
    return row["layer"] == row["last_layer"]


def averaged(rows: list[Row], place: tuple[str, ...]) -> Iterator[str]:
    """What differs between scores in one place, besides seeds; at most one problem is told."""
    first: dict[tuple[str, ...], Row] = {}
    seen = set()
    for row in rows:
        values = tuple(spelled(row[column]) for column in place)
        where = f"in one place ({', '.join(map(' '.join, zip(place, values, strict=True)))})"
        other = first.setdefault(values, row)
        for column in ("label", "corpus", "score", "step", "layer", "pooling"):
            if row[column] != other[column]:
                yield f"{column} {other[column]!r} and {row[column]!r} {where}; allowed: one {column}"
                return
        if (values, row["model"]) in seen:
            yield f"model {row['model']!r} twice {where}; allowed: once (two entries differ in group or poolings alone)"
            return
        seen.add((values, row["model"]))
