"""References to names in a config, and facts of a corpus that hold for those derived from it."""

from collections.abc import Iterable, Iterator

from selfembed.settings.corpora import DerivedSource, OwnSource
from selfembed.settings.schema import Settings
from selfembed.study.messages import did_you_mean


def unknown(key: str, name: str, kind: str, known: Iterable[str]) -> Iterator[str]:
    """Yield one line if `name` is not a known name."""
    known = list(known)
    if name not in known:
        allowed = ", ".join(known) or "none is defined"
        yield f"{key}: '{name}' is not {kind}; expected: {allowed}{did_you_mean(name, known)}"


def unknown_in(key: str, names: Iterable[str], kind: str, known: Iterable[str]) -> Iterator[str]:
    """Yield one line for each name in the list at `key` that is not a known name."""
    for position, name in enumerate(names):
        yield from unknown(f"{key}.{position}", name, kind, known)


def original(name: str, settings: Settings) -> str:
    """Return the corpus that a corpus is derived from, directly or indirectly; itself if it is not derived."""
    for _ in settings.corpora:  # an invalid config may have a cycle
        if name not in settings.corpora or not isinstance(settings.corpora[name].source, DerivedSource):
            break
        name = settings.corpora[name].source.corpus
    return name


def own_source(name: str, settings: Settings) -> OwnSource | None:
    """Return the source of a corpus or, if it is derived, of the corpus that it is derived from; None without one."""
    found = settings.corpora.get(original(name, settings))
    return found.source if found and isinstance(found.source, OwnSource) else None


def labelled(name: str, settings: Settings) -> bool:
    """Whether a corpus, or the corpus that it is derived from, has labels."""
    source = own_source(name, settings)
    return source is not None and source.labelled


def names_column(name: str, column: str, settings: Settings) -> bool:
    """Whether the source of a corpus, or of the corpus that it is derived from, names a column; also if there is none.

    Args:
        column: `title` or `group`.
    """
    source = own_source(name, settings)
    return source is None or getattr(source.columns, column) is not None
