"""Every corpus of config.yaml has the paper's size, and somebody other than the paper counted it."""

import re
from functools import cache

import mteb
import pytest
import yaml

from selfembed.costs import sizes
from selfembed.settings.corpora import HubSource, IclrSource, RelabelledSource, SampleSource
from selfembed.study.validation import load
from workflow_runs import ROOT

CORPORA = load(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))).corpora
ON_THE_HUB = [name for name, corpus in CORPORA.items() if isinstance(corpus.source, HubSource)]
MTEB = "mteb's statistics of "


@cache
def counts_of_tasks() -> dict[tuple[str, str], dict[str, tuple[int, int]]]:
    """Texts and classes that the installed mteb counted: by data set and revision, by task."""
    found: dict = {}
    for task in mteb.get_tasks(exclude_superseded=False, exclude_private=False):
        about = task.metadata
        statistics = (about.descriptive_stats or {}).get("test")
        if about.type == "Clustering" and statistics:
            labels = statistics.get("labels_statistics") or statistics.get("label_statistics")
            counted = statistics["num_samples"], labels["unique_labels"]
            found.setdefault((about.dataset["path"], about.dataset["revision"]), {})[about.name] = counted
    return found


def counted(repository, revision) -> tuple[str, tuple[int, int]] | None:
    """The task that has all texts of a revision, and its texts and classes; None if mteb counted no such task.

    Tasks of the same revision can leave out rare classes or take a part: the one with the most texts has all.
    """
    tasks = counts_of_tasks().get((repository, revision))
    return max(tasks.items(), key=lambda item: item[1]) if tasks else None


def documented() -> dict[str, dict[str, str]]:
    """The table of data sets in the docs, by corpus."""
    page = (ROOT / "docs" / "reproducing.md").read_text(encoding="utf-8")
    lines = page.split("### Data sets", 1)[1].split("\n| corpus |", 1)[1].split("\n\n", 1)[0].splitlines()
    names = ("repository", "revision", "texts", "labelled", "classes", "counted")
    cells = [[cell.strip(" `") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in cells}


@pytest.mark.parametrize("name", CORPORA)
def test_every_corpus_says_its_size(name):
    expect = CORPORA[name].expect
    assert expect.rows and expect.labelled
    assert expect.classes or isinstance(CORPORA[name].source, SampleSource)


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_THE_HUB)
def test_a_pinned_revision_has_the_size_that_mteb_counted(name):
    """Where mteb counted another revision only, the docs name another who counted this one."""
    corpus = CORPORA[name]
    found = counted(corpus.source.id, corpus.source.revision)
    says = documented()[name]["counted"]
    if found is None:
        assert says and MTEB not in says, f"mteb has no statistics of {corpus.source.id} at {corpus.source.revision}"
        return
    task, numbers = found
    assert numbers == (corpus.expect.rows, corpus.expect.classes), task
    assert f"{MTEB}{task}" in says


def test_only_one_corpus_is_not_counted_by_mteb():
    """So that the test above cannot pass with a revision that nobody knows."""
    sources = {name: CORPORA[name].source for name in ON_THE_HUB}
    assert [name for name, source in sources.items() if not counted(source.id, source.revision)] == ["medrxiv"]


@pytest.mark.parametrize(
    ("name", "revision", "texts"),
    [
        ("biorxiv", "65b79d1d13f80053f67aca9498d9402c2d9f1f40", 75_000),
        ("medrxiv", "e7a26af6f3ae46b30dde8737f02c07b1505bcc73", 37_500),
    ],
)
def test_the_tasks_revisions_are_other_data(name, revision, texts):
    """What config.yaml once pinned."""
    assert counted(CORPORA[name].source.id, revision)[1][0] == texts != CORPORA[name].expect.rows
    assert CORPORA[name].source.revision != revision


def test_main_classes_of_arxiv_follow_from_its_labels():
    """The 180 labels that mteb lists have 39 different parts before the first full stop."""
    task = next(task for task in mteb.get_tasks(exclude_superseded=False) if task.metadata.name == "ArxivClusteringP2P")
    labels = task.metadata.descriptive_stats["test"]["label_statistics"]["labels"]
    main = CORPORA["arxiv_main"]
    assert main.source == RelabelledSource(type="relabelled", corpus="arxiv")
    assert len({label.split(".")[0] for label in labels}) == main.expect.classes
    assert sum(label["count"] for label in labels.values()) == main.expect.rows == main.expect.labelled


@pytest.mark.parametrize("name", CORPORA)
def test_the_table_in_the_docs_is_that_of_the_config(name):
    corpus, row = CORPORA[name], documented()[name]
    for cell, number in (("texts", "rows"), ("labelled", "labelled"), ("classes", "classes")):
        expected = getattr(corpus.expect, number)
        assert row[cell] == ("–" if expected is None else f"{expected:,}"), cell
    match corpus.source:
        case HubSource(id=repository, revision=revision):
            pass
        case IclrSource():
            address = re.search(r"com/([^/]+/[^/]+)/(\w+)/(data/.+)$", corpus.source.columns.url)
            repository, revision = f"{address[1]}, {address[3]}", address[2]
        case _:
            repository, revision = f"as {corpus.source.corpus}", ""
    assert (row["repository"], row["revision"]) == (repository, revision)
    assert row["counted"]


def test_the_table_in_the_docs_has_no_other_corpus():
    assert list(documented()) == list(CORPORA)


def test_what_costs_are_computed_from_is_what_is_expected():
    found = {row["corpus"]: row for row in sizes.rows("sizes.csv")}
    assert list(found) == list(CORPORA)
    for name, row in found.items():
        expect = CORPORA[name].expect
        assert (int(row["texts"]), int(row["labelled"])) == (expect.rows, expect.labelled)
        assert expect.classes in (None, int(row["classes"]))


def test_commits_are_whole_and_no_branch():
    for version in ("24v1", "24v2"):
        source = IclrSource(type="iclr", version=version).columns
        assert re.search(r"/iclr-dataset/[0-9a-f]{40}/data/iclr24v", source.url)
