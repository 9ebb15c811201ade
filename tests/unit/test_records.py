"""Whole files, provenance, model paths."""

import errno
import hashlib
import re

import pandas as pd
import pytest

from selfembed import model_paths, records
from selfembed.errors import NoSpaceError


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), records.written_whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_whole(tmp_path):
    folder = tmp_path / "deep" / "folder"
    for content in ("one", "two"):
        with records.written_whole(folder) as temporary:
            temporary.mkdir()
            (temporary / content).write_text(content)
    assert [path.name for path in folder.iterdir()] == ["two"]
    assert list(folder.parent.iterdir()) == [folder]


def test_finished_work_takes_its_place_and_leaves_nothing(tmp_path):
    output = tmp_path / "deep" / "run"
    with records.resumable(output, {"seed": 1}) as (state, result):
        (state / "half").write_text("half")
        (result / "whole").write_text("whole")
    assert [path.name for path in output.iterdir()] == ["whole"]
    assert list(output.parent.iterdir()) == [output]


def cut(output, identity, state="half"):
    """Work that fails after it has written some of its state and result."""
    with pytest.raises(KeyboardInterrupt), records.resumable(output, identity) as (folder, result):
        if state:
            (folder / "saving").mkdir(exist_ok=True)
            (folder / "saving" / state).touch()
        (result / "early").touch()
        (result / ".late.csv.x1").mkdir(exist_ok=True)
        raise KeyboardInterrupt


def test_unfinished_work_is_found_again(tmp_path):
    """But not what a killed process was about to write."""
    output = tmp_path / "run"
    cut(output, {"layers": (1, 2)})
    assert [path.name for path in tmp_path.iterdir()] == [".run.unfinished"]
    with records.resumable(output, {"layers": (1, 2)}) as (state, result):
        assert [path.name for path in state.rglob("*")] == ["saving", "half"]
        assert [path.name for path in result.iterdir()] == ["early"]


def test_unfinished_work_of_something_else_is_never_mixed_in(tmp_path):
    output = tmp_path / "run"
    cut(output, {"seed": 1})
    with records.resumable(output, {"seed": 2}) as (state, result):
        assert list(state.iterdir()) == list(result.iterdir()) == []


@pytest.mark.parametrize("lost", ["identity.json", "result"])
def test_work_that_was_killed_as_it_started_or_ended_starts_anew(tmp_path, lost):
    output = tmp_path / "run"
    cut(output, {"seed": 1})
    (tmp_path / ".run.unfinished" / lost).rename(tmp_path / "elsewhere")
    with records.resumable(output, {"seed": 1}) as (state, _):
        assert list(state.iterdir()) == []


def test_a_failure_without_state_leaves_nothing(tmp_path):
    cut(tmp_path / "run", {}, state="")
    assert list(tmp_path.iterdir()) == []


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("context", [records.written_whole, lambda path: records.resumable(path, {})])
def test_a_full_disk_is_one_line_that_names_what_was_to_be_written(tmp_path, context, wrapped):
    """The outermost of what was to be written: that is what people asked for."""
    path = tmp_path / "run"
    line = f"no space left on the disk that holds {path}; free some and run again"
    inside = records.written_whole(tmp_path / "loss.csv")
    with pytest.raises(NoSpaceError, match=f"^{re.escape(line)}$"), context(path), inside:
        if not wrapped:
            raise FULL
        try:
            raise FULL
        except OSError as error:
            raise RuntimeError("a library failed") from error
    assert list(tmp_path.iterdir()) == []


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(PermissionError), records.written_whole(tmp_path / "file"):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_identity_follows_settings_and_code_but_not_the_commit(tmp_path, monkeypatch):
    script = tmp_path / "script.py"
    script.write_text("one")
    first = records.identity(str(script), seed=1)
    monkeypatch.setattr(records, "commit", lambda: "another")
    assert records.identity(str(script), seed=1) == first
    assert records.identity(str(script), seed=2) != first
    script.write_text("two")
    assert records.identity(str(script), seed=1) != first


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_tables_round_trip_and_are_the_same_bytes(tmp_path, ending):
    table = pd.DataFrame({"a": [1, 2], "b": ["x", "ü,\n"]})
    for name in ("one", "two"):
        records.write_table(table, tmp_path / f"{name}{ending}")
    one, two = (tmp_path / f"{name}{ending}" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    read = pd.read_csv(one) if ending == ".csv" else pd.read_parquet(one)
    assert read.to_dict("records") == table.to_dict("records")


def test_checksum(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert records.checksum(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()


def test_provenance_names_versions_and_facts_but_no_time():
    facts = records.provenance(seed=3)
    assert set(facts) == {"seed", "commit", "python", "packages", "machine"}
    assert facts["seed"] == 3
    assert {"torch", "transformers", "sentence-transformers", "scikit-learn"} <= set(facts["packages"])
    assert facts == records.provenance(seed=3)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("base/tfidf", ("tfidf", None, None, None)),
        ("base/small/seed-7", ("small", None, None, 7)),
        ("tuned/iclr/mpnet/crops_temperature-0.5/seed-42", ("mpnet", "iclr", "crops_temperature-0.5", 42)),
    ],
)
def test_a_model_path_tells_what_it_is(path, expected):
    identity = model_paths.identity(path)
    assert identity["model"] == path
    assert tuple(identity[key] for key in ("encoder", "training_corpus", "recipe", "seed")) == expected
