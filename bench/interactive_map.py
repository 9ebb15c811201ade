"""The interactive map of many texts: size of the file, and what one waits for in headless Chromium without a GPU.

Texts are made up, 200 characters each, in 40 classes and 40 clusters, on two maps.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

import numpy as np
import pandas as pd
from chromium import open_browser

from selfembed.jobs import command_line
from selfembed.jobs.options import defaults
from selfembed.pages import interactive_map
from selfembed.pages.interactive_map import Coloring
from selfembed.settings.figures import InteractiveMapFigure

WORDS = np.array(["crop", "dropout", "text", "model", "graph", "node", "melody", "protein", "matrix", "layer"])
# What is timed: from a key or a click to the next picture.
ACTIONS = {
    "zoom in": "document.getElementById('zoom-in').click()",
    "hide a class": "document.querySelector('#classes .toggle').click()",
    "another colouring": "document.querySelectorAll('#colorings input')[1].click()",
    "search": """
        document.getElementById('query').value = 'melody crop';
        document.getElementById('query').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}))
    """,
    "dark": "document.getElementById('theme').click()",
}


def made_up_page(texts: int, seed: int = 1) -> str:
    """A page with made-up texts and maps."""
    generator = np.random.default_rng(seed)
    groups = generator.integers(40, size=texts)
    centres = generator.normal(scale=30, size=(2, 40, 2))
    maps = {
        name: centres[number][groups] + generator.normal(scale=4, size=(texts, 2)) for number, name in enumerate("AB")
    }
    words = WORDS[generator.integers(len(WORDS), size=(texts, 40))]
    corpus = pd.DataFrame({"text": [" ".join(row) for row in words], "title": [f"Text {row}" for row in range(texts)]})
    colorings = [
        Coloring("Label", [None if group == 0 else f"class {group}" for group in groups]),
        Coloring("Cluster", [f"cluster {group}" for group in groups]),
    ]
    neighbors = {name: generator.integers(texts, size=(texts, 10)) for name in maps}
    rows = np.arange(texts)
    characters = defaults(InteractiveMapFigure)["characters"]
    return interactive_map.page("Made-up texts", corpus, maps, neighbors, colorings, rows=rows, characters=characters)


def seconds_to_load(browser, path: Path) -> float:
    """From opening the file to a map that can be used, in a fresh offline session."""
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]", timeout=120_000)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    taken = time.perf_counter() - started
    context.close()
    return taken


def milliseconds_of_actions(browser, path: Path) -> dict[str, float]:
    """What the page is busy after each action; and of frames of a switch between models, and of a dragged map."""
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]", timeout=120_000)
    found = {name: page.evaluate(TIMED.replace("ACTION", action)) for name, action in ACTIONS.items()}
    found["a frame of a switch of models"] = page.evaluate(FRAMES)
    context.close()
    return found


TIMED = """async () => {
    const started = performance.now();
    ACTION;
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    return performance.now() - started;
}"""

# The first frame waits for plotly.js, which places the points anew behind the moving picture.
FRAMES = """async () => {
    document.querySelectorAll('#models input')[1].click();
    const times = [];
    let before = null;
    await new Promise(done => {
        const step = (now) => {
            if (before !== null) times.push(now - before);
            before = now;
            const moving = document.body.classList.contains('moving');
            if (moving || times.length < 3) requestAnimationFrame(step); else done();
        };
        requestAnimationFrame(step);
    });
    times.sort((one, other) => one - other);
    return times[Math.floor(times.length / 2)];
}"""


def main() -> None:
    """Make the page, load it several times, and print a table."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--texts", type=int, default=100_000, help="texts")
    parser.add_argument("--rounds", type=int, default=5, help="times that the page is loaded")
    parser.add_argument("--keep", type=Path, help="HTML file to keep the page as")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        path = arguments.keep or Path(folder) / "map.html"
        path.write_text(made_up_page(arguments.texts), encoding="utf-8")
        path = path.resolve()
        loads = [seconds_to_load(browser, path) for _ in range(arguments.rounds)]
        print(f"{arguments.texts:,} texts, {path.stat().st_size / 1e6:.1f} MB, Chromium {browser.version}")
        print(f"load: {statistics.median(loads):.2f} s ({min(loads):.2f} to {max(loads):.2f})")
        for name, taken in milliseconds_of_actions(browser, path).items():
            print(f"{name}: {taken:.0f} ms")


if __name__ == "__main__":
    main()
