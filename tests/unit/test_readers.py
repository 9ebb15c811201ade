"""Files as people have them: each gives the right texts, in the proposal and in the workflow, or one line."""

import csv
import gzip
import io
import json
import logging
import zipfile

import numpy as np
import pandas as pd
import pyarrow
import pytest

from selfembed.errors import InputError
from selfembed.texts import cells, columns, corpora, sources, text_files

WORDS = "river cloud stone letter garden winter engine paper bridge market silver window"
NUMBER = 240


def made_up(words=WORDS, space=" ", stop=". "):
    """Texts of five sentences."""
    generator = np.random.default_rng(1)
    sentences = [[space.join(generator.choice(words.split(), 12)) for _ in range(5)] for _ in range(NUMBER)]
    return [stop.join(text) + stop.strip() for text in sentences]


TEXTS = made_up()
LABELS = [f"q{number % 3}" for number in range(NUMBER)]
LANGUAGES = {
    "Chinese": made_up("今天 天气 很好 我们 去 公园 散步 价格 是 一百元 订单 没有 收到 请 尽快 处理", "", "。"),
    "Japanese": made_up("この 港 では 毎朝 たくさん の 船 が 出入り します 価格 は 千円 です", "", "。"),
    "Korean": made_up("오늘 날씨가 매우 좋습니다 우리는 공원에 갔습니다 가격은 백원 입니다"),
    "Russian": made_up("привет как дела сегодня хорошая погода в городе мы идём гулять письмо сад"),
    "Greek": made_up("καλημέρα τι κάνεις ο καιρός είναι καλός σήμερα στην πόλη γράμμα κήπος"),
    "Czech": made_up("příliš žluťoučký kůň úpěl ďábelské ódy a šel domů zahrada dopis most"),
    "German": made_up("Größe Straße für Bürger über Brücke die der und Garten Brief Fluss"),
    "French": made_up("l’été à Paris très café naïve façade señor où est la lettre — rivière"),
}


def as_csv(texts=TEXTS, separator=",", header=("text", "label"), quoting=csv.QUOTE_MINIMAL):
    table = pd.DataFrame({header[0]: texts, header[1]: LABELS})
    return table.to_csv(index=False, sep=separator, quoting=quoting)


def unquoted(texts=TEXTS, separator=",", header="text,label"):
    return "\n".join([header, *(f"{text}{separator}{label}" for text, label in zip(texts, LABELS, strict=True)), ""])


def records(texts=TEXTS):
    return [{"id": 10**25 + n, "text": text, "label": LABELS[n]} for n, text in enumerate(texts)]


def lines(rows):
    return "\n".join(map(json.dumps, rows))


def starting(content, *numbers, mark='"'):
    """The content with a mark before the rows with these numbers."""
    rows = content.split("\n")
    for number in numbers:
        rows[number] = mark + rows[number]
    return "\n".join(rows)


def zstd(content):
    return pyarrow.compress(content.encode(), codec="zstd", asbytes=True)


def zipped(**files):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return memory.getvalue()


def workbook(**sheets):
    memory = io.BytesIO()
    with pd.ExcelWriter(memory, engine="openpyxl") as writer:
        for name, (table, header) in sheets.items():
            table.to_excel(writer, sheet_name=name, index=False, header=header)
    return memory.getvalue()


def parquet(table):
    memory = io.BytesIO()
    table.to_parquet(memory)
    return memory.getvalue()


TABLE = pd.DataFrame({"text": TEXTS, "label": LABELS})
COMMAS = [text.replace(" ", ", ", 1 + number % 4) for number, text in enumerate(TEXTS)]
BREAKS = [text.replace(". ", ".\n", number % 3).replace("river", '"river"') for number, text in enumerate(TEXTS)]
QUOTED_AT_STARTS = starting("\n".join(TEXTS), 49, 99).split("\n")


@pytest.fixture
def look_at(tmp_path):
    """A function that looks at a file with a content; returns settings, texts, notes. The workflow reads the same."""

    def look(name, content, **choices):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        source, raw, notes = sources.look_at(path, sources.ColumnNames(**choices))
        settings = {key: value for key, value in source.items() if key not in ("type", "path")}
        again = corpora.read_source(path, **settings)
        assert again["text"].tolist() == raw["text"].tolist()
        return settings, raw["text"].tolist(), notes

    return look


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param("t.tsv", starting(as_csv(separator="\t"), 50, 100), QUOTED_AT_STARTS, id="tsv, stray quotes"),
        pytest.param("t.tsv", starting("\n".join(["text", *TEXTS]), 50, 100), QUOTED_AT_STARTS, id="tsv of one column"),
        pytest.param("t.tsv", as_csv(BREAKS, "\t"), BREAKS, id="tsv quoted as spreadsheets do"),
        pytest.param("t.csv", as_csv(BREAKS, "\t"), BREAKS, id="tsv called csv"),
        pytest.param("t.csv", as_csv(BREAKS), BREAKS, id="csv with quotes and line breaks"),
        pytest.param("t.csv", "sep=;\r\n" + as_csv(COMMAS, ";"), COMMAS, id="sep=;"),
        pytest.param("t.csv", "sep=\t\n" + as_csv(COMMAS, "\t"), COMMAS, id="sep= and a tab"),
        pytest.param("t.csv", unquoted(COMMAS, ";", "Text, lang;Label, main"), COMMAS, id="commas in the header"),
        pytest.param("t.csv", "\n".join(["text", *COMMAS]), COMMAS, id="commas in one column"),
        pytest.param("t.csv", as_csv() + "\0" * 512, TEXTS, id="NULs at the end"),
        pytest.param("t.csv", as_csv().replace("\n", ",,\n"), TEXTS, id="empty columns"),
        pytest.param("t.csv", as_csv().replace("\n", "\r"), TEXTS, id="line ends of old Macs"),
        pytest.param("t.jsonl", json.dumps(records()), TEXTS, id="array called jsonl"),
        pytest.param("t.jsonl", json.dumps(records(), indent=2), TEXTS, id="array of several lines called jsonl"),
        pytest.param("t.jsonl", lines(records()), TEXTS, id="ids of 26 digits"),
        pytest.param("t.jsonl", lines(records([*TEXTS[:-1], 2024])), [*TEXTS[:-1], "2024"], id="a number among texts"),
        pytest.param("t.json", json.dumps(records()), TEXTS, id="json"),
        pytest.param("t.json", lines(records()), TEXTS, id="json of lines"),
        pytest.param("t.json", json.dumps({"version": "1", "data": records()}), TEXTS, id="json with rows inside"),
        pytest.param("t.json", TABLE.to_json(), TEXTS, id="json of columns"),
        pytest.param(
            "t.json", json.dumps({"text": TEXTS, "of": [{"n": 1}] * NUMBER}), TEXTS, id="json of columns and objects"
        ),
        pytest.param("t.json", TABLE.to_json(orient="table"), TEXTS, id="json with a schema"),
        pytest.param("t.csv.gz", gzip.compress(as_csv().encode()), TEXTS, id="csv.gz"),
        pytest.param("t.csv", gzip.compress(as_csv().encode()), TEXTS, id="gzip called csv"),
        pytest.param("t.jsonl.gz", gzip.compress(lines(records()).encode()), TEXTS, id="jsonl.gz"),
        pytest.param("t.json.gz", gzip.compress(json.dumps(records()).encode()), TEXTS, id="json.gz"),
        pytest.param("t.csv.zst", zstd(as_csv()), TEXTS, id="csv.zst"),
        pytest.param("t.tsv.zst", zstd(as_csv(separator="\t")), TEXTS, id="tsv.zst"),
        pytest.param("t.jsonl.zst", zstd(lines(records())), TEXTS, id="jsonl.zst"),
        pytest.param("t.csv", gzip.compress(as_csv(separator=";").encode("utf-16-le")), TEXTS, id="UTF-16 in gzip"),
        pytest.param("t.parquet", parquet(TABLE.rename(columns={"text": 0, "label": 1})), TEXTS, id="columns 0 and 1"),
    ],
)
def test_odd_files_give_the_right_texts(look_at, name, content, expected):
    assert look_at(name, content)[1] == expected


def test_a_column_of_parquet_with_a_number_as_its_name_can_be_chosen(look_at):
    content = parquet(pd.DataFrame({0: TEXTS, 1: TEXTS[::-1]}))
    assert look_at("t.parquet", content, text="1")[1] == TEXTS[::-1]


@pytest.mark.parametrize("encoding", text_files.WIDE)
@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("language", [*LANGUAGES, "English"])
@pytest.mark.parametrize("layout", ["t.csv", "t.jsonl"])
def test_unicode_is_recognised_with_and_without_a_mark(look_at, encoding, marked, language, layout):
    texts = LANGUAGES.get(language, TEXTS)
    content = (
        as_csv(texts)
        if layout == "t.csv"
        else "\n".join(json.dumps({"text": text}, ensure_ascii=False) for text in texts)
    )
    settings, found, notes = look_at(layout, ("\ufeff" * marked + content).encode(encoding))
    assert found == texts
    assert settings["encoding"] == (encoding[: len("utf-16")] if marked else encoding)
    assert sum("is not UTF-8; assumed encoding: utf-" in note for note in notes) == 1


@pytest.mark.parametrize(
    ("language", "written", "proposed"),
    [
        ("Chinese", "gbk", "gb18030"),
        ("Japanese", "shift_jis", "cp932"),
        ("Japanese", "euc_jp", "euc_jp"),
        ("Korean", "euc_kr", "cp949"),
        ("Russian", "cp1251", "cp1251"),
        ("Russian", "koi8_r", "koi8_r"),
        ("Greek", "cp1253", "cp1253"),
        ("Czech", "cp1250", "cp1250"),
        ("German", "cp1252", "cp1252"),
        ("French", "cp1252", "cp1252"),
    ],
)
def test_encodings_are_proposed_and_told(look_at, language, written, proposed):
    settings, found, notes = look_at("t.csv", as_csv(LANGUAGES[language]).encode(written))
    assert settings["encoding"] == proposed
    assert found == LANGUAGES[language]
    assert f"assumed encoding: {proposed}; if special characters look wrong, set ENCODING=…" in " ".join(notes)


@pytest.mark.parametrize("content", ["Käse", "Der Käse, bitte.", "naïve façade", "3 × 4 = 12 €", "“Well,” she said."])
def test_a_few_letters_of_western_languages_are_cp1252(content):
    assert sources.legacy_encoding(content.encode("cp1252")) == "cp1252"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param(
            "t.csv",
            starting(unquoted(), 50, 100),
            "cannot be read as csv: line 51: a quote begins a cell and is closed 50 lines below, within a cell; "
            "expected: quotes at both ends of a cell",
            id="csv, stray quotes",
        ),
        pytest.param(
            "t.csv",
            starting("\n".join(["text", *TEXTS]), 50, 100),
            "line 51: a quote begins a cell and is closed 50 lines below, within a cell",
            id="csv of one column, stray quotes",
        ),
        pytest.param(
            "t.csv",
            starting(unquoted(), 50).replace(f"{TEXTS[99]},{LABELS[99]}", f'{TEXTS[99]},{LABELS[99]}"'),
            "line 51: a quote begins a cell and is closed 50 lines below, but each line between looks like a row",
            id="csv, a quote at the end of another row",
        ),
        pytest.param("t.csv", starting(unquoted(), 50), "line 51: a quote begins a cell and is not closed", id="open"),
        pytest.param(
            "t.csv", as_csv().replace("river", "ri\0ver"), "line 2 contains a NUL character; expected: text", id="NULs"
        ),
        pytest.param("t.csv", as_csv().split("\n", 1)[1], "the first row seems to be a text", id="csv, no header"),
        pytest.param(
            "t.tsv", as_csv(separator="\t").split("\n", 1)[1], "the first row seems to be a text", id="tsv, no header"
        ),
        pytest.param("t.csv", "\n".join(TEXTS), "the first row seems to be a text", id="one column, no header"),
        pytest.param(
            "t.csv", as_csv(LANGUAGES["Chinese"]).split("\n", 1)[1], "seems to be a text", id="Chinese, no header"
        ),
        pytest.param(
            "t.csv",
            unquoted(COMMAS),
            "cannot be read as csv: line 2 has 3 cells, the header has 2; expected: a header with all columns in the "
            "first line, and quotes around cells that contain ','",
            id="unquoted commas",
        ),
        pytest.param(
            "t.csv",
            "Export of tickets\nDate: today\n\n" + as_csv(separator=";"),
            "line 4 has 2 cells, the header has 1; expected: a header with all columns in the first line",
            id="preamble",
        ),
        pytest.param(
            "t.csv",
            'Ticket report,\n"Exported, today",\n,\n' + as_csv(),
            "cannot be read as csv: most cells of the first row are empty, but not those below; expected: the names",
            id="preamble of a spreadsheet",
        ),
        pytest.param(
            "t.csv",
            "\n".join(f'"{text} {text}",T-{number}' for number, text in enumerate(TEXTS)),
            "the first row seems to be a text",
            id="no header, unique ids",
        ),
        pytest.param(
            "t.csv",
            as_csv(LANGUAGES["German"]).encode().replace(b"\xc3\xbc", b"\xfc", 1),
            "is not UTF-8, but the rest is; expected: one encoding in the whole file, or ENCODING=",
            id="UTF-8 with one other byte",
        ),
        pytest.param("t.csv", zipped(a=as_csv()), "t.csv: is a zip archive; expected: the files in it", id="zip"),
        pytest.param(
            "t.csv",
            zipped(**{"xl/workbook.xml": ""}),
            "t.csv: is an Excel workbook; expected: the extension .xlsx",
            id="xlsx called csv",
        ),
        pytest.param("t.jsonl", parquet(TABLE), "is a Parquet file; expected: the extension .parquet", id="parquet"),
        pytest.param("t.csv.gz", gzip.compress(as_csv().encode())[:500], "cannot be read", id="gzip cut"),
        pytest.param("t.xlsx", as_csv(), "cannot be read as xlsx", id="csv called xlsx"),
        pytest.param("t.xlsx", zipped(a=as_csv()), "cannot be read as xlsx", id="zip called xlsx"),
        pytest.param("t.json", "3", "cannot be read as json", id="json of a number"),
        pytest.param("t.json", '{"a": 1}', "cannot be read as json", id="json of one object"),
        pytest.param("t.jsonl", '{"text": "a"}\n{"text": \n', "line 2 is not JSON", id="jsonl, broken line"),
    ],
)
def test_other_odd_files_are_one_line(look_at, name, content, said):
    with pytest.raises(InputError) as refused:
        look_at(name, content)
    assert said in str(refused.value)
    assert "; expected: " in str(refused.value) or "cannot be read as" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_first_row_that_looks_like_a_text_can_be_a_header(look_at):
    name = "What people think of our service, in a few words"
    answers = ["It is quite good", "I do not like it", "The staff is friendly"] * 40
    content = pd.DataFrame({name: answers}).to_csv(index=False)
    with pytest.raises(InputError, match="if it has them, TEXT=column"):
        look_at("t.csv", content)
    assert look_at("t.csv", content, text=name)[1] == answers
    beside = pd.DataFrame({"when": range(120), name: answers}).to_csv(index=False)
    assert look_at("t.csv", beside)[1] == answers
    assert look_at("t.csv", content.replace(name, "What do you think of our service?"))[1] == answers
    survey = pd.DataFrame({"What do you like most?": answers, "2023": 1.5, "Yes": ["Yes", "No", "Yes"] * 40})
    assert look_at("t.csv", survey.to_csv(index=False))[1] == answers


def test_cells_of_several_lines_are_told(look_at, caplog):
    with caplog.at_level(logging.INFO, "selfembed"):
        look_at("t.csv", as_csv(BREAKS))
        look_at("u.csv", as_csv())
    told = [record.getMessage() for record in caplog.records if "lines contain" in record.getMessage()]
    rows = sum(text.count("\n") + 1 for text in BREAKS)
    assert told and set(told) == {
        told[0].split(":")[0] + f": {rows + 1} lines contain 240 rows; the longest row has 3 lines, from line 5"
    }


def test_quotes_of_a_tsv_that_are_text_are_told(look_at, caplog):
    with caplog.at_level(logging.INFO, "selfembed"):
        look_at("t.tsv", starting(as_csv(separator="\t"), 50, 100))
    assert "quotes are read as text" in caplog.text


def test_escaped_quotes_of_another_dialect_are_read_as_before(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('text,label\n"one\nhe said \\"yes\\" then",a\n')
    assert cells.read(path)["label"].tolist() == ["a"]


def test_a_single_row_that_is_longer_than_the_header_does_not_change_the_separator():
    assert cells.find_separator(as_csv() + "a,b,c;d\n") == ","


def test_a_few_texts_with_the_same_mark_are_one_column():
    assert cells.find_separator("text\n" + "a first; a second\n" * 9) == ","
    assert cells.find_separator("text\n" + "a first; a second\n" * 10) == ";"


def test_a_file_of_one_column_is_told(look_at):
    settings, _, notes = look_at("t.csv", "\n".join(["text", *COMMAS]))
    assert settings == {"separator": ";", "text": "text"}
    assert "the header has one column, so commas do not separate cells; each line is one text" in notes


def test_half_a_character_in_json_is_left_out(look_at):
    content = lines([{"text": "cut \ud83d"}, {"text": "whole \U0001f600"}])
    assert look_at("t.jsonl", content)[1] == ["cut ", "whole \U0001f600"]


def test_the_first_sheet_of_a_workbook_is_read(look_at, caplog):
    whole = TABLE.assign(number=range(NUMBER), day=pd.Timestamp("2024-05-01"), empty=None)
    content = workbook(texts=(whole, True), other=(TABLE[:3], True))
    with caplog.at_level(logging.INFO, "selfembed"):
        assert look_at("t.xlsx", content)[1] == TEXTS
    assert "the first of 2 sheets is read: texts" in caplog.text
    assert look_at("u.xlsx", content, text="number")[1] == [str(number) for number in range(NUMBER)]


@pytest.mark.parametrize(
    ("sheet", "header", "said"),
    [
        (TABLE, False, "the first row seems to be a text"),
        (pd.DataFrame({"a": ["Report", None, *TEXTS], "b": [None, None, *LABELS], "c": None}), False, "most cells of"),
        (TABLE.set_axis(["text", "text"], axis=1), True, "column 'text' is duplicated"),
        (TABLE[:0], True, "no rows"),
        (pd.DataFrame(), False, "no rows"),
    ],
)
def test_workbooks_without_a_header_or_rows_are_one_line(look_at, sheet, header, said):
    with pytest.raises(InputError, match=said):
        look_at("t.xlsx", workbook(texts=(sheet, header)))


def test_columns_of_scripts_without_spaces_are_found():
    for language in ("Chinese", "Japanese"):
        table = pd.DataFrame({"id": range(NUMBER), "name": LABELS, "body": LANGUAGES[language], "class": "类别"})
        assert columns.find_text(table, "file") == "body"


@pytest.mark.parametrize("other", ["md", "txt"])
def test_a_folder_has_txt_files_or_md_files(tmp_path, other):
    (tmp_path / "topic").mkdir()
    (tmp_path / "topic" / "one.md").write_text("# One\n\nA text.")
    (tmp_path / f"README.{other}").write_text("Two.")
    source, raw, notes = sources.look_at(tmp_path)
    if other == "md":
        assert source == {"type": "folder", "path": str(tmp_path), "extension": "md"}
        assert dict(zip(raw["title"], raw["text"], strict=True)) == {"README": "Two.", "topic/one": "# One\n\nA text."}
    else:
        assert source == {"type": "folder", "path": str(tmp_path)}
        assert raw["text"].tolist() == ["Two."]
        assert notes == ["1 .md files are not read, because there are .txt files"]


def test_files_of_a_folder_in_two_encodings_are_one_line(tmp_path):
    (tmp_path / "a.txt").write_bytes("Käse".encode("latin-1"))
    (tmp_path / "b.txt").write_bytes("Käse, bitte.\n".encode("utf-16-le"))
    with pytest.raises(InputError, match=r"b\.txt: its encoding seems to be utf-16-le, that of .*a\.txt is another"):
        sources.look_at(tmp_path)


def test_texts_of_a_folder_can_be_compressed_or_in_another_encoding(tmp_path):
    (tmp_path / "a.txt").write_bytes(LANGUAGES["Japanese"][0].encode("cp932"))
    (tmp_path / "b.txt").write_bytes(gzip.compress(b"two\r\nlines"))
    source, raw, _ = sources.look_at(tmp_path)
    assert source["encoding"] == "cp932"
    assert raw["text"].tolist() == [LANGUAGES["Japanese"][0], "two\nlines"]
