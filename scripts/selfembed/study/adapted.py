"""The adapted model of a report: its run, its base model and its scores."""

from collections.abc import Iterator

from selfembed.settings.schema import Settings
from selfembed.study.checks import original, unknown, unknown_in
from selfembed.study.expansion import Evaluation, Study, base_of


def evaluations(settings: Settings, study: Study) -> list[Evaluation]:
    """Return the scores of the adapted model on corpora in the report's tables of differences, for all seeds."""
    report = settings.report
    return [
        item
        for item in in_tables(settings, study)
        if item.line.label == report.model and item.model.recipe and item.model.corpus == report.corpus
    ]


def in_tables(settings: Settings, study: Study) -> list[Evaluation]:
    """Return the scores on corpora, at the shown steps, of the report's tables of differences."""
    tables = [settings.tables[name] for name in settings.report.differences]
    found = [
        item
        for table in tables
        for item in study.experiments[table.experiment]
        if not table.steps or item.step in map(str, table.steps)
    ]
    return [item for item in dict.fromkeys(found) if item.score and item.on in settings.corpora]


def base_label(settings: Settings, study: Study) -> str | None:
    """Return the label of the base model of the adapted model; None if no table has it."""
    base = base_of(evaluations(settings, study)[0].model, settings).family
    return next((item.line.label for item in in_tables(settings, study) if item.model.family == base), None)


def scored_on(settings: Settings, study: Study) -> list[str]:
    """Return the corpora that the adapted model is scored on."""
    return list(dict.fromkeys(item.on for item in evaluations(settings, study)))


def cleaned(settings: Settings) -> str:
    """Return the corpus of the report or, if it is derived, the corpus that it is derived from."""
    return original(settings.report.corpus, settings)


def check(settings: Settings, study: Study) -> Iterator[str]:
    """Yield one line for every undefined or unsuitable name in `report`."""
    report = settings.report
    if report is None:
        return
    yield from unknown("report.corpus", report.corpus, "a corpus", settings.corpora)
    tables = {name: table for name, table in settings.tables.items() if table.lay_out == "differences"}
    yield from unknown_in("report.differences", report.differences, "a table of differences", tables)
    yield from unknown_in("report.figures", report.figures, "a figure", settings.figures)
    if report.corpus not in settings.corpora or not set(report.differences) <= set(tables):
        return
    found = evaluations(settings, study)
    if not found:
        tuned = dict.fromkeys(
            item.line.label
            for item in in_tables(settings, study)
            if item.model.recipe and item.model.corpus == report.corpus
        )
        yield (
            f"report.model: '{report.model}' is not a model fine-tuned on '{report.corpus}' in these tables; "
            f"expected: {', '.join(tuned) or 'another corpus or other tables'}"
        )
        return
    several = list(dict.fromkeys((f"models/{item.model.family}", f"step {item.step}") for item in found))
    if len(several) > 1:
        meant = " and ".join(", ".join(words) for words in several)
        yield f"report.model: '{report.model}' is the label of {meant} in these tables; expected: a label of one model"
        return
    for position, name in enumerate(report.differences):
        table = tables[name]
        shown = {item.line.label for item in study.experiments[table.experiment]}
        if report.model not in shown or (table.labels and report.model not in [*table.labels, table.against]):
            yield (
                f"report.differences.{position}: '{name}' does not compare '{report.model}'; "
                "expected: tables with it, as `against` or among `labels`"
            )
