"""Results that a disk, a copy or a hand has changed: found, named, and made again, these and no others."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from steps import refusal
from tiny_study import CONFIG, fingerprints

from selfembed.errors import InputError
from selfembed.jobs import records, seals
from workflow_runs import planned, selfembed, snakemake


def verify(folder, *arguments):
    return selfembed(folder, "verify", *arguments)


def flip(path, place=0.5):
    """Change one bit, and nothing that Snakemake looks at."""
    times = path.stat()
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def truncate(path):
    times = path.stat()
    os.truncate(path, path.stat().st_size // 2)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


# A damaged file, the result that it is part of, and steps that read it.
DAMAGE = {
    "results/tiny/corpora/notes.parquet": ("results/tiny/corpora/notes.parquet", "prepare_corpus"),
    "results/tiny/pairs/notes/crops_sentences-1_minimum_length-20/epochs-1/seed-1.parquet": (None, "make_pairs"),
    "results/tiny/pairs/notes/crops_sentences-1_minimum_length-20/epochs-1/seed-1.json": (None, "make_pairs"),
    "results/tiny/tokenizers/small/tokenizer.json": ("results/tiny/tokenizers/small", "train_tokenizer"),
    "results/tiny/models/base/small/seed-1/0/model.safetensors": (
        "results/tiny/models/base/small/seed-1",
        "build_random_model",
    ),
    "results/tiny/models/tuned/notes/small/crops/seed-1/final/model.safetensors": (
        "results/tiny/models/tuned/notes/small/crops/seed-1",
        "fine_tune",
    ),
    "results/tiny/embeddings/notes/base/svd/0/none_last/embeddings.npy": (
        "results/tiny/embeddings/notes/base/svd/0/none_last",
        "embed",
    ),
    "results/tiny/scores/knn/notes/base/svd/0/none_last.csv": (None, "score_knn"),
    "results/tiny/tables/main.csv": (None, "collect_scores"),
    "results/tiny/tables/main_maps.parquet": (None, "collect_maps"),
    "figures/tiny/bars.png": (None, "draw_comparison"),
}


def test_an_untouched_study_is_whole(tiny):
    done = verify(tiny)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip().endswith("0 damaged or outdated")


def test_every_result_has_a_seal_that_says_what_made_it(tiny):
    found = [
        path
        for path in (*(tiny / "results").rglob("*"), *(tiny / "figures").rglob("*"))
        if path.is_file() and path.suffix != ".seal" and path.name != ".snakemake_timestamp"
    ]
    assert len(found) > 40
    for path in found:
        unit = next(unit for unit in (path, *path.parents) if seals.place(unit).is_file())
        seal = json.loads(seals.place(unit).read_text(encoding="utf-8"))
        assert path.relative_to(unit.parent).as_posix() in seal["files"]
        made_by = seal["made_by"]
        assert (tiny / "scripts" / made_by["script"]).is_file()
        assert {"arguments", "inputs", "commit", "python", "packages", "machine"} <= set(made_by)


@pytest.fixture
def damaged(study):
    """A copy of the finished tiny study with files cut, or with one bit flipped."""
    for number, name in enumerate(DAMAGE):
        flip(study / name) if number % 2 else truncate(study / name)
    return study


def test_damaged_results_are_named_and_what_is_made_again_is_planned(damaged):
    assert planned(damaged, *CONFIG) == {}, "Snakemake alone sees nothing"
    done = verify(damaged)
    assert done.returncode == 1
    for name in DAMAGE:
        assert f"{name}: damaged" in done.stdout
    assert verify(damaged, "--delete").returncode == 1
    assert not any((damaged / (unit or name)).exists() for name, (unit, _) in DAMAGE.items())
    assert {rule for _, rule in DAMAGE.values()} <= set(planned(damaged, *CONFIG))


@pytest.mark.campaign
def test_damaged_results_are_made_again_to_the_same_bytes(damaged, tiny):
    verify(damaged, "--delete")
    done = snakemake(damaged, *CONFIG, "--cores", "2")
    assert done.returncode == 0, done.stdout[-3000:]
    assert fingerprints(damaged) == fingerprints(tiny)
    assert verify(damaged).returncode == 0


def test_only_what_is_damaged_is_deleted(study):
    before = set(fingerprints(study))
    flip(study / "results/tiny/embeddings/notes/base/svd/0/none_last/embeddings.npy")
    assert "36 results, 1 damaged or outdated" in verify(study, "--delete").stdout
    gone = before - set(fingerprints(study))
    assert gone == {
        "results/tiny/embeddings/notes/base/svd/0/.none_last.seal",
        "results/tiny/embeddings/notes/base/svd/0/none_last/embeddings.json",
        "results/tiny/embeddings/notes/base/svd/0/none_last/embeddings.npy",
    }


@pytest.mark.parametrize(
    ("name", "step", "flag"),
    [
        ("corpora/notes.parquet", "train_tokenizer", "--corpus"),
        ("tokenizers/small/tokenizer.json", "build_random_model", "--tokenizer"),
        ("models/base/small/seed-1/0/model.safetensors", "fine_tune", "--base"),
        ("models/base/small/seed-1/0/config.json", "embed", "--model"),
        ("embeddings/notes/base/svd/0/none_last/embeddings.npy", "score_knn", "--embeddings"),
        ("tables/main.csv", "draw_comparison", "--table"),
    ],
)
def test_a_step_refuses_a_flipped_bit_and_says_what_to_do(study, tmp_path, monkeypatch, name, step, flag):
    monkeypatch.chdir(study)
    path = Path("results/tiny") / name
    flip(path)
    unit = next(unit for unit in (path, *path.parents) if seals.place(unit).is_file())
    given = path.parent if flag in ("--tokenizer", "--model", "--embeddings") else unit
    said = refusal(step, flag, given, "--output", tmp_path / "out")
    assert f"{path}: damaged" in said
    assert f"delete {unit} and run snakemake again" in said


def test_a_damaged_seal_is_told(study):
    (study / "results/tiny/tables/.main.csv.seal").write_text("{")
    done = verify(study)
    assert "tables/.main.csv.seal: cannot be read" in done.stdout
    verify(study, "--delete")
    assert not (study / "results/tiny/tables/main.csv").exists()


def test_a_corpus_changed_behind_snakemakes_back_is_told(study):
    """A file that is copied over with its old time: Snakemake sees no change, the seals do."""
    notes = study / "notes.csv"
    times = notes.stat()
    notes.write_text(notes.read_text().replace("Water", "Wine"))
    os.utime(notes, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert planned(study, *CONFIG) == {}
    done = verify(study)
    assert done.returncode == 1
    assert "results/tiny/corpora/notes.parquet: outdated, made from another notes.csv" in done.stdout
    verify(study, "--delete")
    jobs = planned(study, *CONFIG)
    assert {"prepare_corpus", "fine_tune", "collect_scores", "draw_comparison"} <= set(jobs)
    assert "build_bag_of_words" not in jobs


def test_other_package_versions_are_told(study):
    seal = study / "results/tiny/tables/.main.csv.seal"
    content = json.loads(seal.read_text())
    content["made_by"]["packages"]["numpy"] = "1.0"
    seal.write_text(json.dumps(content))
    done = verify(study)
    assert "1 results were made with numpy 1.0; installed: " in done.stdout
    assert done.returncode == 0


QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(content=some.binary(min_size=1, max_size=99), place=some.floats(0, 1, exclude_max=True), bit=some.integers(0, 7))
def test_any_flipped_bit_is_found(tmp_path, content, place, bit):
    path = tmp_path / "file"
    with records.written_whole(path) as temporary:
        temporary.write_bytes(content)
    checksum = seals.check(path)
    assert checksum == seals.checksum(path)
    changed = bytearray(content)
    changed[int(place * len(content))] ^= 1 << bit
    path.write_bytes(changed)
    with pytest.raises(InputError, match="damaged"):
        seals.check(path)


@QUICK
@given(seal=some.binary(max_size=60) | some.text(alphabet='{}[]":files,made_by 1', max_size=60).map(str.encode))
def test_any_bytes_in_a_seal_are_read_or_refused(tmp_path, seal):
    path = tmp_path / "file"
    path.write_text("content")
    seals.place(path).write_bytes(seal)
    with pytest.raises(InputError):
        seals.check(path)


def test_a_file_that_is_gone_is_found_and_a_new_one_beside_it_is_no_damage(tmp_path):
    folder = tmp_path / "folder"
    with records.written_whole(folder) as temporary:
        for name in ("a", "b/c"):
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_text(name)
    before = seals.check(folder)
    (folder / "new").write_text("new")
    assert seals.check(folder) == before
    assert seals.check(folder / "new")
    assert seals.check(folder / "b") != before
    (folder / "b" / "c").unlink()
    for path in (folder, folder / "b"):
        with pytest.raises(InputError, match="b/c: damaged"):
            seals.check(path)
    assert seals.check(folder / "a")


def test_a_folder_has_one_checksum_whatever_it_is_called(tmp_path):
    found = set()
    for name in ("one", "two"):
        with records.written_whole(tmp_path / name) as temporary:
            temporary.mkdir()
            (temporary / "file").write_text("content")
        found.add(seals.check(tmp_path / name))
        seals.place(tmp_path / name).unlink()
        found.add(seals.check(tmp_path / name))
    assert len(found) == 1
