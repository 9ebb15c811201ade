"""Every figure, table and model says what made it: by command, and in the report, which escapes what people write."""

import html
import re
import subprocess
import sys

import pytest
import yaml

from selfembed.jobs import seals
from workflow_runs import environment, snakemake

RUN = "results/tiny/models/tuned/notes/small/crops/seed-1"


def told(folder, *results):
    command = [sys.executable, "scripts/describe_provenance.py", *results]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)


@pytest.mark.parametrize(
    "result", ["figures/tiny/bars.pdf", "figures/tiny/numbers.tex", f"{RUN}/final/model.safetensors"]
)
def test_a_result_says_which_data_settings_code_versions_and_machine_made_it(tiny, result):
    said = told(tiny, result).stdout
    assert f"notes.csv (SHA-256 {seals.checksum(tiny / 'notes.csv')})" in said
    assert "--learning-rate 0.001" in said
    assert re.search(r"commit \S+ \(SHA-256 [0-9a-f]{64}\)", said)
    assert re.search(r"^    torch \d", said, re.MULTILINE)
    assert re.search(r"^  machine\n    \w+ \w+", said, re.MULTILINE)
    assert "changed since" not in said


def test_data_that_have_changed_since_are_told(study):
    (study / "notes.csv").write_text("text\nother\n")
    assert "  changed since\n    notes.csv\n" in told(study, "figures/tiny/bars.png").stdout


def test_what_no_step_wrote_is_refused_in_one_line(tiny):
    done = told(tiny, "notes.csv")
    assert done.returncode == 1
    assert done.stderr.startswith("error: notes.csv: has no seal beside it")
    assert len(done.stderr.splitlines()) == 1


def test_the_page_has_every_figure_and_table_and_its_links_lead_somewhere(tiny):
    page = (tiny / "results/tiny/provenance.html").read_text(encoding="utf-8")
    steps = set(map(html.unescape, re.findall(r"<article id='([^']*)'>", page)))
    figures = {
        path.relative_to(tiny).as_posix() for path in (tiny / "figures/tiny").iterdir() if path.suffix != ".seal"
    }
    assert figures <= steps
    assert RUN in steps
    assert set(map(html.unescape, re.findall(r"<a href='#([^']*)'>", page))) <= steps


def test_the_report_shows_the_page_and_escapes_titles_and_captions(study):
    config = study / "tests/reliability/tiny.yaml"
    content = yaml.safe_load(config.read_text())
    markup = "<img src=x onerror=alert('{}')>"
    content["figures"]["bars"]["title"] = markup.format("title")
    content["figures"]["bars"]["caption"] = f"Seen.\n\n.. raw:: html\n\n   {markup.format('caption')}\n"
    content["experiments"]["main"]["models"][0]["label"] = "$(touch hacked) `touch hacked` '\"; touch hacked; <b>"
    config.write_text(yaml.safe_dump(content))
    arguments = ("--configfile", config, "--cores", "2")
    for more in ((), ("--report", "report.html")):
        done = snakemake(study, *arguments, *more)
        assert done.returncode == 0, done.stdout[-3000:]
    assert not list(study.rglob("hacked"))
    report = (study / "report.html").read_text(encoding="utf-8")
    assert "provenance.html" in report
    captions = re.findall(r'"caption": "((?:[^"\\]|\\.)*)"', report)
    (caption,) = (text for text in captions if "alert('caption')" in text)
    assert "<img" not in caption
    assert "&lt;img src=x onerror=alert('title')&gt;" in caption
