"""The two models of a finished study that are compared by hand, and the texts."""

from dataclasses import dataclass
from pathlib import Path

from selfembed.errors import InputError
from selfembed.evidence import choice
from selfembed.study import adapted, expansion, files


@dataclass(frozen=True)
class Compared:
    """The labels and folders of the encoder as it came and of the best candidate; a prepared corpus (Parquet)."""

    name: str
    device: str
    corpus: Path
    before: str
    after: str
    before_folder: Path
    after_folder: Path


def read(config: Path) -> Compared:
    """Find the models that a finished study compares; the candidate is the recommended one unless the encoder is kept.

    Raises InputError if the config has no report, no candidate had a gain, or a result is missing or damaged.
    """
    settings, report = files.read_with_report(config)
    results = Path("results", settings.folder)
    chosen_file = files.finished(results / "choice.json", config)
    chosen = choice.read(chosen_file)
    if chosen.best is None:
        raise InputError(f"{chosen_file}: no model was better than '{chosen.keep}'; expected: one to compare it with")
    items = {item.line.label: item for item in adapted.candidates(report, settings, expansion.expand(settings))}
    for label in (chosen.keep, chosen.best):
        if label not in items:
            raise InputError(f"{chosen_file}: '{label}' is not a model of {config}; expected: {', '.join(items)}")
    before, after = (
        results / "models" / items[label].model.path / str(items[label].step) for label in (chosen.keep, chosen.best)
    )
    return Compared(
        name=settings.folder or config.stem,
        device=settings.device,
        corpus=files.finished(results / "corpora" / f"{report.corpus}.parquet", config),
        before=chosen.keep,
        after=chosen.best,
        before_folder=files.finished(before, config),
        # With `keep: results`, the models of runs are removed, but not the recommended one.
        after_folder=files.finished(after if chosen.is_kept else results / "adapted_model", config),
    )
