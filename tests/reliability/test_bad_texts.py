"""Files that people bring: whatever is in them, a step ends in one line and writes nothing."""

import gzip
import json
import shutil
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from steps import refusal, run
from with_defaults import prepare as clean
from with_defaults import read_source

from selfembed.errors import InputError
from selfembed.scores import tables
from selfembed.tasks import tasks_from_files
from selfembed.tasks.task_files import FILES
from selfembed.texts.keywords import read_classes

GOOD = "text,label\nA first text.,a\nA second text.,b\n"


def parquet(folder: Path, **columns) -> bytes:
    path = folder / "made.parquet"
    pd.DataFrame(columns).to_parquet(path)
    content = path.read_bytes()
    path.unlink()
    return content


def prepare(folder: Path, *arguments: object, by=refusal):
    """Prepare the source in a folder; whatever happens, the source stays, and nothing is left half-written."""
    (source,) = folder.iterdir()
    before = source.read_bytes() if source.is_file() else None
    output = folder.parent / "out"
    said = by(
        "prepare_corpus",
        "--source",
        source,
        *arguments,
        "--output",
        output / "c.parquet",
        "--counts",
        output / "c.json",
    )
    assert before is None or source.read_bytes() == before
    assert by is run or not output.exists() or not list(output.iterdir())
    return said


@pytest.mark.parametrize(
    ("name", "content", "arguments", "expected"),
    [
        pytest.param("t.csv", b"", (), "cannot be read as csv: No columns to parse", id="csv empty"),
        pytest.param("t.csv", b"\n\n\n", (), "cannot be read as csv", id="csv of empty lines"),
        pytest.param("t.csv", b"text,label\n", (), "no texts left: 0 read", id="csv of a header alone"),
        pytest.param("t.csv", b"text\n \n\t\n", (), "no texts left", id="csv of blank texts"),
        pytest.param("t.csv", b"\x00\x01\x02\xff\xfe" * 99, (), "cannot be read as csv", id="csv binary"),
        pytest.param("t.csv", "text\ncafé\n".encode("latin-1"), (), "'utf-8' codec", id="csv latin-1"),
        pytest.param("t.csv", "text\ncafé\n".encode("utf-16"), (), "'utf-8' codec", id="csv utf-16"),
        pytest.param(
            "t.csv", b"text\n\x81\n", ("--encoding", "cp1252"), "cannot be read as csv", id="csv not in its encoding"
        ),
        pytest.param("t.csv", b"text\n\x81\n", ("--encoding", "no"), "not a text encoding", id="csv unknown encoding"),
        pytest.param("t.csv", GOOD.encode(), ("--separator", ";"), "no column 'text'", id="csv other separator"),
        pytest.param("t.csv", b"text,label\na,b,c,d\ne,f,g,h\n", (), "cannot be read as csv", id="csv ragged"),
        pytest.param("t.csv", b'text,label\n"never closed,a\nb,c\n', (), "cannot be read as csv", id="csv open quote"),
        pytest.param("t.csv", b"body\nx\n", (), "no column 'text' for 'text'; columns: body", id="csv wrong column"),
        pytest.param(
            "t.csv", GOOD.encode(), ("--label", "topic"), "no column 'topic' for 'label'", id="csv label column"
        ),
        pytest.param("t.csv", GOOD.encode(), ("--id", "number"), "no column 'number' for 'id'", id="csv id column"),
        pytest.param("t.csv", GOOD.encode(), ("--title", "t"), "no column 't' for 'title'", id="csv title column"),
        pytest.param(
            "t.csv",
            b"id,text\n1,a b\n1,c d\n",
            ("--id", "id", "--deduplicate"),
            "is not unique",
            id="csv ids twice",
        ),
        pytest.param("t.csv", b"text,text\na,b\n", (), "column 'text' is duplicated", id="csv column twice"),
        pytest.param("t.csv", b"text\nab\ncd\n", ("--minimum-length", "9"), "no texts left", id="csv all too short"),
        pytest.param("t.csv", GOOD.encode(), ("--minimum-length", "0"), "--minimum-length", id="minimum length 0"),
        pytest.param("t.csv", GOOD.encode(), ("--minimum-length", "x"), "whole numbers", id="minimum length a word"),
        pytest.param("t.csv", GOOD.encode(), ("--minimum-label-count", "-1"), "--minimum-label-count", id="negative"),
        pytest.param("t.csv", GOOD.encode(), ("--colour", "red"), "unrecognized arguments", id="unknown flag"),
        pytest.param("t.csv", GOOD.encode(), ("--format", "xls"), "invalid choice", id="unknown format"),
        pytest.param("t.csv", GOOD.encode(), ("--format", "parquet"), "cannot be read as parquet", id="csv as parquet"),
        pytest.param("t.csv", GOOD.encode(), ("--format", "jsonl"), "cannot be read as jsonl", id="csv as jsonl"),
        pytest.param("t.csv", GOOD.encode(), ("--keywords", "text"), "keyword", id="keywords without classes"),
        pytest.param("t.tsv", GOOD.encode(), (), "no column 'text'", id="csv called tsv"),
        pytest.param("t.xlsx", b"PK\x03\x04", (), "cannot be read as xlsx", id="xlsx of its mark alone"),
        pytest.param("t.xls", b"\xd0\xcf\x11\xe0", (), "unknown file format: extension '.xls'", id="xls"),
        pytest.param("t.csv", b"\xd0\xcf\x11\xe0", (), "an old Excel or Word file; expected: ", id="xls called csv"),
        pytest.param("t.csv", b"PK\x03\x04", (), "is a zip archive; expected: ", id="zip called csv"),
        pytest.param("t.csv", b"text\na\x00b\n", (), "line 2 contains a NUL character; expected: ", id="csv with NULs"),
        pytest.param(
            "t.csv", "text\nab c\n".encode("utf-16-le"), (), "its encoding seems to be utf-16-le", id="csv utf-16-le"
        ),
        pytest.param("t", GOOD.encode(), (), "unknown file format: extension ''", id="no ending"),
        pytest.param("t.jsonl", b"", (), "no column 'text'", id="jsonl empty"),
        pytest.param("t.jsonl", b"{", (), "cannot be read as jsonl", id="jsonl broken"),
        pytest.param("t.jsonl", b'{"text": "a"}\n{"text": "b"', (), "cannot be read as jsonl", id="jsonl cut"),
        pytest.param("t.jsonl", b"[1, 2]\n", (), "no column 'text'", id="jsonl of lists"),
        pytest.param("t.jsonl", b"3\n4\n", (), "no column 'text'", id="jsonl of numbers"),
        pytest.param("t.jsonl", b'{"body": "a"}\n', (), "no column 'text'", id="jsonl wrong key"),
        pytest.param("t.jsonl", b'{"text": {"a": 1}}\n', (), "contains a dict", id="jsonl of groups"),
        pytest.param("t.jsonl", b'{"text": ["a"]}\n', (), "contains a list", id="jsonl of lists of texts"),
        pytest.param("t.jsonl", b"\xff\xfe{\x00", (), "'utf-8' codec", id="jsonl utf-16"),
        pytest.param("t.parquet", b"", (), "cannot be read as parquet", id="parquet empty"),
        pytest.param("t.parquet", b"PAR1", (), "cannot be read as parquet", id="parquet of its mark alone"),
        pytest.param(
            "t.parquet", b"PAR1" + b"\x00" * 99 + b"PAR1", (), "cannot be read as parquet", id="parquet of zeros"
        ),
    ],
)
def test_a_bad_source_is_refused_in_one_line(tmp_path, name, content, arguments, expected):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(content)
    assert expected in prepare(folder, *arguments)


def test_a_truncated_parquet_file_is_refused(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    whole = parquet(folder, text=[f"text number {n}" for n in range(999)])
    (folder / "t.parquet").write_bytes(whole[: len(whole) // 2])
    assert "cannot be read as parquet" in prepare(folder)


def test_a_column_that_comes_twice_in_parquet_is_refused(tmp_path):
    import pyarrow
    from pyarrow import parquet as files

    path = tmp_path / "t.parquet"
    files.write_table(pyarrow.table([["a"], ["b"]], names=["text", "text"]), path)
    with pytest.raises(InputError, match=r"twice|Multiple matches"):
        read_source(path)


def test_a_name_with_a_line_break_is_told_in_one_line(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "t.csv").write_text('"bo\ndy"\nx\n')
    assert "columns: bo dy" in prepare(folder)


def test_a_missing_source_and_a_folder_for_a_file_are_refused(tmp_path):
    folder = tmp_path / "in"
    (folder / "t.csv").mkdir(parents=True)
    assert "t.csv" in prepare(folder)
    (folder / "t.csv").rename(folder / "other")
    flags = ("--source", folder / "t.csv", "--output", tmp_path / "c.parquet", "--counts", tmp_path / "c.json")
    assert "does not exist" in refusal("prepare_corpus", *flags)


def test_odd_but_readable_sources_are_read(tmp_path):
    """One class, no label, NULs at the end, a mark, quoted line breaks, gzip: these are texts, and none is lost."""
    for number, content in enumerate(
        [
            b"text,label\none text,a\nother text,a\n",
            b"text,label\none text,\nother text,\n",
            b"text,label\none text,a\nother text,b\n\x00\x00",
            gzip.compress(b"text,label\none text,a\nother text,b\n"),
            b"\xef\xbb\xbftext,label\none text,a\nother text,b\n",
            b'text,label\n"one\ntext",a\nother text,b\n',
            b"text,label\r\none text,a\r\nother text,b\r\n",
            b"text,label\none text\nother text,b\n",
        ]
    ):
        folder = tmp_path / str(number) / "in"
        folder.mkdir(parents=True)
        (folder / "t.csv").write_bytes(content)
        assert prepare(folder, "--label", "label", by=run) is None, content
        assert len(pd.read_parquet(folder.parent / "out" / "c.parquet")) == 2, content


@pytest.mark.parametrize(
    ("files", "arguments", "expected"),
    [
        ({}, (), "no .txt file in this folder"),
        ({"a.md": b"text", ".b.txt": b"text"}, (), "no .txt file in this folder"),
        ({"a.txt": b"text"}, ("--extension", "md"), "no .md file in this folder"),
        ({"a.txt": b"a\x00b"}, (), "a.txt: line 1 contains a NUL character"),
        ({"a.txt": b"text", "b.txt": "café".encode("latin-1")}, (), "b.txt: cannot be read: 'utf-8' codec"),
        ({"a.txt": b"\x81"}, ("--encoding", "cp1252"), "a.txt: cannot be read: 'charmap' codec"),
        ({"a.txt": b"\x81"}, ("--encoding", "no"), "not a text encoding"),
        ({"a.txt/b": b"a folder that is called like a text"}, (), "no .txt file in this folder"),
    ],
)
def test_bad_folders_of_texts_are_refused(tmp_path, files, arguments, expected):
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    output = tmp_path / "out" / "t.parquet"
    assert expected in refusal("collect_texts", "--folder", folder, *arguments, "--output", output)
    assert not output.exists()


def test_a_folder_that_is_none_is_refused(tmp_path):
    arguments = ("--output", tmp_path / "t.parquet")
    assert "no such folder" in refusal("collect_texts", "--folder", tmp_path / "none", *arguments)


KEYWORDS = "keyword,frequency,class\nrivers,3,water\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "cannot be read"),
        ("keyword,class\nrivers,water\n", "no column frequency"),
        ("keyword,frequency,class\nrivers,many,water\n", "expected: a number"),
        (KEYWORDS + "Rivers,4,water\n", "is duplicated"),
        ("keyword,frequency,class\nrivers,3,water,x,y\n", "cannot be read"),
    ],
)
def test_bad_keyword_classes_are_refused(tmp_path, content, expected):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "t.csv").write_text(GOOD)
    classes = tmp_path / "classes.csv"
    classes.write_text(content)
    assert expected in prepare(folder, "--keywords", "label", "--keyword-classes", classes)


@pytest.mark.parametrize(
    ("kind", "files", "expected"),
    [
        ("sts", {}, "no such file"),
        ("sts", {"test.csv": ""}, "cannot be read as csv"),
        ("sts", {"test.csv": "sentence1,sentence2\na,b\n"}, "no column 'score'"),
        ("sts", {"test.csv": "sentence1,sentence2,score\n"}, "no rows"),
        ("sts", {"test.csv": "sentence1,sentence2,score\na,b,much\n"}, "expected: a number"),
        ("sts", {"test.csv": "sentence1,sentence2,score\na,,1\n"}, "is empty in row 1"),
        ("sts", {"test.csv": "a\n", "test.tsv": "a\n"}, "test.csv and test.tsv"),
        ("clustering", {"test.jsonl": '{"sentences": ["a"], "labels": "x"}\n'}, "expected: a list"),
        ("clustering", {"test.jsonl": '{"sentences": ["a", "b"], "labels": ["x"]}\n'}, "as many"),
        ("classification", {"train.csv": "text,label\na,b\n"}, "no such file"),
        ("retrieval", {"corpus.csv": "_id,text\n1,a\n", "queries.csv": "_id,text\n1,a\n"}, "no such file"),
        (
            "retrieval",
            {
                "corpus.csv": "_id,text\n1,a\n",
                "queries.csv": "_id,text\n1,a\n",
                "qrels.csv": "query-id,corpus-id,score\n1,9,1\n",
            },
            "column 'corpus-id' is '9' in row 1; expected: an _id in corpus.csv",
        ),
    ],
)
def test_bad_task_files_are_refused(tmp_path, kind, files, expected):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as refused:
        tasks_from_files.read(kind, tmp_path)
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


# Arbitrary content: a table or an InputError, never another error.

FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
cells = some.one_of(
    some.text(max_size=8), some.integers(), some.floats(), some.none(), some.lists(some.text(max_size=2))
)
rows = some.lists(some.dictionaries(some.sampled_from(["text", "label", "x"]), cells, max_size=3), max_size=4)
table_like = some.one_of(
    some.binary(max_size=300),
    some.text(alphabet='text,label"\n\r\t \\{}[]:01é\x00', max_size=200).map(str.encode),
    rows.map(lambda found: "\n".join(map(json.dumps, found)).encode()),
)


def read_or_refused(read, *arguments) -> None:
    with suppress(InputError):
        read(*arguments)


def cleaned(path: Path, format: str) -> None:
    clean(read_source(path, format, label="label"))


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "json", "parquet", "xlsx"])
@FEW
@given(content=table_like)
def test_any_bytes_are_a_corpus_or_refused(tmp_path, format, content):
    path = tmp_path / "any"
    path.write_bytes(content)
    read_or_refused(cleaned, path, format)


@FEW
@given(place=some.floats(0, 1, exclude_max=True), flip=some.integers(1, 255))
def test_a_flipped_byte_of_a_parquet_file_is_read_or_refused(tmp_path, place, flip):
    content = bytearray(parquet(tmp_path, text=["one", "two", "three"], label=["a", "b", None]))
    content[int(place * len(content))] ^= flip
    path = tmp_path / "flipped.parquet"
    path.write_bytes(content)
    read_or_refused(cleaned, path, "parquet")


@pytest.mark.parametrize("kind", sorted(FILES))
@FEW
@given(contents=some.lists(table_like, min_size=4, max_size=4), ending=some.sampled_from([".csv", ".tsv", ".jsonl"]))
def test_any_bytes_are_a_task_or_refused(tmp_path, kind, contents, ending):
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    for name, content in zip(FILES[kind], contents, strict=False):
        (tmp_path / f"{name}{ending}").write_bytes(content)
    read_or_refused(tasks_from_files.read, kind, tmp_path)


@FEW
@given(content=table_like)
def test_any_bytes_are_published_numbers_and_keywords_or_refused(tmp_path, content):
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    read_or_refused(tables.read, path)
    read_or_refused(read_classes, path)
