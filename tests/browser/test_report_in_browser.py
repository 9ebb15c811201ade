"""The report in headless Chromium, without network: wide and narrow, light and dark, with texts that would break it."""

from urllib.parse import quote

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install '.[dev]')")

import chromium
from test_report import BETTER, EVEN, HOSTILE, WORSE, report, row

from selfembed.drawing import figures

pytestmark = pytest.mark.skipif(chromium.program() is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A page with everything, whose label, title and caption are hostile."""
    import matplotlib.pyplot as plt

    folder = tmp_path_factory.mktemp("report")
    figure, axes = plt.subplots(figsize=(9, 4))
    axes.plot([3, 2, 1])
    figures.save(figure, [folder / "losses.png"])
    (folder / "texts.html").write_text("a map")
    rows = [row(HOSTILE, "Before", BETTER), row(HOSTILE, "Before", EVEN, "accuracy")]
    rows += [row("TF-IDF", "Before", WORSE, candidate=False)]
    more = ("--maps", str(folder / "texts.html"), "--entry", HOSTILE, "A line.", HOSTILE, str(folder / "losses.png"))
    report(folder, rows, *more, title=HOSTILE, label=HOSTILE, best=HOSTILE)
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser():
    with chromium.open_browser() as opened:
        yield opened


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_offline_on_every_screen(browser, path, width, scheme):
    context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    problems, requests = [], []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    assert page.evaluate("window.broken") is None
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth") == width, "it must not scroll sideways"
    red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (red + green + blue > 600) == (scheme == "light")
    page.get_by_text("All settings").click()
    assert page.get_by_text("temperature of the loss").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    frame = page.frame_locator("iframe")
    page.locator("iframe").scroll_into_view_if_needed()
    assert frame.get_by_text("a map").is_visible()
    with page.expect_navigation():
        page.get_by_role("link", name="Map of texts").click()
    address = path.with_name("texts.html").as_uri()
    assert page.url == f"{address}#{quote(HOSTILE)}", "the map opens on the recommended model"
    assert problems == []
    assert {url for url in requests if not url.startswith("data:")} == {path.as_uri(), address}
    context.close()
