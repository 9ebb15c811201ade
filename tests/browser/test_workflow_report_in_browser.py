"""Snakemake's report, as `make demo` writes it, in headless Chromium, without network: every entry is shown."""

import re
import zipfile

import pytest
import yaml

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install '.[dev]')")

import chromium
from tiny_study import CONFIG, tiny_study

from workflow_runs import ROOT, snakemake

pytestmark = pytest.mark.skipif(chromium.program() is None, reason="no Chromium is installed")

CLAIM = {"compare": "difference", "experiment": "main", "models": ["Crops", "SVD"]}
MORE = {
    "figures": {
        "bars": {"draw": "comparison", "experiment": "main", "title": "Crops against SVD"},
        "explore": {"draw": "interactive_map", "experiment": "main", "title": "Notes by topic"},
        "again": {"draw": "comparison", "experiment": "main", "title": "Crops against SVD"},
        "losses": {"draw": "losses", "experiment": "main"},
    },
    "tables": {
        "numbers": {"lay_out": "scores", "experiment": "main", "title": "Scores & models"},
        "sizes": {"lay_out": "corpora", "corpora": ["notes"]},
        "gains": {"lay_out": "differences", "experiment": "main", "against": "SVD", "title": "Gains over SVD"},
    },
    "claims": {"better": {"sentence": "Crops beat SVD.", "evidence": [CLAIM]}},
}
# Every entry, and words that it shows; none for a picture.
ENTRIES = {
    "Claims": {"which claims hold": "Crops beat SVD."},
    "Figures": {
        "Crops against SVD (again)": None,
        "Crops against SVD (bars)": None,
        "losses": None,
        "Notes by topic (map of notes)": "Notes by topic",
    },
    "Tables": {
        "Gains over SVD": "not distinguishable",
        "Scores & models": "Scores & models",
        "Scores of benchmark": "MTEB score",
        "Scores of main": "kNN",
        "sizes": "notes",
    },
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The report of a tiny study with a figure, table or claim of every kind of file."""
    study = tiny_study(tmp_path_factory.mktemp("study"))
    config = study / CONFIG[1]
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | MORE))
    form = re.search(r"--report results/demo/(workflow\.\w+)", (ROOT / "Makefile").read_text())[1]
    for more in ((), ("--report", form)):
        done = snakemake(study, *CONFIG, "--cores", "2", *more)
        assert done.returncode == 0, done.stdout[-3000:]
    if form.endswith(".html"):
        return study / form
    with zipfile.ZipFile(study / form) as packed:
        packed.extractall(study)
    return study / "workflow" / "report.html"


@pytest.fixture
def page(path):
    """The report; afterwards, that nothing went wrong and nothing was downloaded is asserted."""
    with chromium.open_browser() as browser:
        context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
        page = context.new_page()
        page.set_default_timeout(120_000)
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("download", lambda download: problems.append(f"download of {download.suggested_filename}"))
        page.goto(path.as_uri())
        yield page
        assert problems == []


def test_every_entry_of_the_menu_is_shown(page):
    for title in ("Workflow", "Statistics"):
        page.get_by_text(title, exact=True).first.click()
        page.locator("svg.marks, canvas.marks").first.wait_for()
    categories = page.locator("li", has=page.get_by_text("Results")).locator("~ li").all_inner_texts()
    assert categories == list(ENTRIES)
    for category, entries in ENTRIES.items():
        page.get_by_text(category, exact=True).first.click()
        rows = page.locator("tbody tr")
        assert rows.locator("td:first-child").all_inner_texts() == list(entries)
        for row, (title, words) in zip(rows.all(), entries.items(), strict=True):
            row.locator("a").first.click()
            if words is None:
                picture = page.locator("img[src*='.png'], img[src^='data:image/png']")
                picture.wait_for()
                assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300, title
            else:
                page.frame_locator("iframe").get_by_text(words).first.wait_for()
        page.locator("nav ol a").first.click()  # back to the menu
