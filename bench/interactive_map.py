"""The interactive map of many texts: size of the file, and what one waits for in headless Chromium without a GPU.

Texts are made up, 200 characters each, in 40 classes and 40 clusters, on two maps.
"""

import itertools
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

import numpy as np
import pandas as pd
import psutil
from chromium import open_browser

from selfembed.jobs import command_line
from selfembed.jobs.options import defaults
from selfembed.pages import interactive_map
from selfembed.pages.interactive_map import Coloring
from selfembed.settings.figures import InteractiveMapFigure

WORDS = np.array(["crop", "dropout", "text", "model", "graph", "node", "melody", "protein", "matrix", "layer"])
WAIT = 600_000  # ms, at most, for a map that can be used
# What is timed: from a key or a click to the next picture.
ACTIONS = {
    "zoom in": "document.getElementById('zoom-in').click()",
    "hide a class": "document.querySelector('#classes .toggle').click()",
    "another colouring": "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'c', bubbles: true}))",
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
    parts = [" ".join(WORDS[generator.integers(len(WORDS), size=10)]) for _ in range(5000)]
    words = [
        " ".join(parts[part] for part in each) for each in generator.integers(len(parts), size=(texts, 4)).tolist()
    ]
    titles = [f"Text {row}" for row in range(texts)]
    corpus = pd.DataFrame({"id": [f"t{row}" for row in range(texts)], "text": words, "title": titles})
    colorings = [
        Coloring("Label", [None if group == 0 else f"class {group}" for group in groups]),
        Coloring("Cluster", [f"cluster {group}" for group in groups], on_map=True),
    ]
    neighbors = {name: generator.integers(texts, size=(texts, 10)) for name in maps}
    rows = np.arange(texts)
    characters = defaults(InteractiveMapFigure)["characters"]
    return interactive_map.page("Made-up texts", corpus, maps, neighbors, colorings, rows=rows, characters=characters)


def load(browser, path: Path) -> tuple[float, float]:
    """Seconds from opening the file to a map that can be used, in a fresh offline session, and megabytes then."""
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(path.as_uri(), timeout=WAIT)
    page.wait_for_selector("body[data-ready]", timeout=WAIT)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    taken = time.perf_counter() - started
    megabytes = megabytes_of_browser()
    context.close()
    return taken, megabytes


def milliseconds_of_actions(browser, path: Path) -> dict[str, float]:
    """What the page is busy after each action; and of frames of a switch between models, and of a dragged map."""
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.on("console", lambda message: print(f"console: {message.text}"))
    page.on("pageerror", lambda error: print(f"error in the page: {error}"))
    page.goto(path.as_uri(), timeout=WAIT)
    page.wait_for_selector("body[data-ready]", timeout=WAIT)
    found = {name: page.evaluate(TIMED.replace("ACTION", action)) for name, action in ACTIONS.items()}
    found["a frame of a switch of models"] = page.evaluate(FRAMES)
    found["a frame of a dragged map"] = milliseconds_of_dragging(page)
    context.close()
    return found


def milliseconds_of_dragging(page) -> float:
    """Median time of a frame while the mouse drags the map."""
    page.evaluate(RECORDED)
    page.mouse.move(400, 300)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(400 + 4 * step, 300 + 2 * step)
    page.mouse.up()
    times = page.evaluate("window.frames_of_dragging")
    return statistics.median(later - earlier for earlier, later in itertools.pairwise(times))


def megabytes_of_browser() -> float:
    """Memory of all processes of the browser; pages that they share count once (proportional set size)."""
    processes = psutil.Process().children(recursive=True)
    return sum(each.memory_full_info().pss for each in processes if "chrom" in each.name()) / 1e6


TIMED = """async () => {
    const started = performance.now();
    ACTION;
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    return performance.now() - started;
}"""

RECORDED = """() => {
    window.frames_of_dragging = [];
    const step = (now) => {
        window.frames_of_dragging.push(now);
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
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
    parser.add_argument("--keep", type=Path, help="HTML file to keep the page as; used if it exists")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        path = arguments.keep or Path(folder) / "map.html"
        if not path.exists():
            path.write_text(made_up_page(arguments.texts), encoding="utf-8")
        path = path.resolve()
        loads, megabytes = zip(*(load(browser, path) for _ in range(arguments.rounds)), strict=True)
        size = path.stat().st_size / 1e6
        print(
            f"{arguments.texts:,} texts, {size:.1f} MB, Chromium {browser.version}; load of the machine: {load_now()}"
        )
        print(f"load: {statistics.median(loads):.2f} s ({min(loads):.2f} to {max(loads):.2f})")
        print(f"memory of the browser: {statistics.median(megabytes):.0f} MB")
        for name, taken in milliseconds_of_actions(browser, path).items():
            print(f"{name}: {taken:.0f} ms")
        print(f"load of the machine: {load_now()}")


def load_now() -> str:
    """Load of the machine over 1, 5 and 15 minutes; this program and the browser are part of it."""
    return ", ".join(f"{number:.1f}" for number in os.getloadavg())


if __name__ == "__main__":
    main()
