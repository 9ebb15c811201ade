"""Checks of encoders, and of tasks made from a corpus."""

from collections.abc import Iterator

from selfembed.settings.encoders import (
    BesideWordCounts,
    BorrowedTokenizer,
    EmbeddingsOnly,
    FetchedEncoder,
    RandomEncoder,
    TrainedTokenizer,
)
from selfembed.settings.schema import Settings
from selfembed.settings.scores import LocalTask
from selfembed.study.checks.names import labelled, names_column, unknown


def check_encoder(key: str, encoder, settings: Settings) -> Iterator[str]:
    """Check references to other encoders and to the corpus of a tokenizer."""
    pretrained, owners = (
        [name for name, other in settings.encoders.items() if isinstance(other, kinds)]
        for kinds in (FetchedEncoder, (FetchedEncoder, RandomEncoder))
    )
    if isinstance(encoder, EmbeddingsOnly):
        yield from unknown(f"{key}.of", encoder.of, "a pretrained or random encoder", owners)
    elif isinstance(encoder, BesideWordCounts):
        yield from unknown(f"{key}.of", encoder.of, "a pretrained encoder", pretrained)
        yield from unknown(f"{key}.corpus", encoder.corpus, "a corpus", settings.corpora)
    elif isinstance(encoder, RandomEncoder):
        match encoder.tokenizer:
            case TrainedTokenizer(train_on=corpus):
                yield from unknown(f"{key}.tokenizer.train_on", corpus, "a corpus", settings.corpora)
            case BorrowedTokenizer(borrow_from=lender):
                yield from unknown(f"{key}.tokenizer.borrow_from", lender, "a pretrained encoder", pretrained)


def with_own_modules(settings: Settings) -> set[str]:
    """Return the encoders that an entry scores or trains with their own modules."""
    entries = [(entry, experiment) for experiment in settings.experiments.values() for entry in experiment.models]
    return {
        entry.encoder
        for entry, experiment in entries
        if "own" in (entry.poolings or experiment.poolings)
        or (entry.recipe in settings.recipes and settings.recipes[entry.recipe].pooling == "own")
    }


def check_local_task(key: str, task: LocalTask, settings: Settings) -> Iterator[str]:
    """Check that the corpus of a task has labels and, for retrieval, titles."""
    if task.corpus is None:
        return
    yield from unknown(f"{key}.corpus", task.corpus, "a corpus", settings.corpora)
    if task.corpus not in settings.corpora:
        return
    if not labelled(task.corpus, settings):
        yield f"{key}.corpus: '{task.corpus}' has no labels; expected: a corpus with labels"
    if task.type == "retrieval" and not names_column(task.corpus, "title", settings):
        yield f"{key}.corpus: '{task.corpus}' has no titles, which retrieval needs; expected: a corpus with titles"
