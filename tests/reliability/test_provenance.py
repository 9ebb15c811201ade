"""Every figure, table and model says what made it, as text and as an RO-Crate; the report escapes what people write."""

import platform
import re
from importlib.metadata import version

import pytest
import yaml
from rocrate.rocrate import ROCrate

from selfembed.jobs import seals
from workflow_runs import selfembed, snakemake

RUN = "results/tiny/models/tuned/notes/small/crops/seed-1"


def told(folder, *results):
    return selfembed(folder, "lineage", *results)


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
    assert done.stderr.startswith("error: notes.csv: has no seal")
    assert len(done.stderr.splitlines()) == 1


def figures_of(folder):
    figures = (folder / "figures/tiny").iterdir()
    return {path.relative_to(folder).as_posix() for path in figures if path.suffix != ".seal"}


@pytest.fixture
def crate(tiny, tmp_path):
    """The RO-Crate of all figures and tables of the tiny study, loaded again."""
    done = told(tiny, *sorted(figures_of(tiny)), "--crate", tmp_path / "crate")
    assert done.returncode == 0, done.stderr
    return ROCrate(tmp_path / "crate")


def files(crate):
    return {entity["name"]: entity for entity in crate.get_by_type("File")}


def test_a_crate_holds_every_figure_and_table_and_its_references_lead_somewhere(tiny, crate):
    figures = figures_of(tiny)
    assert {entity.id for entity in crate.root_dataset["hasPart"]} == figures
    for figure in figures:
        assert (crate.source / figure).read_bytes() == (tiny / figure).read_bytes()
    steps = crate.get_by_type("CreateAction")
    assert {figure for step in steps for figure in map(name, step["result"])} >= figures
    assert any(name(result).startswith(RUN) for step in steps for result in step["result"])
    described = {entity.id for entity in crate.get_entities()}
    text = (crate.source / "ro-crate-metadata.json").read_text(encoding="utf-8")
    assert set(re.findall(r'^ +"@id": "(?!https://w3id.org/ro/crate)(.*)"', text, re.MULTILINE)) <= described


def name(entity):
    return entity["name"]


def test_a_crate_leads_from_every_figure_down_to_the_data(tiny, crate):
    makers = {name(result): step for step in crate.get_by_type("CreateAction") for result in step["result"]}
    for figure in map(name, crate.root_dataset["hasPart"]):
        reached, waiting = set(), [figure]
        while waiting:
            file = waiting.pop()
            if file not in reached and file in makers:
                waiting += map(name, makers[file]["object"])
            reached.add(file)
        assert "notes.csv" in reached


def test_a_crate_tells_files_steps_versions_and_machine(tiny, crate):
    for path, entity in files(crate).items():
        assert entity["sha256"] == seals.checksum(tiny / path)
        assert int(entity["contentSize"]) == (tiny / path).stat().st_size
    (step,) = (step for step in crate.get_by_type("CreateAction") if f"{RUN}/loss.csv" in map(name, step["result"]))
    assert step["description"].startswith("python scripts/fine_tune.py --base ")
    assert "--learning-rate 0.001" in step["description"]
    assert f"{RUN}/final/model.safetensors" in map(name, step["result"])
    assert "results/tiny/models/base/small/seed-1/0/model.safetensors" in map(name, step["object"])
    assert name(step["instrument"]) == "fine_tune.py"
    assert re.fullmatch("[0-9a-f]{64}", step["instrument"]["sha256"])
    versions = {name(package): package["softwareVersion"] for package in step["instrument"]["softwareRequirements"]}
    assert versions["Python"] == platform.python_version() and versions["torch"] == version("torch")
    assert re.match(r"\w+ \w+", step["environment"]["value"])


def test_the_same_results_give_the_same_crate(tiny, crate, tmp_path):
    again = map(name, crate.root_dataset["hasPart"])
    assert told(tiny, *again, "--crate", tmp_path / "again").returncode == 0
    metadata = [tmp_path / folder / "ro-crate-metadata.json" for folder in ("crate", "again")]
    assert metadata[0].read_bytes() == metadata[1].read_bytes()


def test_a_crate_of_a_damaged_chain_is_refused_and_changed_data_have_no_size(study, tmp_path):
    (study / "notes.csv").write_text("text\nother\n")
    assert told(study, "figures/tiny/bars.png", "--crate", tmp_path / "crate").returncode == 0
    assert "contentSize" not in files(ROCrate(tmp_path / "crate"))["notes.csv"]
    (study / RUN / "loss.csv").write_text("changed")
    done = told(study, "figures/tiny/bars.png", "--crate", tmp_path / "other")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {RUN}/loss.csv: damaged")
    assert not (tmp_path / "other").exists()


@pytest.mark.long
def test_the_report_escapes_titles_and_captions(study):
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
    captions = re.findall(r'"caption": "((?:[^"\\]|\\.)*)"', report)
    (caption,) = (text for text in captions if "alert('caption')" in text)
    assert "<img" not in caption
    assert "&lt;img src=x onerror=alert('title')&gt;" in caption
