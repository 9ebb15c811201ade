"""Checks of figures and tables: experiments that compute what they show."""

from collections.abc import Iterator

from selfembed.scores import measures
from selfembed.settings.encoders import BagOfWords
from selfembed.settings.figures import (
    ClassesFigure,
    ComparisonFigure,
    CorporaTable,
    InteractiveMapFigure,
    Panel,
    ScoreFigure,
    ScoresTable,
)
from selfembed.settings.schema import Settings
from selfembed.study.checks.names import labelled, unknown, unknown_in

# Requirements of panels: a test of an experiment, and the message after the key of the figure if it fails.
NEEDS = {
    "corpora": (
        lambda experiment: experiment.corpora,
        "{role}: '{name}' has no corpora; expected: an experiment with a corpus",
    ),
    "tasks": (lambda experiment: experiment.tasks, "{role}: '{name}' has no tasks; expected: an experiment with tasks"),
    "layers": (
        lambda experiment: experiment.layers != "last",
        "{role}: '{name}' scores only the last layer; expected: an experiment with layers: all, or several",
    ),
    "maps": (
        lambda experiment: experiment.maps,
        "{role}: '{name}' computes no maps; expected: an experiment with maps: true",
    ),
    "runs": (
        lambda experiment: any(entry.recipe for entry in experiment.models),
        "draw: experiment '{name}' fine-tunes nothing; expected: comparison, layers",
    ),
}


def check_figure(key: str, figure, settings: Settings) -> Iterator[str]:
    """Check that the experiments of a figure compute what it shows."""
    if isinstance(figure, ClassesFigure):
        yield from unknown_in(f"{key}.corpora", figure.corpora, "a corpus", settings.corpora)
        for position, name in enumerate(figure.corpora):
            if name in settings.corpora and not labelled(name, settings):
                yield f"{key}.corpora.{position}: '{name}' has no labels; expected: corpora with labels"
    for role, name in figure.experiments.items():
        yield from unknown(f"{key}.{role}", name, "an experiment", settings.experiments)
        if name in settings.experiments:
            yield from check_panel(key, role, name, figure.panels[role], settings)
    if isinstance(figure, ScoreFigure) and figure.score and figure.experiment in settings.experiments:
        yield from check_score(key, figure, settings.experiments[figure.experiment], settings)


def check_panel(key: str, role: str, name: str, panel: Panel, settings: Settings) -> Iterator[str]:
    """Check that an experiment meets the requirements of a panel."""
    experiment = settings.experiments[name]
    swept = {next(iter(entry.sweep)) for entry in experiment.models if entry.sweep}
    if panel.swept and swept != {panel.swept}:
        found = ", ".join(sorted(swept)) or "nothing"
        yield f"{key}.{role}: '{name}' sweeps {found}; expected: an experiment that sweeps {panel.swept}"
    for need in panel.needs:
        has, message = NEEDS[need]
        if not has(experiment):
            yield f"{key}.{message.format(role=role, name=name)}"
    if panel.pooling and panel.pooling not in scored_poolings(experiment, settings):
        yield f"{key}.{role}: '{name}' has no pooling '{panel.pooling}'; expected: an experiment with this pooling"


def check_score(key: str, figure: ScoreFigure, experiment, settings: Settings) -> Iterator[str]:
    """Check that an experiment computes the score of a figure with its pooling."""
    computed, others = settings.numbers(experiment), not_fractions(experiment, settings)
    if figure.score in others:
        shown = ", ".join(name for name in computed if name not in others)
        yield f"{key}.score: '{figure.score}' is not a fraction of 1, which figures show in per cent; expected: {shown}"
    if figure.score not in computed:
        yield (
            f"{key}.score: '{figure.score}' is not computed by '{figure.experiment}'; "
            f"expected: {', '.join(computed) or 'another experiment'}"
        )
    if isinstance(figure, ComparisonFigure) and isinstance(experiment.layers, list):
        for name in dict.fromkeys(entry.encoder for entry in experiment.models):
            last = settings.encoders[name].layers if name in settings.encoders else 0
            if max(experiment.layers) < last:
                yield (
                    f"{key}.draw: 'comparison' shows layer {last} of '{name}', which is not scored; "
                    "expected: layers, losses"
                )
    scored = scored_poolings(experiment, settings)
    if scored and figure.pooling not in scored:
        yield f"{key}.pooling: '{figure.pooling}' is not scored by '{figure.experiment}'; expected: {', '.join(scored)}"


def check_pages(settings: Settings) -> Iterator[str]:
    """Check that a corpus has at most one interactive map, whose file is named after it."""
    owners: dict[str, str] = {}
    for name, figure in settings.figures.items():
        if isinstance(figure, InteractiveMapFigure) and figure.experiment in settings.experiments:
            for corpus in settings.experiments[figure.experiment].corpora:
                owner = owners.setdefault(corpus, name)
                if owner != name:
                    yield (
                        f"figures.{name}.experiment: '{corpus}' already has a map, figure '{owner}'; "
                        "expected: one interactive map per corpus"
                    )


def not_fractions(experiment, settings: Settings) -> set[str]:
    """Return the scores of an experiment that are not fractions of 1."""
    return {
        name for name, number in settings.numbers(experiment).items() if not measures.MEASURES[number.measure].fraction
    }


def check_table(key: str, table, settings: Settings) -> Iterator[str]:
    """Check the names in a table, that its axes differ, and that means have corpora to be over."""
    if isinstance(table, CorporaTable):
        yield from unknown_in(f"{key}.corpora", table.corpora, "a corpus", settings.corpora)
        return
    yield from unknown(f"{key}.experiment", table.experiment, "an experiment", settings.experiments)
    if table.experiment in settings.experiments:
        computed = settings.numbers(settings.experiments[table.experiment])
        yield from unknown_in(f"{key}.scores", table.scores, "a score of this experiment", computed)
    if isinstance(table, ScoresTable) and table.rows == table.columns:
        yield f"{key}.columns: '{table.columns}' is already in the rows; expected: another axis"
    if isinstance(table, ScoresTable) and table.means and "corpus" not in table.place:
        yield f"{key}.means: no corpora in rows or columns; expected: means: false"


def scored_poolings(experiment, settings: Settings) -> list[str]:
    """Return the poolings that entries of an experiment are scored with; empty if all are bags of words."""
    found = {}
    for entry in experiment.models:
        if not isinstance(settings.encoders.get(entry.encoder), BagOfWords):
            found |= dict.fromkeys(entry.poolings or experiment.poolings)
    return list(found)
