"""Texts of a new file, cleaned as those of the corpus."""

from pathlib import Path

import pandas as pd

from selfembed.errors import InputError, reword_errors
from selfembed.jobs import seals
from selfembed.jobs.command_line import log
from selfembed.settings.corpora import Corpus, FolderSource, HubSource
from selfembed.texts import columns, corpora, sources
from selfembed.texts.file_formats import format_of


def read(path: Path, corpus: Corpus, text: str | None) -> pd.DataFrame:
    """Read a file, or a folder of text files, and clean its texts as those of a corpus; identical ones are one.

    The columns are those of the corpus, where the file has them; otherwise the column of texts is detected.

    Args:
        text: column of texts, if it has another name.

    Raises InputError if there are no texts, or the column of texts is missing or ambiguous.
    """
    if not path.exists():
        raise InputError(f"{path}: does not exist; expected: a file or a folder with texts")
    table = of_folder(path, corpus) if path.is_dir() else of_file(path, corpus, text)
    seals.opened(path)
    cleaning = corpus.model_dump(include={"minimum_length"}) | {"sentences": "paper", "drop_repeated": None}
    known = corpus.source.columns.unlabelled
    with reword_errors(path, InputError):
        found, counts = corpora.prepare(table, unlabelled=known, minimum_label_count=1, deduplicate=True, **cleaning)
    log.info("%s: %s", path, corpora.summary({key: counts[key] for key in ("read", "empty", "too short", "duplicate")}))
    return found


def of_folder(path: Path, corpus: Corpus) -> pd.DataFrame:
    """Return the texts of a folder; its subfolders are labels if those of the corpus are."""
    label = corpus.source.label if isinstance(corpus.source, FolderSource) else None
    return sources.look_at(path, sources.ColumnNames(label=label))[1]


def of_file(path: Path, corpus: Corpus, text: str | None) -> pd.DataFrame:
    """Return the texts of a file."""
    notes: list[str] = []
    _, raw = sources.read_file(path, format_of(path), None, notes)
    if raw.empty:
        raise InputError(f"{path}: no rows; expected: one text per row")
    named = corpus.source if isinstance(corpus.source, HubSource) else corpus.source.columns
    known = {key: getattr(named, key, None) for key in ("text", "label", "title")}
    # The id of a data set on the Hub is the name of its repository.
    known["id"] = None if isinstance(corpus.source, HubSource) else named.id
    present = {key: column if column in raw.columns else None for key, column in known.items()}
    present["text"] = text or present["text"] or columns.find_text(raw, path)
    for note in [*notes, f"texts are in column '{present['text']}'"]:
        log.info("%s", note)
    return corpora.columns_of(raw, path, present)
