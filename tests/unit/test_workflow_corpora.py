"""What rules ask about corpora: their raw files, how these are read, what is downloaded."""

import re
from types import SimpleNamespace

import pytest
from settings_examples import REVISION, changed

from selfembed.jobs.packages import installed_version
from selfembed.settings.corpora import FileSource, IclrSource, UrlSource
from selfembed.study.validation import load
from selfembed.workflow.corpora import Corpora, downloads

SHA256 = "0" * 64
SOURCES = {
    "web": {"type": "url", "url": "https://example.org/a.csv", "sha256": SHA256, "format": "csv", "text": "abstract"},
    "iclr": {"type": "iclr"},
    "set": {"type": "hub", "id": "org/set", "revision": REVISION},
    "part_of_set": {"type": "hub", "id": "org/set", "subset": "en", "text": "body", "label": None, "title": "name"},
    "folder": {"type": "folder", "path": "my texts", "label": "folder"},
    "keyed": {"type": "file", "path": "my news.csv", "keyword_classes": "classes.csv", "keywords": "words"},
    "coarse": {"type": "relabelled", "corpus": "news"},
    "part": {"type": "sample", "corpus": "news", "size": 9},
    "crops": {"type": "crops", "corpus": "docs"},
    "docs": {"type": "python_docs", "packages": ["sklearn", "torch"]},
}
CLEANING = "--minimum-length 1 --minimum-label-count 1 --deduplicate --sentences paper"


def corpora(changes=None):
    sources = {f"corpora.{name}": {"source": source} for name, source in SOURCES.items()}
    return Corpora(load(changed(sources | (changes or {}))))


def of(name):
    return SimpleNamespace(corpus=name)


def test_patterns_are_of_names_by_source():
    assert corpora().of(FileSource) == "news|notes|keyed"
    assert corpora().of(UrlSource, IclrSource) == "web|iclr"
    assert corpora().cleaned() == "news|docs|notes|web|iclr|set|part_of_set|folder|keyed"


@pytest.mark.parametrize(
    ("name", "raw", "reading"),
    [
        pytest.param("news", "news.csv", "--text text --label topic", id="file"),
        pytest.param(
            "keyed", "my news.csv", "--text text --keywords words --keyword-classes classes.csv", id="keywords"
        ),
        pytest.param("web", "<results>/sources/web.download", "--text abstract --format csv", id="url"),
        pytest.param("set", "<results>/sources/set.parquet", "--text text --label label", id="hub"),
        pytest.param(
            "part_of_set",
            "<results>/sources/part_of_set.parquet",
            "--text text --title title",
            id="hub without labels",
        ),
        pytest.param(
            "folder", "<results>/sources/folder.parquet", "--text text --label folder --title title", id="folder"
        ),
        pytest.param(
            "docs", "<results>/sources/docs.parquet", "--text text --label package --title title", id="python_docs"
        ),
    ],
)
def test_a_raw_file_and_how_it_is_read(name, raw, reading):
    assert corpora().raw_file(of(name)) == raw
    assert corpora().reading_flags(of(name)) == f"{reading} {CLEANING}"


def test_a_known_data_set_is_a_file_on_the_web():
    found = corpora()
    address = found.source_flags(keep=("url", "sha256", "git_blob"))(of("iclr"))
    assert re.fullmatch(r"--url https://\S+/iclr24v1\.parquet\.gzip --git-blob [0-9a-f]{40}", address)
    assert found.raw_file(of("iclr")) == "<results>/sources/iclr.download"
    assert "--text abstract --label labels --title title --id id --unlabelled unlabeled" in found.reading_flags(
        of("iclr")
    )


def test_source_flags_are_those_that_a_step_uses():
    found = corpora()
    assert found.source_flags(keep=("url", "sha256", "git_blob"))(of("web")) == (
        f"--url https://example.org/a.csv --sha256 {SHA256}"
    )
    assert found.source_flags(omit=("type",))(of("part_of_set")) == (
        "--id org/set --subset en --split test --text body --no-label --title name"
    )
    assert found.source_flags(omit=("type", "corpus"))(of("part")) == "--size 9 --seed 42"


def test_what_is_expected_of_a_corpus():
    found = corpora({"corpora.news.expect": {"rows": 50, "classes": 2}})
    assert found.expected(of("news")) == "--expect-rows 50 --expect-classes 2"
    assert found.expected_of_made(of("news"), output=None) == "--expect-rows 50 --expect-classes 2"
    assert found.expected(of("docs")) == ""


def test_inputs_that_some_corpora_have():
    found = corpora()
    assert found.origin(of("set")) == "<results>/sources/set.json"
    assert found.origin(of("news")) == []
    assert found.keyword_classes(of("keyed")) == "classes.csv"
    assert found.keyword_classes(of("news")) == []
    assert found.keyword_classes(of("docs")) == []
    assert found.original(of("crops")) == "<results>/corpora/docs.parquet"


def test_a_folder_of_texts_has_a_state_that_follows_its_files(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    found = corpora({"corpora.folder.source.path": str(tmp_path)})
    before = found.folder_state(of("folder"))
    assert found.raw_folder(of("folder")) == str(tmp_path)
    assert found.folder_state(of("folder")) == before
    (tmp_path / "a.txt").write_text("longer")
    assert found.folder_state(of("folder")) != before


def test_docstrings_are_made_anew_with_another_version():
    found = corpora()
    assert found.source_flags(keep=("packages",))(of("docs")) == "--packages sklearn torch"
    assert found.package_versions(of("docs")) == {
        "scikit-learn": installed_version("scikit-learn"),
        "torch": installed_version("torch"),
    }


def test_descriptions_use_the_split_of_the_first_knn_score():
    assert corpora().knn_split() == "--split labelled --test-fraction 0.1 --split-seed 42"
    scores = {"probe": {"type": "linear"}, "knn": {"type": "knn", "test_fraction": 0.2}}
    assert "--test-fraction 0.2" in corpora({"scores": scores}).knn_split()
    without = {"scores": {"probe": {"type": "linear"}}, "experiments.main.scores": ["probe"], "figures": {}}
    assert corpora(without).knn_split() == "--split labelled --test-fraction 0.1 --split-seed 42"


def test_downloads_are_everything_from_the_network():
    settings = corpora({"tasks": {"ArguAna": {"type": "registry", "block": "retrieval"}}}).settings
    assert downloads(settings) == [
        "<results>/sources/web.download",
        "<results>/sources/iclr.download",
        "<results>/sources/set.parquet",
        "<results>/sources/part_of_set.parquet",
        "<results>/encoders/mpnet",
        "<results>/tasks/ArguAna",
    ]
