"""The tiny study, embedded by several jobs: the same bytes, and what another number of jobs reruns."""

import re
import shutil

import pytest
from tiny_study import CONFIG, KEEP, fingerprints, tiny_study

from workflow_runs import planned, selfembed, snakemake

pytestmark = pytest.mark.long

EMBEDDING = "scripts/selfembed/embeddings/embedding.py"
PARTS = "results/tiny/embeddings_in_parts/"
SEAL = "results/tiny/embeddings/notes/tuned/notes/small/crops/seed-1/final/.mean_last.seal"


def in_jobs(number):
    """Words of a command for the study with so many jobs."""
    return (*CONFIG, "--config", f"corpora={{notes: {{embedding_jobs: {number}}}}}")


def edit(study, change):
    path = study / EMBEDDING
    text = path.read_text(encoding="utf-8")
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")


@pytest.fixture(scope="module")
def in_blocks(tmp_path_factory):
    """The figure of the tiny study, whose 90 texts are six blocks, embedded by one job."""
    folder = tiny_study(tmp_path_factory.mktemp("jobs") / "study")
    edit(folder, lambda text: re.sub(r"^BLOCK = \d+", "BLOCK = 16", text, flags=re.MULTILINE))
    done = snakemake(folder, "bars", *CONFIG, "--cores", "2")
    assert done.returncode == 0, done.stdout[-5000:]
    return folder


@pytest.fixture(scope="module")
def in_parts(in_blocks, tmp_path_factory):
    """A copy of it, embedded again by three jobs."""
    folder = shutil.copytree(in_blocks, tmp_path_factory.mktemp("parts") / "study")
    done = snakemake(folder, "bars", *in_jobs(3), "--cores", "2", "--forcerun", "embed")
    assert done.returncode == 0, done.stdout[-5000:]
    return folder


def test_vectors_and_scores_of_several_jobs_have_the_bytes_of_one(in_blocks, in_parts):
    """Only seals tell: that of the merged vectors, and those of the parts, which are removed."""
    assert len(list((in_parts / "logs/tiny/embed_part").rglob("*.log"))) == 3
    one, several = fingerprints(in_blocks), fingerprints(in_parts)
    names = [name for name in several if name.startswith(PARTS)]
    assert sorted(name.rpartition("/")[2] for name in names) == [f".{part}-of-3.seal" for part in (1, 2, 3)]
    differing = {name for name in {*one, *several} if one.get(name) != several.get(name)}
    assert differing == {SEAL, *names}


def test_lineage_and_verification_pass_through_removed_parts(in_parts):
    said = selfembed(in_parts, "lineage", "figures/tiny/bars.png")
    assert said.returncode == 0, said.stderr
    assert [part for part in ("1-of-3", "2-of-3", "3-of-3") if f"--part {part}" not in said.stdout] == []
    done = selfembed(in_parts, "verify")
    assert done.returncode == 0, done.stdout


def test_parts_have_texts_of_their_own(in_parts):
    """Otherwise one part with all texts would pass the test above."""
    logs = sorted((in_parts / "logs/tiny/embed_part").rglob("*.log"))
    assert [re.search(r"(\d+) of \1 texts", path.read_text())[1] for path in logs] == ["32", "32", "26"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_another_number_of_jobs_reruns_nothing(in_blocks, in_parts, number):
    for study in (in_blocks, in_parts):
        assert planned(study, "bars", *in_jobs(number)) == {}


def test_another_number_of_jobs_reruns_nothing_where_embeddings_were_removed(kept):
    assert planned(kept, *in_jobs(3), *KEEP[1:]) == {}


@pytest.mark.parametrize(("made", "number"), [("in_blocks", 1), ("in_parts", 1), ("in_parts", 3)])
def test_a_comment_embeds_nothing_again(request, tmp_path, made, number):
    """With a larger number than before it would: Snakemake has no records of the new parts (docs/cluster.md)."""
    study = shutil.copytree(request.getfixturevalue(made), tmp_path / "study")
    edit(study, lambda text: text.replace("\nimport ", "\n# An edit.\nimport ", 1))
    assert planned(study, "bars", *in_jobs(number)) == {}


def test_changed_code_embeds_again_in_parts(in_parts, tmp_path):
    study = shutil.copytree(in_parts, tmp_path / "study")
    edit(study, lambda text: text + "\nEDITED = 1\n")
    jobs = planned(study, "bars", *in_jobs(3))
    assert {rule: jobs[rule] for rule in ("embed", "embed_part")} == {"embed": 2, "embed_part": 3}
    precision = planned(in_parts, "bars", *in_jobs(2), "embedding={precision: bf16}")
    assert (precision["embed"], precision["embed_part"]) == (1, 2)
    assert "fine_tune" not in precision


def test_finished_parts_are_merged_after_an_interruption(in_blocks, tmp_path):
    """A job that fails leaves the parts of others; the next run makes the rest."""
    study = shutil.copytree(in_blocks, tmp_path / "study")
    shutil.rmtree((study / SEAL).with_name("mean_last"))
    first = f"{PARTS}notes/tuned/notes/small/crops/seed-1/final/mean_last/1-of-3"
    done = snakemake(study, first, *in_jobs(3), "--cores", "1")
    assert done.returncode == 0, done.stdout[-3000:]
    assert (study / first).is_dir()
    target = str((study / SEAL).with_name("mean_last").relative_to(study))
    assert planned(study, target, *in_jobs(3)) == {"embed": 1, "embed_part": 2}
    done = snakemake(study, target, *in_jobs(3), "--cores", "1")
    assert done.returncode == 0, done.stdout[-3000:]
    assert not (study / first).exists()
    vectors = f"{target}/embeddings.npy"
    assert (study / vectors).read_bytes() == (in_blocks / vectors).read_bytes()
