"""What a storage has to hold beside outputs, and which inputs are not in it; test_storage.py runs a study in one."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.io import is_flagged, sourcecache_entry
from snakemake.settings.types import SharedFSUsage

from selfembed.execution import submitted
from selfembed.execution.storage import beside, taken_from_sources
from selfembed.jobs import records


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("results/corpora/notes.parquet", ["results/corpora/.notes.parquet.seal"]),
        (
            "results/scores/mteb/base/a/0/32.csv",
            ["results/scores/mteb/base/a/0/.32.csv.seal", "results/scores/mteb/base/a/0/32"],
        ),
    ],
)
def test_seals_and_scores_of_single_tasks_are_beside_outputs(output, expected):
    assert beside(Path(output)) == list(map(Path, expected))


def test_only_files_that_no_rule_makes_come_with_the_sources():
    found = taken_from_sources(
        lambda wildcards: ["<results>/corpora/notes.parquet", "tasks/test.csv"], sourcecache_entry
    )
    assert [is_flagged(path, "sourcecache_entry") for path in found(None)] == [False, True]
    assert taken_from_sources(lambda wildcards: "words.csv", sourcecache_entry)(None) == ["words.csv"]
    assert taken_from_sources(lambda wildcards: [], sourcecache_entry)(None) == []


def test_seals_do_not_name_the_folder_of_local_copies(monkeypatch):
    path = ".snakemake/storage/s3/bucket/results/corpora/notes.parquet"
    assert records.without_copies(path) == path
    monkeypatch.setenv("SELFEMBED_LOCAL_COPIES", ".snakemake/storage/s3/bucket")
    assert records.without_copies(path) == "results/corpora/notes.parquet"


@pytest.mark.parametrize(
    ("is_local", "shared", "is_kept"),
    [(False, SharedFSUsage.all(), True), (False, frozenset(), False), (True, SharedFSUsage.all(), False)],
)
def test_submitted_jobs_read_a_copy_of_the_config(tmp_path, monkeypatch, is_local, shared, is_kept):
    monkeypatch.chdir(tmp_path)
    given = [tmp_path / "config.yaml"]
    workflow = SimpleNamespace(
        local_exec=is_local,
        storage_settings=SimpleNamespace(shared_fs_usage=shared),
        config_settings=SimpleNamespace(configfiles=given),
    )
    submitted.keep_config(workflow, {"seeds": [1], "folder": "größe"})
    files = workflow.config_settings.configfiles
    assert (files != given) == is_kept
    if is_kept:
        assert json.loads(files[0].read_text(encoding="utf-8")) == {"seeds": [1], "folder": "größe"}
