"""A small interactive map, with texts that would break a page that took them as HTML."""

import numpy as np
import pandas as pd

from selfembed.pages.interactive_map import Coloring

HOSTILE = [
    "<script>window.broken = true</script>",
    '"><img src="x" onerror="window.broken = true">',
    "</script><script>window.broken = true</script>",
    "<!--<script>",
    "line\u2028and\u2029paragraph",
    "{{plotly}} {{facts}} \\1 \\g<0>",
    "<b>bold</b> &amp; &lt;br&gt;<br>",
    "😀 naïve 日本語 שלום",
]


def corpus(count: int = 60) -> pd.DataFrame:
    """Texts and titles; the first ones are hostile."""
    texts = [f"Text {row} about {'melody' if row % 3 else 'protein'} and more of it" for row in range(count)]
    titles = [f"Title {row}" for row in range(count)]
    for row, hostile in enumerate(HOSTILE):
        titles[row] = hostile
        texts[row] = f"{hostile} {texts[row]}"
    return pd.DataFrame({"id": [f"t{row}" for row in range(count)], "text": texts, "title": titles})


def maps(count: int = 60) -> dict[str, np.ndarray]:
    """Two maps: one text per place of a grid, and the same grid seen from behind with its rows moved."""
    row, column = np.divmod(np.arange(count), 10)
    before = np.stack([column, row], axis=1).astype(float)
    return {"Before": before, "After": np.stack([-column, (row * 5) % 7], axis=1).astype(float)}


def colorings(count: int = 60) -> list[Coloring]:
    """Labels with a hostile one and gaps, and clusters."""
    labels = [None if row % 10 == 9 else HOSTILE[0] if row % 10 == 8 else f"class {row % 4}" for row in range(count)]
    return [
        Coloring("Label", labels),
        Coloring("Cluster", [f"group {row % 5}" for row in range(count)], "Found.", on_map=True),
    ]
