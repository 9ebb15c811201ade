"""Checks of corpora that are derived from others, and of expected sizes."""

from collections.abc import Iterator

from selfembed.settings.corpora import DerivedSource, RelabelledSource, SampleSource, TitlesSource
from selfembed.settings.schema import Settings
from selfembed.study.checks.names import labelled, names_column, unknown


def check_derived(key: str, corpus, settings: Settings) -> Iterator[str]:
    """Check that the source of a derived corpus is suitable and that cleaning is not configured again."""
    originals = [name for name, other in settings.corpora.items() if not isinstance(other.source, DerivedSource)]
    if corpus.source.pairs_score:
        samples = [name for name, other in settings.corpora.items() if isinstance(other.source, SampleSource)]
        kind, allowed = "a corpus with its own source, or a sample", originals + samples
    else:
        kind, allowed = "a corpus with its own source", originals
    yield from unknown(f"{key}.source.corpus", corpus.source.corpus, kind, allowed)
    for name in ("minimum_length", "minimum_label_count", "deduplicate", "sentences", "drop_repeated"):
        if name in corpus.model_fields_set:
            yield f"{key}.{name}: '{corpus.source.corpus}' is already cleaned; remove this key"
    if (
        isinstance(corpus.source, RelabelledSource)
        and corpus.source.corpus in originals
        and not labelled(corpus.source.corpus, settings)
    ):
        yield f"{key}.source.corpus: '{corpus.source.corpus}' has no labels; expected: a corpus with labels"
    if isinstance(corpus.source, TitlesSource) and not names_column(corpus.source.corpus, "title", settings):
        yield f"{key}.source.corpus: '{corpus.source.corpus}' has no titles; expected: a corpus with titles"
    other = settings.corpora.get(corpus.source.corpus)
    most = other.expect.rows if other and other.expect else None
    if isinstance(corpus.source, SampleSource) and most is not None and corpus.source.size > most:
        expected = f"corpora.{corpus.source.corpus}.expect.rows"
        yield f"{key}.source.size: {corpus.source.size}, but {expected} is {most}; expected: at most {most}"


def check_expected(name: str, corpus, settings: Settings) -> Iterator[str]:
    """Check that expected sizes agree with the source and with those of the corpus it is derived from."""
    key, expect, source = f"corpora.{name}.expect", corpus.expect, corpus.source
    if (expect.labelled or expect.classes) and not labelled(name, settings):
        yield f"{key}: '{name}' has no labels; expected: only rows"
    if isinstance(source, SampleSource) and expect.rows not in (None, source.size):
        yield f"{key}.rows: {expect.rows} is not the sample's size; expected: {source.size}"
    other = settings.corpora.get(source.corpus) if isinstance(source, RelabelledSource | SampleSource) else None
    if other is None or other.expect is None:
        return
    for number in ("rows", "labelled", "classes"):
        found, most = getattr(expect, number), getattr(other.expect, number)
        if found is None or most is None or (isinstance(source, SampleSource) and number == "rows"):
            continue  # checked against its size
        kept = isinstance(source, RelabelledSource) and number != "classes"  # only labels differ
        if found > most or (kept and found != most):
            allowed = most if kept else f"at most {most}"
            yield f"{key}.{number}: {found}, but corpora.{source.corpus}.expect.{number} is {most}; expected: {allowed}"
