"""Claims as plain data for the script that decides them, and their checks."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from selfembed.settings.claims import Point
from selfembed.settings.schema import Settings
from selfembed.study.checks.figures import not_fractions
from selfembed.study.checks.names import unknown, unknown_in
from selfembed.study.expansion import Evaluation, Study, format_value
from selfembed.study.places import Row, rows_of

LEAST_LAYERS = 3  # a line fits two points exactly


def described(settings: Settings, study: Study) -> list[dict[str, Any]]:
    """Return every claim as plain data: its texts and comparisons."""
    return [
        {
            "name": name,
            "sentence": claim.sentence,
            "paper": claim.paper,
            "evidence": [part for comparison in claim.evidence for part in comparisons(comparison, settings, study)],
        }
        for name, claim in settings.claims.items()
    ]


def comparisons(comparison, settings: Settings, study: Study) -> list[dict[str, Any]]:
    """Return a comparison as plain data; an order of models becomes one difference for each two neighbours."""
    on = places(comparison, settings, study)
    on_tasks = comparison.score == "mteb"
    shared = {
        "compare": comparison.compare,
        "experiment": comparison.experiment,
        "score": comparison.score,
        "pooling": comparison.pooling,
        "averaged": comparison.averaged,
        "limit": dict(zip(("kind", "value"), comparison.limit, strict=True)),
        "corpora": [] if on_tasks else on,
        "tasks": {name: settings.tasks[name].block for name in on} if on_tasks else {},
    }
    points = [score_of(point, comparison, on, settings, study) for point in comparison.points]
    if comparison.compare == "difference":
        return [shared | {"points": list(pair)} for pair in pairwise(points)]
    return [shared | {"points": points}]


def score_of(point: Point, comparison, on: list[str], settings: Settings, study: Study) -> dict[str, Any]:
    """Return the columns that identify a point in tables: series, swept value, step and layers."""
    rows = [row for _, row in matches(point, comparison, settings, study) if row["corpus"] in on]
    first = rows[0]
    return {
        "label": first["label"],
        "series": first["series"],
        "x": None if first["x"] is None else format_value(first["x"]),
        "step": first["step"],
        "layers": sorted({row["layer"] for row in rows}),
        "last_layer": first["last_layer"],
    }


def needed(settings: Settings, study: Study) -> dict[str, list[Evaluation]]:
    """Return the evaluations that claims need, without duplicates, by experiment."""
    found: dict[str, dict[Evaluation, None]] = {}
    for claim in settings.claims.values():
        for comparison in claim.evidence:
            on = places(comparison, settings, study)
            for point in comparison.points:
                items = [item for item, row in matches(point, comparison, settings, study) if row["corpus"] in on]
                found.setdefault(comparison.experiment, {}).update(dict.fromkeys(items))
    return {experiment: list(items) for experiment, items in found.items()}


def places(comparison, settings: Settings, study: Study) -> list[str]:
    """Return the corpora or tasks on which all points of a comparison have scores, in the experiment's order."""
    experiment = settings.experiments[comparison.experiment]
    possible = experiment.tasks if comparison.score == "mteb" else comparison.corpora or experiment.corpora
    scored = [{row["corpus"] for _, row in matches(point, comparison, settings, study)} for point in comparison.points]
    return [name for name in possible if all(name in found for found in scored)]


def matches(point: Point, comparison, settings: Settings, study: Study) -> list[tuple[Evaluation, Row]]:
    """Return the evaluations and scores of a point on all corpora or tasks, for all seeds."""
    found = []
    for item in study.experiments[comparison.experiment]:
        if item.line.label != point.label or (point.step is not None and item.step != str(point.step)):
            continue
        for row in rows_of([item], settings):
            if row["score"] != comparison.score or row["pooling"] not in (comparison.pooling, "none"):
                continue
            layer = row["last_layer"] if point.layer is None else point.layer
            if comparison.compare == "trend" or row["layer"] == layer:
                found.append((item, row))
    return found


def check(settings: Settings, study: Study) -> Iterator[str]:
    """Yield one line for every undefined name in `claims` and every point with no score or several scores."""
    for name, claim in settings.claims.items():
        for position, comparison in enumerate(claim.evidence):
            yield from check_comparison(f"claims.{name}.evidence.{position}", comparison, settings, study)


def check_comparison(key: str, comparison, settings: Settings, study: Study) -> Iterator[str]:
    """Check that every point of a comparison has exactly one score on every corpus."""
    if comparison.experiment not in settings.experiments:
        yield from unknown(f"{key}.experiment", comparison.experiment, "an experiment", settings.experiments)
        return
    experiment = settings.experiments[comparison.experiment]
    if comparison.score in not_fractions(experiment, settings):
        yield f"{key}.score: '{comparison.score}' is not a fraction of 1; expected: a score in per cent"
    evaluations = study.experiments[comparison.experiment]
    labels = list(dict.fromkeys(item.line.label for item in evaluations))
    scores = list(dict.fromkeys(row["score"] for row in rows_of(evaluations, settings)))
    wrong = [line for point in comparison.points for line in unknown(key, point.label, "a label", labels)]
    wrong += unknown(f"{key}.score", comparison.score, "a score of the experiment", scores)
    wrong += unknown_in(f"{key}.corpora", comparison.corpora or [], "a corpus of the experiment", experiment.corpora)
    yield from dict.fromkeys(wrong)
    if wrong:
        return
    for point in comparison.points:
        found = matches(point, comparison, settings, study)
        if not found:
            of_label = [item for item in evaluations if item.line.label == point.label]
            steps = ", ".join(dict.fromkeys(item.step for item in of_label))
            yield (
                f"{key}: '{point.label}' has no score ({comparison.score}, {comparison.pooling}"
                f"{'' if point.step is None else f', step {point.step}'}"
                f"{'' if point.layer is None else f', layer {point.layer}'}); steps of this label: {steps}"
            )
            return
        steps = list(dict.fromkeys(item.step for item, _ in found))
        if len(steps) > 1:
            yield f"{key}: '{point.label}' has the steps {', '.join(steps)}; expected: a label with one `step`"
            return
        if comparison.compare == "trend" and len({row["layer"] for _, row in found}) < LEAST_LAYERS:
            yield f"{key}.model: '{point.label}' has fewer than {LEAST_LAYERS} scored layers; expected: layers: all"
    on = places(comparison, settings, study)
    if not on:
        yield f"{key}: these models have no corpus or task in common; expected: models scored on the same corpora"
    for position, corpus in enumerate(comparison.corpora or []):
        if on and corpus not in on:
            allowed = ", ".join(on)
            yield f"{key}.corpora.{position}: not all of these models are scored on '{corpus}'; expected: {allowed}"
