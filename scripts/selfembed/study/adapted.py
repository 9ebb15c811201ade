"""The candidates of a report, and their scores."""

from collections.abc import Iterator

from selfembed.scores import measures
from selfembed.settings.encoders import BesideWordCounts
from selfembed.settings.report import Report
from selfembed.settings.schema import Settings
from selfembed.study.checks.names import unknown, unknown_in
from selfembed.study.expansion import Evaluation, Study

# What the score of an experiment is about, by purpose.
ABOUT = {"search": ("found texts", "found crops"), "grouping": ("labels",)}


def evaluations(report: Report, settings: Settings, study: Study) -> dict[str, list[Evaluation]]:
    """Return the scores on corpora of the report's experiments, by purpose."""
    return {
        purpose: [item for item in study.experiments[name] if item.score and item.on in settings.corpora]
        for purpose, name in report.evidence.items()
    }


def candidates(report: Report, settings: Settings, study: Study) -> list[Evaluation]:
    """Return an evaluation of every candidate and of the encoder that is kept otherwise; of the first seed each.

    Candidates are the models made for the corpus, by fine-tuning or with word counts, that all experiments have.
    """
    found: dict[str, Evaluation] = {}
    scored = evaluations(report, settings, study).values()
    for items in scored:
        for item in items:
            if is_made_for(report.corpus, item, settings) or item.line.label == report.keep:
                found.setdefault(item.line.label, item)
    everywhere = set.intersection(*({item.line.label for item in items} for items in scored))
    return [item for label, item in found.items() if label in everywhere]


def is_made_for(corpus: str, item: Evaluation, settings: Settings) -> bool:
    """Whether a model is fine-tuned on a corpus, or an encoder beside its word counts."""
    encoder = settings.encoders[item.model.encoder]
    counted = isinstance(encoder, BesideWordCounts) and encoder.corpus == corpus
    return item.model.corpus == corpus if item.model.recipe else counted


def scored_on(report: Report, settings: Settings, study: Study) -> list[str]:
    """Return the corpora that candidates are scored on."""
    return list(dict.fromkeys(item.on for items in evaluations(report, settings, study).values() for item in items))


def check(settings: Settings, study: Study) -> Iterator[str]:
    """Yield one line for every undefined or unsuitable name in `report`."""
    report = settings.report
    if report is None:
        return
    if not report.evidence:
        yield "report: neither search nor grouping; expected: an experiment for one or both"
        return
    yield from unknown("report.corpus", report.corpus, "a corpus", settings.corpora)
    for purpose, name in report.evidence.items():
        yield from unknown(f"report.{purpose}", name, "an experiment", settings.experiments)
    yield from unknown_in("report.figures", report.figures, "a figure", settings.figures)
    if report.corpus not in settings.corpora or not set(report.evidence.values()) <= set(settings.experiments):
        return
    for purpose, name in report.evidence.items():
        scores = [settings.scores[score] for score in settings.experiments[name].scores]
        found = {measures.MEASURES[measure].about for score in scores for measure in score.headings}
        if not found & set(ABOUT[purpose]):
            expected = {"search": "title_pairs or crop_pairs", "grouping": "knn or linear"}[purpose]
            yield f"report.{purpose}: '{name}' has no such score; expected: an experiment with {expected}"
    labels = {
        purpose: {item.line.label for item in items}
        for purpose, items in evaluations(report, settings, study).items()
        if items
    }
    for purpose, found in labels.items():
        if report.keep not in found:
            expected = ", ".join(sorted(found))
            yield f"report.keep: '{report.keep}' is not in '{report.evidence[purpose]}'; expected: {expected}"
    found = candidates(report, settings, study)
    if len(labels) < len(report.evidence) or any(report.keep not in found for found in labels.values()):
        return
    kept = next(item for item in found if item.line.label == report.keep)
    if kept.model.recipe is not None or is_made_for(report.corpus, kept, settings):
        yield f"report.keep: '{report.keep}' is made for the corpus; expected: the label of an encoder as it came"
    if len(found) < 2:
        yield (
            f"report: no model made for '{report.corpus}' is in {' and '.join(report.evidence.values())}; "
            "expected: at least one candidate"
        )
