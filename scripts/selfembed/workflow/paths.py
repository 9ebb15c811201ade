"""Many paths in few words."""

from collections.abc import Iterable


def braced(paths: Iterable[str]) -> list[str]:
    """Patterns that bash expands to these paths: a part in which alone some differ is written as {a,b}.

    Thousands of paths would not fit into one command. The order may change.

    >>> braced(["a/1/x", "a/2/x", "a/1/y", "a/2/y", "b/1/x"])
    ['a/{1,2}/{x,y}', 'b/1/x']
    """
    found = [tuple(path.split("/")) for path in paths]
    for place in reversed(range(max(map(len, found), default=0))):
        alike: dict[tuple[str | None, ...], dict[str, None]] = {}
        for parts in found:
            if place < len(parts):
                alike.setdefault((*parts[:place], None, *parts[place + 1 :]), {})[parts[place]] = None
            else:
                alike[parts] = {}
        found = [tuple(one_word(words) if part is None else part for part in parts) for parts, words in alike.items()]
    return ["/".join(parts) for parts in found]


def one_word(words: Iterable[str]) -> str:
    """A word that bash expands to all of these."""
    first, *others = words
    return f"{{{','.join([first, *others])}}}" if others else first
