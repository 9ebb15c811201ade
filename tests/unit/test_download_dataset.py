"""The data set downloader against a local server that speaks the hub's protocol."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import prepare_corpus
from download_dataset import flattened
from local_servers import REVISION, Hub, serving
from selfembed.downloads import hub_datasets
from selfembed.errors import InputError
from selfembed.jobs.seals import checksum
from selfembed.provenance import lineage
from selfembed.texts import splits

SCRIPT = Path(splits.__file__).parents[2] / "download_dataset.py"
SETS = [{"sentences": ["a", "b"], "labels": ["x", "y"]}, {"sentences": ["c"], "labels": ["x"]}]
FLAT = [{"sentences": "a", "labels": "x"}, {"sentences": "b", "labels": "y"}, {"sentences": "c", "labels": "x"}]
EXPECTED = pd.DataFrame({"text": ["a", "b", "c"], "label": ["x", "y", "x"]})


def lines(rows):
    return "\n".join(map(json.dumps, rows)).encode()


LAYOUTS = {
    "lists in compressed lines": {"test.jsonl.gz": gzip.compress(lines(SETS))},
    "flat lines": {"test.jsonl": lines(FLAT), "train.jsonl": b"{}"},
    "lists in Parquet": {"data/test-00000-of-00001.parquet": SETS, "data/train-00000-of-00001.parquet": FLAT},
    "several Parquet files": {
        "data/test-00000-of-00002.parquet": FLAT[:2],
        "data/test-00001-of-00002.parquet": FLAT[2:],
    },
}


def repository(folder, layout):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in layout.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            pd.DataFrame(content).to_parquet(path)
    return folder


def download(hub, folder, revision=REVISION):
    command = [sys.executable, str(SCRIPT), "--id", "team/encoder", *(["--revision", revision] if revision else [])]
    environment = os.environ | {"HF_ENDPOINT": hub, "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_XET": "1"}
    command += ["--output", str(folder / "texts.parquet"), "--origin", str(folder / "texts.json")]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_texts_in_order(tmp_path, layout):
    with serving(Hub, folder=repository(tmp_path / "hub", LAYOUTS[layout]), kind="datasets/") as (hub, _):
        done = download(hub, tmp_path)
    assert done.returncode == 0, done.stderr
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "texts.parquet"), EXPECTED, check_dtype=False)


@pytest.mark.parametrize("pinned", [True, False])
def test_the_revision_is_recorded_where_later_steps_see_it(tmp_path, pinned):
    """Beside the texts, in the corpus's JSON and in the provenance; without a pin, one line of the log says so."""
    files = repository(tmp_path / "hub", LAYOUTS["flat lines"])
    with serving(Hub, folder=files, kind="datasets/") as (hub, _):
        done = download(hub, tmp_path, revision=REVISION if pinned else None)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "not pinned" in line]
    assert len(said) == (0 if pinned else 1)
    assert pinned or said[0].endswith(f"newest is {REVISION}; add `revision: {REVISION}` to the config to pin it")
    origin = {"repository": "team/encoder", "revision": REVISION, "pinned": pinned, "split": "test"}
    assert json.loads((tmp_path / "texts.json").read_text()) == origin

    given = f"--source {tmp_path}/texts.parquet --label label --origin {tmp_path}/texts.json"
    prepare_corpus.main(f"{given} --output {tmp_path}/news.parquet --counts {tmp_path}/news.json".split())
    assert json.loads((tmp_path / "news.json").read_text())["origin"] == origin
    data = lineage.lineage(tmp_path / "news.parquet").data
    assert data[f"hub:team/encoder@{REVISION}/test.jsonl"] == checksum(files / "test.jsonl")


@pytest.mark.parametrize("behaviour", ["slow", "cut once"])
def test_a_slow_and_a_cut_download_end_well(tmp_path, behaviour):
    rows = [{"sentences": f"text {number} " * 9, "labels": "x"} for number in range(1000)]
    folder = repository(tmp_path / "hub", {"test.jsonl": lines(rows)})
    with serving(Hub, folder=folder, kind="datasets/", behaviour=behaviour, broken=set()) as (hub, server):
        done = download(hub, tmp_path)
    assert done.returncode == 0, done.stderr
    assert behaviour == "slow" or server.broken == {"test.jsonl"}
    assert pd.read_parquet(tmp_path / "texts.parquet")["text"].tolist() == [row["sentences"] for row in rows]


def test_no_such_data_set_is_one_line(tmp_path):
    with serving(Hub, folder=repository(tmp_path / "hub", {}), kind="datasets/", repository="team/other") as (hub, _):
        done = download(hub, tmp_path)
    assert done.returncode == 1
    assert "error: hub: no repository 'team/encoder'" in done.stderr


@pytest.mark.parametrize(
    ("settings", "layout", "message"),
    [
        ({"etag": "0" * 64}, {"test.jsonl": lines(FLAT)}, f"expected {'0' * 64}; not kept"),
        ({}, {"train.jsonl": lines(FLAT)}, "no file of split 'test' among train.jsonl"),
        ({}, {"test.jsonl": lines([{"text": "a"}])}, "no column 'sentences'; columns: text"),
        ({}, {"test.jsonl": lines([{"sentences": ["a"], "labels": ["x", "y"]}])}, "differ in length"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_left(tmp_path, settings, layout, message):
    with serving(Hub, folder=repository(tmp_path / "hub", layout), kind="datasets/", **settings) as (hub, _):
        done = download(hub, tmp_path)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not (tmp_path / "texts.parquet").exists()
    assert not (tmp_path / "texts.json").exists()


def test_parquet_is_preferred_and_other_splits_are_not_taken():
    names = [
        "test.jsonl",
        "data/test-0.parquet",
        "data/latest-0.parquet",
        "train.parquet",
        "test/0.parquet",
        "README.md",
    ]
    assert hub_datasets.files_of_split(names, "test") == ["data/test-0.parquet", "test/0.parquet"]


def test_lists_of_different_length_are_one_clear_line():
    with pytest.raises(InputError, match="lists of 's' and 'l' differ in length"):
        flattened(pd.DataFrame({"s": [["a", "b"]], "l": [["x"]]}), "s", "l")


README = """---
configs:
- config_name: en
  data_files:
  - {split: train, path: "english/a-*"}
  - {split: test, path: ["english/b.jsonl", "english/c.jsonl"]}
- config_name: de
  data_dir: german
  data_files: "*.csv"
---
"""
NAMES = ["README.md", "english/a-1.parquet", "english/b.jsonl", "english/c.jsonl", "german/x.csv", "dataset_infos.json"]
SUBSETS = {
    "en": {"train": ["english/a-*"], "test": ["english/b.jsonl", "english/c.jsonl"]},
    "de": {"train": ["german/*.csv"]},
}


def test_subsets_are_those_of_the_readme(tmp_path):
    from selfembed.downloads import hub

    (tmp_path / "README.md").write_text(README)
    configs = hub.metadata(tmp_path / "README.md")["configs"]
    assert hub_datasets.declared(configs) == SUBSETS
    assert hub_datasets.declared([{"config_name": "x", "data_files": 3}]) == {}
    (tmp_path / "README.md").write_text("---\n[\n---\n")
    assert hub.metadata(tmp_path / "README.md") == {}


@pytest.mark.parametrize(
    ("subset", "split", "found"),
    [
        ("en", "train", ["english/a-1.parquet"]),
        ("en", "test", ["english/b.jsonl", "english/c.jsonl"]),
        ("de", "train", ["german/x.csv"]),
        ("german", "train", ["german/x.csv"]),
    ],
)
def test_files_of_a_subset_are_those_of_the_readme_or_of_its_folder(subset, split, found):
    assert hub_datasets.files_of_split(NAMES, split, subset, SUBSETS) == found


def test_a_split_that_a_subset_lacks_is_one_line():
    with pytest.raises(InputError, match=r"no file of split 'test' of subset 'de'; splits: train; expected: \.parquet"):
        hub_datasets.files_of_split(NAMES, "test", "de", SUBSETS)


@pytest.mark.parametrize(
    ("names", "subsets", "chosen"),
    [
        (["a.csv"], {}, (None, "train")),
        (["test.csv", "validation.csv"], {}, (None, "test")),
        (["train.csv", "test.csv"], {}, (None, "train")),
        (NAMES, {"only": {"dev": ["x"]}}, ("only", "dev")),
        (NAMES, SUBSETS | {"default": {"train": ["x"]}}, ("default", "train")),
    ],
)
def test_subset_and_split_have_defaults(names, subsets, chosen):
    assert hub_datasets.choose(names, subsets, None, None) == chosen


def test_one_of_several_subsets_must_be_chosen():
    with pytest.raises(InputError, match="several subsets: en, de; expected: one of them, SUBSET="):
        hub_datasets.choose(NAMES, SUBSETS, None, None)
    assert hub_datasets.choose(NAMES, SUBSETS, "en", None) == ("en", "train")


def test_there_are_columns_of_texts_and_of_what_is_named():
    table = pd.DataFrame({"body": ["a b", "c d"], "name": ["A", None], "label": [1.0, None]})
    assert flattened(table, "body", None).columns.tolist() == ["text"]
    assert flattened(table, "body", None, group="name").columns.tolist() == ["text", "group"]
    flat = flattened(table, "body", "label", "name")
    assert flat["label"].fillna("missing").tolist() == ["1", "missing"]
    assert flat["title"].fillna("missing").tolist() == ["A", "missing"]
