"""A corpus as one page to look at in a browser: the maps of several models, with the texts.

The page needs no network and no server: plotly.js, the positions and the texts are inside it. Texts are other people's
words, so the page never treats them as HTML: they come as JSON that cannot end its element, and are shown as text. The
page's own policy (Content-Security-Policy) forbids everything that is not in the file.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex, to_rgb
from plotly.offline import get_plotlyjs

from selfembed.drawing.figures import palette
from selfembed.errors import InputError

HERE = Path(__file__).parent
STEPS = 2**16 - 1  # of a coordinate: a step is a fortieth of a pixel on a screen 1,600 pixels wide
MOST_CLASSES = 100  # with a colour and a line of the legend each; rarer ones share one
GREY = {"light": "#b4b4b4", "dark": "#6a6a6a"}
LEAST_DARK_LIGHTNESS = 0.5  # in dark mode, of HLS; below it a colour drowns in the background

# What the page may do: run the two scripts in it, and nothing from elsewhere. 'unsafe-eval' is for regl, the WebGL
# library in plotly.js, which compiles its draw calls; 'unsafe-inline' for the styles that plotly.js gives its elements.
POLICY = (
    "default-src 'none'; script-src 'unsafe-eval' {hashes}; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)

# What could end a JSON block in HTML, or a line of JavaScript.
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True)
class Coloring:
    """A way to colour texts: what it is called, and the class of every text (missing where it has none)."""

    name: str
    classes: Sequence[str | None]
    note: str = ""


def page(
    title: str,
    corpus: pd.DataFrame,
    maps: dict[str, np.ndarray],
    colorings: list[Coloring],
    *,
    points: int,
    characters: int,
    seed: int = 42,
) -> str:
    """The page as HTML.

    Args:
        title: heading.
        corpus: columns `text` and `title` (which may be missing); a row per text.
        maps: positions by the name of their model, each of shape (texts, 2), finite.
        colorings: the first is shown first.
        points: most texts shown; of more, a random sample of this size.
        characters: of a text and of a title that are shown and can be searched.
        seed: of the sample.

    Raises InputError if a map has another number of texts than the corpus, or positions that are not finite.
    """
    for name, positions in maps.items():
        check_positions(name, positions, len(corpus))
    rows = np.arange(len(corpus))
    if len(rows) > points:
        rows = np.sort(np.random.default_rng(seed).choice(rows, points, replace=False))
    shown = [positions[rows] for positions in maps.values()]
    packed = [pack(quantise(positions)) for positions in aligned(shown)]
    legends = [legend(coloring, rows) for coloring in colorings]
    facts = {
        "title": title,
        "total": len(corpus),
        "characters": characters,
        "models": list(maps),
        "colorings": [entry for entry, _ in legends],
        "grey": GREY,
    }
    blocks = {f"positions-{number}": data for number, data in enumerate(packed)}
    blocks |= {f"classes-{number}": pack(numbers) for number, (_, numbers) in enumerate(legends)}
    titles, texts = (shortened(corpus[column].iloc[rows], characters) for column in ("title", "text"))
    return filled(title, facts, {"titles": titles if any(titles) else None, "texts": texts}, blocks)


def check_positions(name: str, positions: np.ndarray, texts: int) -> None:
    """Raise InputError unless there is a finite position for every text."""
    if positions.shape != (texts, 2):
        raise InputError(
            f"map of '{name}': {len(positions)} positions for {texts} texts; expected: one position per text"
        )
    if not np.isfinite(positions).all():
        raise InputError(f"map of '{name}': a position is NaN or infinite; expected: finite numbers")


# Positions ----------------------------------------------------------------------------------------------------


def aligned(maps: list[np.ndarray]) -> list[np.ndarray]:
    """Maps turned and mirrored to lie as near as they can to the first, so that a switch moves no more than it must.

    t-SNE decides neighbourhoods, not directions. (Orthogonal Procrustes: Schönemann 1966, doi:10.1007/BF02289451.)
    """
    maps = [positions - positions.mean(axis=0) for positions in maps]
    return [maps[0], *(positions @ nearest_rotation(positions, maps[0]) for positions in maps[1:])]


def nearest_rotation(positions: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The orthogonal matrix of shape (2, 2) that brings centred positions nearest to others."""
    left, _, right = np.linalg.svd(positions.T @ target)
    return left @ right


def quantise(positions: np.ndarray) -> np.ndarray:
    """Positions in the smallest square around them, from 0 to 65,535: uint16, shape (texts, 2), y upwards."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    span = (high - low).max() or 1
    return np.rint(((positions - (low + high) / 2) / span + 0.5) * STEPS).astype(np.uint16)


def pack(numbers: np.ndarray) -> str:
    """Unsigned 16-bit numbers, little-endian, in base64."""
    return base64.b64encode(numbers.astype("<u2").tobytes()).decode("ascii")


# Colours ------------------------------------------------------------------------------------------------------


def legend(coloring: Coloring, rows: np.ndarray) -> tuple[dict[str, object], np.ndarray]:
    """What the page knows of a colouring, and the number of the class of every shown text, from the largest class on.

    Texts without a class come last, in grey. Colours are those of the static maps, as long as no class is too rare.
    """
    classes = common_classes(pd.Series(coloring.classes, dtype="object"))
    colors = class_colors(sorted(classes.dropna().unique()))
    shown = classes.iloc[rows]
    counts = shown.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    numbers = shown.map({name: number for number, name in enumerate(counts.index)})
    entries = [{"name": name, "count": int(count), **colors[name]} for name, count in counts.items()]
    if missing := int(shown.isna().sum()):
        entries.append({"name": None, "count": missing, **GREY})
    known = {"name": coloring.name, "note": coloring.note, "classes": entries}
    return known, numbers.fillna(len(counts)).to_numpy(np.uint16)


def common_classes(classes: pd.Series) -> pd.Series:
    """The classes, of which all but the most frequent 100 are one: `12 rarer classes`."""
    counts = classes.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    rare = counts.index[MOST_CLASSES:]
    return classes.mask(classes.isin(rare), f"{len(rare)} rarer classes") if len(rare) else classes


def class_colors(names: list[str]) -> dict[str, dict[str, str]]:
    """The colour of every class on a light and on a dark background."""
    return {name: both_colors(color) for name, color in palette(names).items()}


def both_colors(color: str) -> dict[str, str]:
    """A colour, and the same mixed with as much white as a dark background needs."""
    channels = np.array(to_rgb(color))
    lightness = (channels.max() + channels.min()) / 2
    white = max(0, LEAST_DARK_LIGHTNESS - lightness) / (1 - lightness)
    return {"light": to_hex(color), "dark": to_hex(channels + white * (1 - channels))}


# The page -----------------------------------------------------------------------------------------------------


def shortened(texts: pd.Series, characters: int) -> list[str]:
    """The beginnings of texts; an ellipsis where one goes on, nothing where there is none."""
    return [
        text if len(text) <= characters else f"{text[:characters].rstrip()}…" for text in texts.fillna("").astype(str)
    ]


def filled(title: str, facts: dict, texts: dict, blocks: dict[str, str]) -> str:
    """The template with everything in it."""
    scripts = [get_plotlyjs().replace("\r\n", "\n"), (HERE / "map.js").read_text(encoding="utf-8")]
    for script in scripts:
        if re.search(r"</script|<!--", script, re.IGNORECASE):
            raise ValueError("a script would end its element")
    parts = {
        "policy": POLICY.format(hashes=" ".join(map(source_hash, scripts))),
        "title": html_text(title),
        "style": (HERE / "style.css").read_text(encoding="utf-8"),
        "facts": html_json(facts),
        "texts": html_json(texts),
        "blocks": "\n".join(f'<script type="text/plain" id="{name}">{data}</script>' for name, data in blocks.items()),
        "plotly": scripts[0],
        "script": scripts[1],
    }
    template = (HERE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def source_hash(script: str) -> str:
    """What a Content-Security-Policy calls a script."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def html_json(content: dict) -> str:
    """JSON that is safe inside a script element of an HTML page."""
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&\u2028\u2029]", lambda match: ESCAPES[match[0]], written)


def html_text(text: str) -> str:
    """Text as the content of an HTML element."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
