"""Changes that rerun nothing, or only what they can change: dry runs on the finished tiny study."""

import json
import os
import shutil
from hashlib import sha256

import pytest
import yaml
from tiny_study import CONFIG, KEEP

from workflow_runs import planned, snakemake

RECORDS = "scripts/selfembed/jobs/records.py"
FIGURES = "scripts/selfembed/drawing/figures.py"
DRAWN = {"draw_comparison": 1, "draw_maps": 1}
CONDA = """#!/bin/sh
case "$*" in
    "info --json") echo '{"conda_prefix": "/nowhere", "platform": "linux-64"}' ;;
    --version) echo conda 26.1.0 ;;
    config*) echo '{"get": {"channel_priority": "strict"}}' ;;
    *) exit 1 ;;
esac
"""


def changed(study, name, change):
    path = study / name
    before = path.read_text(encoding="utf-8")
    path.write_text(change(before), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != before
    return study


def with_comment(text):
    return text.replace("\nimport ", "\n# An edit.\nimport ", 1)


def with_statement(text):
    return text + "\nEDITED = 1\n"


def with_another_docstring(text):
    return text.replace('"""', '"""Edited: ', 1)


def with_another_format(text):
    return text.replace("\n\n", "\n\n\n").replace("\nimport ", "\nimport  ")


@pytest.mark.parametrize("change", [with_comment, with_another_docstring, with_another_format])
def test_a_comment_a_docstring_and_a_format_rerun_nothing(study, change):
    for name in (RECORDS, "scripts/fine_tune.py"):
        changed(study, name, change)
    assert planned(study, *CONFIG) == {}
    assert planned(study, *CONFIG, "--rerun-triggers", "mtime") == {}


@pytest.mark.parametrize("triggers", [(), ("--rerun-triggers", "mtime")])
def test_a_statement_reruns_what_it_can_change(study, triggers):
    changed(study, FIGURES, with_statement)
    assert planned(study, *CONFIG, *triggers) == DRAWN


@pytest.mark.long
def test_a_comment_reruns_nothing_where_runs_and_embeddings_were_removed(kept, tmp_path):
    study = shutil.copytree(kept, tmp_path / "study")
    assert planned(changed(study, RECORDS, with_comment), *CONFIG, *KEEP) == {}
    assert planned(changed(study, RECORDS, with_statement), *CONFIG, *KEEP)["fine_tune"] == 1


def test_a_statement_that_was_taken_back_reruns_nothing(study):
    changed(study, FIGURES, with_statement)
    changed(study, FIGURES, lambda text: text.removesuffix(with_statement("")))
    assert planned(study, *CONFIG) == {}


def test_results_of_earlier_versions_are_compared_by_the_bytes_of_code(study):
    """They have recorded the SHA-256 of every input."""
    for path in (study / ".snakemake/metadata").rglob("*"):
        if path.is_file():
            record = json.loads(path.read_text())
            for name in record["input_checksums"]:
                record["input_checksums"][name] = f"sha256:{sha256((study / name).read_bytes()).hexdigest()}"
            path.write_text(json.dumps(record))
    os.utime(study / RECORDS)
    assert planned(study, *CONFIG) == {}
    assert planned(changed(study, FIGURES, with_comment), *CONFIG) == DRAWN


def test_without_records_of_snakemake_the_time_of_code_decides(study):
    shutil.rmtree(study / ".snakemake/metadata")
    assert planned(study, *CONFIG) == {}
    assert planned(changed(study, FIGURES, with_comment), *CONFIG) == DRAWN


def test_another_device_reruns_nothing(study):
    assert yaml.safe_load((study / CONFIG[1]).read_text())["device"] == "cpu"
    assert planned(study, *CONFIG, "--config", "device=auto") == {}
    done = snakemake(study, "--dry-run", "--forcerun", "embed", *CONFIG, "--config", "device=auto")
    of_encoder, of_bag_of_words = done.stdout.count("--device auto"), done.stdout.count("--device cpu")
    assert (of_encoder, of_bag_of_words) == (1, 1)


@pytest.mark.parametrize("method", ["conda", "apptainer"])
@pytest.mark.parametrize("profile", ["default", "adapt", "demo", "slurm"])
def test_conda_environments_and_an_image_rerun_nothing(study, tmp_path, monkeypatch, profile, method):
    (study / "selfembed.sif").touch()
    for name, content in (("conda", CONDA), ("apptainer", "#!/bin/sh\necho apptainer version 1.4.5\n")):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(content)
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    words = (*CONFIG, "--workflow-profile", f"profiles/{profile}", "--sdm", method)
    assert planned(study, "all", *words) == {}
    if profile == "default":
        everything = ("--rerun-triggers", "mtime", "params", "input", "code", "software-env")
        assert planned(study, "all", *words, *everything)["fine_tune"] == 1


def test_nothing_of_deleted_results_stays(study):
    results = [study / "results", study / "figures"]
    unfinished = study / "results/tiny/embeddings/notes/base/svd/0/.none_last.unfinished"
    unfinished.mkdir()
    (unfinished / "identity.json").write_text("{}")
    before = sorted(path for top in results for path in top.rglob("*"))
    for words in (["--dry-run"], []):
        assert sorted(path for top in results for path in top.rglob("*")) == before
        done = snakemake(study, *CONFIG, "--delete-all-output", *words)
        assert done.returncode == 0, done.stdout
    assert not any(path.exists() for path in results)
    assert (study / "notes.csv").is_file()


def test_temporary_results_are_deleted_without_their_seals(study):
    done = snakemake(study, *CONFIG, *KEEP, "--delete-temp-output")
    assert done.returncode == 0, done.stdout
    run = study / "results/tiny/models/tuned/notes/small/crops"
    assert sorted(path.name for path in run.iterdir()) == [".seed-1.seal"]
