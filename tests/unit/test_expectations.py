"""A corpus that is not what the config expects is refused in one line, and nothing is written."""

import pandas as pd
import pytest
import with_defaults
from small_models import text

import crop_corpus
import describe_corpus
import prepare_corpus
import relabel_corpus
import sample_corpus
import title_corpus
from selfembed.errors import InputError
from selfembed.settings.corpora import Expected
from selfembed.texts.corpora import check_expected

ROWS = 6  # of the source: five texts of two classes, one without a label
EXPECTED = "--expect-rows 6 --expect-labelled 5 --expect-classes 2"
SENTENCES = " ".join(f"{text(22, start)}." for start in range(6))


@pytest.fixture
def source(tmp_path):
    """A csv file with two texts alike, which are kept."""
    texts = ["alpha", "beta", "gamma", "gamma", "delta", "epsilon"]
    labels = ["a.x", "a.y", "a.x", "a.x", None, "a.y"]
    pd.DataFrame({"text": texts, "label": labels}).to_csv(tmp_path / "source.csv", index=False)
    return tmp_path / "source.csv"


def prepare(source, expected=""):
    """Run the step; returns the corpus and its counts."""
    output, counts = source.parent / "out" / "news.parquet", source.parent / "out" / "news.json"
    prepare_corpus.main(
        f"--source {source} --label label --no-deduplicate {expected} --output {output} --counts {counts}".split()
    )
    return output, counts


def with_one_row_more(source):
    with open(source, "a", encoding="utf-8") as file:
        file.write("zeta,b.x\n")
    return source


def test_a_local_file_with_one_row_more_is_refused_in_one_line(source):
    prepare(source, EXPECTED)
    for path in (source.parent / "out").iterdir():
        path.unlink()
    with pytest.raises(InputError) as refused:
        prepare(with_one_row_more(source), "--expect-rows 6")
    message = "news: 7 texts instead of 6 (corpora.news.expect.rows); is this the right file or revision?"
    assert str(refused.value) == message
    assert list((source.parent / "out").iterdir()) == []


def test_every_number_that_differs_is_named(source):
    with pytest.raises(InputError) as refused:
        prepare(with_one_row_more(source), EXPECTED)
    assert str(refused.value) == (
        "news: 7 texts instead of 6 (corpora.news.expect.rows), "
        "6 labelled texts instead of 5 (corpora.news.expect.labelled), "
        "3 classes instead of 2 (corpora.news.expect.classes); is this the right file or revision?"
    )


def test_large_numbers_are_easy_to_read():
    corpus = pd.DataFrame({"text": ["x"] * 75_000, "label": None})
    with pytest.raises(InputError, match=r"^biorxiv: 75,000 texts instead of 53,787 "):
        check_expected(corpus, "biorxiv", Expected(rows=53_787))


def test_what_is_expected_changes_no_byte(source):
    alone = [path.read_bytes() for path in prepare(source)]
    assert [path.read_bytes() for path in prepare(source, EXPECTED)] == alone


def test_texts_are_counted_after_cleaning(source):
    """Of six rows, one is a repeated text."""
    prepare(source, "--deduplicate --expect-rows 5 --expect-labelled 4")
    with pytest.raises(InputError, match=r"^news: 5 texts instead of 6 "):
        prepare(source, "--deduplicate --expect-rows 6")


@pytest.fixture
def corpus(tmp_path):
    """Forty texts of two classes that crops can be drawn from."""
    raw = pd.DataFrame(
        {"id": None, "text": [f"{SENTENCES} {n}" for n in range(60)], "label": ["a.x", "a.y"] * 30, "title": "A title"}
    )
    prepared, _ = with_defaults.prepare(raw)
    prepared.to_parquet(tmp_path / "corpus.parquet")
    return tmp_path / "corpus.parquet"


@pytest.mark.parametrize(
    ("step", "arguments", "right", "wrong", "message"),
    [
        (relabel_corpus, "", "--expect-rows 60 --expect-classes 1", "--expect-classes 2", "1 class instead of 2"),
        (sample_corpus, "--size 9", "--expect-labelled 9", "--expect-labelled 8", "9 labelled texts instead of 8"),
        (
            crop_corpus,
            "--held-out 0 --minimum-length 20 --counts {folder}/counts.json",
            "--expect-rows 120",
            "--expect-rows 60",
            "120 texts instead of 60",
        ),
        (
            title_corpus,
            "--held-out 0 --counts {folder}/counts.json",
            "--expect-rows 120 --expect-labelled 120",
            "--expect-rows 60",
            "120 texts instead of 60",
        ),
    ],
)
def test_derived_corpora_are_checked(corpus, step, arguments, right, wrong, message):
    output = corpus.parent / "out" / "derived.parquet"
    given = f"--corpus {corpus} {arguments.format(folder=output.parent)} --output {output}"
    with pytest.raises(InputError, match=rf"^derived: {message} \(corpora\.derived\.expect\."):
        step.main(f"{given} {wrong}".split())
    assert not output.parent.exists()
    step.main(f"{given} {right}".split())
    assert output.is_file()


def test_a_corpus_that_exists_already_is_checked_when_it_is_described(corpus):
    given = f"--corpus {corpus} --output {corpus.parent}/out/d.csv --classes {corpus.parent}/out/c.csv"
    with pytest.raises(InputError, match=r"^corpus: 60 texts instead of 61 "):
        describe_corpus.main(f"{given} --expect-rows 61".split())
    assert not (corpus.parent / "out").exists()
    describe_corpus.main(f"{given} --expect-rows 60 --expect-labelled 60 --expect-classes 2".split())
