"""Check that figures and tables average only over seeds, before any job starts.

The scripts that draw figures and lay out tables check the same of their data.
"""

from collections.abc import Iterator
from typing import Any

from selfembed.settings.figures import DifferencesTable, Panel, ScoreFigure
from selfembed.settings.schema import Settings
from selfembed.settings.scores import numbers
from selfembed.study.expansion import Evaluation, Study, format_value, selected

Row = dict[str, Any]


def check(settings: Settings, study: Study) -> Iterator[str]:
    """Yield one line for every figure and table that would average over anything but seeds."""
    for name, figure in settings.figures.items():
        for role, experiment in figure.experiments.items():
            panel = figure.panels[role]
            if panel.place:
                rows = [
                    row for row in rows_of(study.experiments[experiment], settings) if in_figure(row, figure, panel)
                ]
                for problem in averaged(rows, panel.place):
                    yield f"figures.{name}.{role}: '{experiment}' has {problem}"
    for name, table in settings.tables.items():
        if not table.place:
            continue
        rows = [row for row in rows_of(study.experiments[table.experiment], settings) if in_table(row, table)]
        if isinstance(table, DifferencesTable):
            rows = [row for row in rows if row["corpus"] in settings.corpora]
            yield from check_differences(f"tables.{name}", table, rows)
        for problem in averaged(rows, table.place):
            yield f"tables.{name}.experiment: '{table.experiment}' has {problem}"


def check_differences(key: str, table: DifferencesTable, rows: list[Row]) -> Iterator[str]:
    """Check that the labels of a table of differences have scores of their last layer on corpora."""
    labels = list(dict.fromkeys(row["label"] for row in rows))
    for where, label in [("against", table.against), *((f"labels.{i}", name) for i, name in enumerate(table.labels))]:
        if label not in labels:
            yield (
                f"{key}.{where}: '{label}' is not a label with a score of its last layer on a corpus; "
                f"expected: {', '.join(labels) or 'another experiment'}"
            )
    if labels == [table.against]:
        yield f"{key}.experiment: '{table.experiment}' scores only '{table.against}'; expected: at least two labels"


def rows_of(evaluations: list[Evaluation], settings: Settings) -> Iterator[Row]:
    """Yield the identifying columns of every score in an experiment's table."""
    for item in evaluations:
        encoder = settings.encoders[item.model.encoder]
        poolings, layers = selected(item.selection, encoder.layers)
        row = {"label": item.line.label, "series": item.line.series, "x": item.line.x, "corpus": item.on}
        row |= {"encoder": item.model.encoder, "tuned": item.model.recipe is not None, "model": item.model.path}
        row |= {"step": item.step, "last_layer": encoder.layers}
        if item.score in settings.scores:
            names = list(numbers(item.score, settings.scores[item.score]))
        else:
            names = [item.score] if item.score else []  # a task or a map
        for score in names:
            for pooling in poolings:
                for layer in layers:
                    yield row | {"score": score, "pooling": pooling, "layer": layer}


def in_figure(row: Row, figure, panel: Panel) -> bool:
    """Whether a panel of a figure shows the score of a row."""
    if isinstance(figure, ScoreFigure):
        score, poolings = figure.score, (figure.pooling, "none")
    else:
        score, poolings = panel.score or row["score"], (panel.pooling or row["pooling"],)
    return (
        (panel.all_layers or is_last(row))
        and row["score"] == score
        and row["pooling"] in poolings
        and (panel.numeric is None or is_number(row[panel.numeric]))
    )


def is_number(value: object) -> bool:
    """Whether a step or a swept value is a number."""
    return value.isdigit() if isinstance(value, str) else isinstance(value, int | float)


def in_table(row: Row, table) -> bool:
    """Whether a table shows the score of a row."""
    return is_last(row) and all(row[column] in values for column, values in table.shown.items() if values)


def is_last(row: Row) -> bool:
    """Whether a row has a score of the last layer."""
    return row["layer"] == row["last_layer"]


def averaged(rows: list[Row], place: tuple[str, ...]) -> Iterator[str]:
    """Yield the first difference, except for seeds, between scores with the same values in the columns `place`."""
    first: dict[tuple[str, ...], Row] = {}
    seen = set()
    for row in rows:
        values = tuple(format_value(row[column]) for column in place)
        where = f"in one place ({', '.join(map(' '.join, zip(place, values, strict=True)))})"
        other = first.setdefault(values, row)
        for column in ("label", "corpus", "score", "step", "layer", "pooling"):
            if row[column] != other[column]:
                yield f"{column} {other[column]!r} and {row[column]!r} {where}; expected: one {column}"
                return
        if (values, row["model"]) in seen:
            yield f"model {row['model']!r} twice {where}; expected: once (two entries differ only in group or poolings)"
            return
        seen.add((values, row["model"]))
