"""Interactive map of a corpus: one HTML page with the maps of several models and the texts.

The page requires no network or server: it contains plotly.js, positions and texts. Texts are untrusted: they are
included as escaped JSON and shown as text, never as HTML. A Content-Security-Policy blocks everything that is not in
the file.
"""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import to_hex, to_rgb
from numpy.lib.stride_tricks import sliding_window_view
from plotly.offline import get_plotlyjs
from scipy.linalg import orthogonal_procrustes

from selfembed.drawing.figures import palette
from selfembed.errors import InputError
from selfembed.pages import templates
from selfembed.texts.ranges import find_ranges

HERE = Path(__file__).parent
# Of the page's script, in their order.
PARTS = (
    *("data", "drawing", "view", "moving", "texts", "neighbors", "names", "search", "selection", "panel", "keys"),
    "start",
)
MOST_CHARACTERS = 500_000_000  # of all texts as JSON: Chromium has no strings of 2^29 characters
STEPS = 2**16 - 1  # resolution of coordinates: a step is 1/40 pixel on a screen with a width of 1,600 pixels
NAME_CELLS = 24  # per side of a map: where texts of a class are densest is found in squares of three by three cells
MOST_CLASSES = 100  # with separate colours and legend entries; rarer classes are merged
MOST_VALUES = 40  # the same of a column: of several columns, the colours of each take seconds to find
LONGEST_VALUE = 100  # characters of a value of a column
LIGHT_END = 0.88  # of the scale for ranges, on a light background
GREY = {"light": "#b4b4b4", "dark": "#6a6a6a"}
LEAST_DARK_LIGHTNESS = 0.5  # minimum HLS lightness in dark mode, for contrast with the background

# Content-Security-Policy: only the two scripts in the page are allowed. 'unsafe-eval' is required by regl, the WebGL
# library in plotly.js, which compiles draw calls; 'unsafe-inline' by the inline styles of plotly.js.
POLICY = (
    "default-src 'none'; script-src 'unsafe-eval' {hashes}; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)

# Characters that could end a JSON block in HTML or a line of JavaScript.
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True)
class Coloring:
    """A colouring of texts: its name, the class of every text (None if it has no class), and a note.

    Attributes:
        on_map: whether the names of classes are written on the map; at most one colouring of a page.
        ranges: all classes in ascending order, if they are ranges of numbers or dates, whose colours are a scale.
        values: what is written of every text instead of its class, after the name of the colouring (None: nothing).
        rest: what texts without a class are called in the legend; by default, `no` and the name of the colouring.
    """

    name: str
    classes: Sequence[str | None]
    note: str = ""
    on_map: bool = False
    ranges: Sequence[str] | None = None
    values: Sequence[str | None] | None = None
    rest: str = ""


def column_coloring(name: str, cells: pd.Series) -> Coloring:
    """Return the colouring by a column: by ranges of numbers or dates, or by the values themselves.

    Args:
        cells: strings; missing values are allowed, shape (texts,).
    """
    present = cells.notna() & (cells.fillna("").str.strip() != "")
    written = shortened(cells, LONGEST_VALUE)
    values = [value if here else None for value, here in zip(written, present, strict=True)]
    found = find_ranges(pd.Series(values, dtype="object"))
    if found is None:
        return Coloring(name, values, values=values)
    classes = [None if number < 0 else found.names[number] for number in found.numbers]
    unread = sum(one is None and value is not None for one, value in zip(classes, values, strict=True))
    note = f"Values in no range, such as words among numbers: {unread:,}." if unread else ""
    return Coloring(name, classes, note, ranges=found.names, values=values)


def page(
    title: str,
    corpus: pd.DataFrame,
    maps: dict[str, np.ndarray],
    neighbors: dict[str, np.ndarray],
    colorings: list[Coloring],
    *,
    rows: np.ndarray,
    characters: int,
) -> str:
    """Return the HTML page.

    Args:
        corpus: columns `id`, `text` and `title` (missing values allowed); one row per text.
        maps: finite positions by model name, shape (texts, 2).
        neighbors: nearest texts by model name, as positions in `rows`, nearest first; integer, shape (len(rows), any).
        colorings: the first one is shown initially.
        rows: rows of the texts that are shown, in order.
        characters: maximum length of texts and titles in the page.

    Raises InputError if the texts are too many for browsers.
    """
    shown = [positions[rows] for positions in maps.values()]
    packed = [quantise(positions) for positions in aligned(shown)]
    legends = [legend(coloring, rows) for coloring in colorings]
    named = [number for number, coloring in enumerate(colorings) if coloring.on_map]
    facts = {
        "title": title,
        "total": len(corpus),
        "models": list(maps),
        "neighbors": next(iter(neighbors.values())).shape[1],
        "colorings": [entry for entry, _ in legends],
        "named": named[0] if named else None,
    }
    blocks = {f"positions-{number}": pack(positions, "<u2") for number, positions in enumerate(packed)}
    blocks |= {f"neighbors-{number}": pack(neighbors[name], "<i4") for number, name in enumerate(maps)}
    blocks |= {f"classes-{number}": pack(numbers, "<u2") for number, (_, numbers) in enumerate(legends)}
    if named:
        places = [densest_places(positions, legends[named[0]][1]) for positions in packed]
        blocks |= {f"names-{number}": pack(found, "<u2") for number, found in enumerate(places)}
    titles, texts = (shortened(corpus[column].iloc[rows], characters) for column in ("title", "text"))
    ids = corpus["id"].iloc[rows].astype(str).tolist()
    values = [None if each.values is None else [each.values[row] for row in rows] for each in colorings]
    shown_texts = {"ids": ids, "titles": titles if any(titles) else None, "texts": texts, "values": values}
    return filled(title, facts, shown_texts, blocks)


# Positions ----------------------------------------------------------------------------------------------------


def aligned(maps: list[np.ndarray]) -> list[np.ndarray]:
    """Rotate and reflect maps to align them with the first, because the orientation of t-SNE maps is arbitrary."""
    maps = [positions - positions.mean(axis=0) for positions in maps]
    return [maps[0], *(positions @ orthogonal_procrustes(positions, maps[0])[0] for positions in maps[1:])]


def quantise(positions: np.ndarray) -> np.ndarray:
    """Scale positions in their bounding square to 0 … 65,535; uint16, shape (texts, 2), y upwards."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    span = (high - low).max() or 1
    return np.rint(((positions - (low + high) / 2) / span + 0.5) * STEPS).astype(np.uint16)


def densest_places(positions: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return a place for the name of every class: the mean of its texts where they are densest.

    The texts of a class can be in several parts of a map, so that the mean of all of them can be far from each.

    Args:
        positions: as from `quantise`, shape (texts, 2).
        classes: number of the class of every text, shape (texts,).

    Returns uint16, shape (classes, 2).
    """
    cells = positions.astype(int) * NAME_CELLS // 2**16 + 1
    places = []
    for number in range(classes.max() + 1):
        rows = np.flatnonzero(classes == number)
        counts = np.zeros((NAME_CELLS + 2, NAME_CELLS + 2), dtype=int)
        np.add.at(counts, tuple(cells[rows].T), 1)
        around = sliding_window_view(counts, (3, 3)).sum(axis=(2, 3))
        densest = np.array(np.unravel_index(around.argmax(), around.shape)) + 1
        near = rows[(np.abs(cells[rows] - densest) <= 1).all(axis=1)]
        places.append(positions[near].mean(axis=0))
    return np.rint(places).astype(np.uint16)


def pack(numbers: np.ndarray, dtype: str) -> str:
    """Encode integers as numbers of a data type, such as `<u2`, in base64."""
    return base64.b64encode(numbers.astype(dtype).tobytes()).decode("ascii")


# Colours ------------------------------------------------------------------------------------------------------


def legend(coloring: Coloring, rows: np.ndarray) -> tuple[dict[str, object], np.ndarray]:
    """Return the legend of a colouring, and the class number of every shown text, largest class first.

    Texts without a class are last and grey. Colours are those of the static maps, unless rare classes were merged.
    Ranges are in ascending order, with the colours of a scale.
    """
    classes = pd.Series(coloring.classes, dtype="object")
    if coloring.ranges:
        colors, order = scale_colors(coloring.ranges), list(coloring.ranges)
    else:
        classes = common_classes(classes, MOST_CLASSES if coloring.values is None else MOST_VALUES)
        colors, order = class_colors(sorted(classes.dropna().unique())), None
        colors |= dict.fromkeys(set(colors) - set(coloring.classes), GREY)  # rarer classes
    shown = classes.iloc[rows]
    counts = shown.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    if order:
        counts = counts[[name for name in order if name in counts.index]]
    numbers = shown.map({name: number for number, name in enumerate(counts.index)})
    entries = [{"name": name, "count": int(count), **colors[name]} for name, count in counts.items()]
    if missing := int(shown.isna().sum()):
        entries.append({"name": None, "count": missing, **GREY})
    rest = coloring.rest or f"no {coloring.name.lower()}"
    known = {"name": coloring.name, "note": coloring.note, "rest": rest, "classes": entries}
    return known, numbers.fillna(len(counts)).to_numpy(np.uint16)


def common_classes(classes: pd.Series, most: int) -> pd.Series:
    """Merge all classes except the most frequent ones into one: `12 rarer classes`."""
    counts = classes.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    rare = counts.index[most:]
    return classes.mask(classes.isin(rare), f"{len(rare)} rarer classes") if len(rare) else classes


def class_colors(names: list[str]) -> dict[str, dict[str, str]]:
    """Return the colours of every class on a light and on a dark background."""
    return {name: both_colors(color) for name, color in palette(names).items()}


def scale_colors(names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the colours of ranges in ascending order on a light and on a dark background.

    The scale is viridis without its end that is too close to the background.
    """
    scale = colormaps["viridis"]
    places = np.linspace(0, 1, len(names)) if len(names) > 1 else [0.5]
    return {
        name: {"light": to_hex(scale(LIGHT_END * place)), "dark": to_hex(scale(1 - LIGHT_END * (1 - place)))}
        for name, place in zip(names, places, strict=True)
    }


def both_colors(color: str) -> dict[str, str]:
    """Return a colour, and the same colour mixed with white for a dark background."""
    channels = np.array(to_rgb(color))
    lightness = (channels.max() + channels.min()) / 2
    white = max(0, LEAST_DARK_LIGHTNESS - lightness) / (1 - lightness)
    return {"light": to_hex(color), "dark": to_hex(channels + white * (1 - channels))}


# The page -----------------------------------------------------------------------------------------------------


def shortened(texts: pd.Series, characters: int) -> list[str]:
    """Truncate texts, with an ellipsis; missing texts are empty."""
    return [
        text if len(text) <= characters else f"{text[:characters].rstrip()}…" for text in texts.fillna("").astype(str)
    ]


def filled(title: str, facts: dict, texts: dict, blocks: dict[str, str]) -> str:
    """Fill the template; `blocks` are packed numbers by the name of their element."""
    code = [(HERE / f"{name}.js").read_text(encoding="utf-8") for name in PARTS]
    scripts = [get_plotlyjs().replace("\r\n", "\n"), "\n".join(['"use strict";\n(() => {', *code, "})();"])]
    for script in scripts:
        if re.search(r"</script|<!--", script, re.IGNORECASE):
            raise ValueError("a script would end its element")
    return templates.filled(
        HERE,
        title=title,
        policy=POLICY.format(hashes=" ".join(map(templates.source_hash, scripts))),
        facts=html_json(facts),
        texts=checked_length(html_json(texts)),
        blocks=blocks,
        scripts=scripts,
    )


def checked_length(texts: str) -> str:
    """Return the texts as JSON. Raises InputError if no browser could read them."""
    if len(texts) > MOST_CHARACTERS:
        raise InputError(
            f"the texts of the map have {len(texts):,} characters, which browsers cannot read; expected: at most "
            f"{MOST_CHARACTERS:,}, by fewer `points` or `characters` of the figure"
        )
    return texts


def html_json(content: dict) -> str:
    """Return JSON that is safe inside a script element."""
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&\u2028\u2029]", lambda match: ESCAPES[match[0]], written)
