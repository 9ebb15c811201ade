"""Whole files, provenance, model paths."""

import hashlib

import pandas as pd
import pytest

from selfembed.jobs import model_paths, records


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
    assert sorted(folder.parent.iterdir()) == [folder.parent / ".folder.seal", folder]


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
