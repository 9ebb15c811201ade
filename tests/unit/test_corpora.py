"""Reading texts from files and cleaning them."""

import hashlib

import pandas as pd
import pytest
from with_defaults import prepare, read_source

from selfembed.errors import InputError
from selfembed.texts import corpora

ROWS = [("Line one.\n\nLine  two.", "a", "T1"), ('Quotes "here", commas', "b", "T2"), ("Émigré 🎉", None, None)]
TABLE = pd.DataFrame(ROWS, columns=["abstract", "field", "name"])


def write(path, table=TABLE):
    """Write a table in the format of the path's ending."""
    match path.suffix:
        case ".csv":
            table.to_csv(path, index=False)
        case ".tsv":
            table.to_csv(path, index=False, sep="\t")
        case ".jsonl":
            table.to_json(path, orient="records", lines=True)
        case ".parquet":
            table.to_parquet(path)
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_table(tmp_path, ending):
    table = read_source(write(tmp_path / f"t{ending}"), text="abstract", label="field", title="name")
    assert list(table.columns) == ["id", "text", "label", "title"]
    assert table["text"].tolist() == [row[0] for row in ROWS]
    assert table["label"].tolist()[:2] == ["a", "b"]
    assert table["label"].isna().tolist() == [False, False, True]
    assert table["id"].isna().all()


def test_format_overrides_the_ending(tmp_path):
    path = tmp_path / "texts.data"
    TABLE.to_csv(path, sep="\t", index=False)
    assert len(read_source(path, format="tsv", text="abstract")) == 3
    with pytest.raises(InputError, match=r"unknown file format: extension '.data'; expected: .csv, .tsv"):
        read_source(path, text="abstract")


def test_byte_order_mark_is_not_part_of_the_first_column(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbftext\nhello\n")
    assert read_source(path)["text"].tolist() == ["hello"]


def test_numeric_labels_become_strings(tmp_path):
    path = write(tmp_path / "t.parquet", pd.DataFrame({"text": ["x", "y"], "label": [1, 2]}))
    assert read_source(path, label="label")["label"].tolist() == ["1", "2"]


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_whole_numbers_with_a_gap_are_the_same_labels_and_ids(tmp_path, ending):
    numbers = [-1, None, 12, 2**53]
    given = pd.DataFrame({"text": list("abcd"), "label": numbers, "id": numbers, "title": [0.5, None, 1.0, 2.0]})
    table = read_source(write(tmp_path / f"t{ending}", given), label="label", id="id", title="title")
    expected = ["-1", "missing", "12", str(2**53)]
    assert table["label"].fillna("missing").tolist() == table["id"].fillna("missing").tolist() == expected
    assert table["title"].fillna("missing").tolist() == ["0.5", "missing", "1.0", "2.0"]
    corpus, _ = prepare(table, unlabelled=("-1",))
    assert corpus["label"].isna().tolist() == [True, True, False, False]


@pytest.mark.parametrize("value", [float("inf"), 1e300])
def test_numbers_that_no_integer_holds_stay_as_they_are(value):
    assert corpora.as_text(pd.Series([value, 1.0])).tolist() == [str(value), "1.0"]


def test_missing_column_names_the_columns(tmp_path):
    with pytest.raises(InputError, match=r"t.csv: no column 'body' for 'text'; columns: abstract, field, name$"):
        read_source(write(tmp_path / "t.csv"), text="body")


@pytest.mark.parametrize(
    ("ending", "content"), [(".parquet", b"no"), (".jsonl", b"{no"), (".csv", b"\xff\xfe\x00a,\x00"), (".csv", b"")]
)
def test_unreadable_file_is_one_clear_line(tmp_path, ending, content):
    path = tmp_path / f"t{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"t{ending}: cannot be read as {ending[1:]}") as error:
        read_source(path)
    assert "\n" not in str(error.value)


def test_an_error_without_a_message_is_one_clear_line_too(tmp_path, monkeypatch):
    path = write(tmp_path / "t.parquet")

    def fail(*_, **__):
        raise OSError

    monkeypatch.setattr(pd, "read_parquet", fail)
    with pytest.raises(InputError, match=r"t.parquet: cannot be read as parquet: OSError$"):
        corpora.read_file(path)
    with pytest.raises(InputError, match=r"t.parquet: not a prepared corpus: OSError$"):
        corpora.read_corpus(path)


def raw(texts, labels=None, titles=None, ids=None) -> pd.DataFrame:
    """A table as `read_source` gives it."""
    none = [None] * len(texts)
    return pd.DataFrame(
        {"id": ids or none, "text": texts, "label": labels or none, "title": titles or none}, dtype=object
    )


def test_every_row_is_accounted_for():
    texts = ["  a  b\n\tc ", "", None, "   ", "a b c", "tiny", "long enough", "other text"]
    labels = ["x", "x", "x", "x", "x", "x", "none", "y"]
    corpus, counts = prepare(raw(texts, labels), unlabelled=("none",), minimum_length=5)
    assert corpus["text"].tolist() == ["a b c", "long enough", "other text"]
    assert corpus["label"].fillna("missing").tolist() == ["x", "missing", "y"]
    assert counts == {
        "read": 8,
        "empty": 3,
        "too short": 1,
        "duplicate": 1,
        "kept": 3,
        "kept, labelled": 2,
        "kept, label too rare": 0,
        "classes": 2,
    }
    assert counts["read"] == counts["empty"] + counts["too short"] + counts["duplicate"] + counts["kept"]


def test_rare_labels_become_no_label():
    corpus, counts = prepare(raw(["t1", "t2", "t3"], ["x", "x", "y"]), minimum_label_count=2)
    assert corpus["label"].isna().tolist() == [False, False, True]
    assert counts["kept, label too rare"] == 1


def test_a_blank_title_is_no_title():
    """Retrieval would ask an empty query."""
    corpus, _ = prepare(raw(["t1", "t2", "t3"], titles=["  ", "", "name"]))
    assert corpus["title"].isna().tolist() == [True, True, False]


def test_ids_depend_on_the_text_alone():
    one, _ = prepare(raw(["alpha", "beta", "gamma"]))
    two, _ = prepare(raw(["gamma", "new", "alpha"]))
    assert one.set_index("text")["id"]["alpha"] == two.set_index("text")["id"]["alpha"]
    assert one["id"][0] == hashlib.sha256(b"alpha").hexdigest()[:16]
    assert one["id"].is_unique


def test_the_sources_ids_are_kept_and_must_be_unique():
    corpus, _ = prepare(raw(["a", "b"], ids=["7", "8"]))
    assert corpus["id"].tolist() == ["7", "8"]
    with pytest.raises(InputError, match="id '7' is not unique"):
        prepare(raw(["a", "b"], ids=["7", "7"]))


def test_duplicates_can_be_kept():
    corpus, counts = prepare(raw(["same", "same"]), deduplicate=False)
    assert counts["duplicate"] == 0
    assert corpus["id"].is_unique


def test_nothing_left_says_where_the_rows_went():
    with pytest.raises(InputError, match="no texts left: 2 read, 1 empty, 1 too short"):
        prepare(raw(["", "ab"]), minimum_length=3)


def test_a_file_that_is_no_corpus_is_named(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(InputError, match="not a prepared corpus"):
        corpora.read_corpus(path)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl"])
def test_words_that_mean_missing_elsewhere_are_words_here(tmp_path, ending):
    words = ["None", "NA", "nan", "null", "N/A"]
    path = write(tmp_path / f"t{ending}", pd.DataFrame({"text": words, "label": words}))
    table = read_source(path, label="label")
    assert table["text"].tolist() == words
    assert table["label"].tolist() == words


def test_trailing_commas_shift_nothing(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,label\nfoo,a,\nbar,b,\n")
    table = read_source(path, label="label")
    assert table["text"].tolist() == ["foo", "bar"]
    assert table["label"].tolist() == ["a", "b"]


def test_a_row_longer_than_the_header_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,label\nfoo,a,x\nbar,b,y\n")
    with pytest.raises(InputError, match="cannot be read as csv"):
        read_source(path, label="label")


def test_dates_as_labels_and_titles_become_text(tmp_path):
    dates = pd.to_datetime(["2017-01-01", None])
    path = write(tmp_path / "t.parquet", pd.DataFrame({"text": ["x", "y"], "date": dates}))
    corpus, _ = prepare(read_source(path, label="date", title="date"))
    assert corpus["label"].isna().tolist() == [False, True]
    assert corpus["title"][0].startswith("2017-01-01")
