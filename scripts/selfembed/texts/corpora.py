"""Reading of corpora, and cleaning into a table with the columns `id`, `text`, `label`, `title` (and `group`)."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype
from pyarrow.parquet import read_schema

from selfembed.errors import InputError, reword_errors
from selfembed.texts import cells
from selfembed.texts.file_formats import FORMATS, format_of
from selfembed.texts.keywords import label as label_by_keywords
from selfembed.texts.keywords import read_classes
from selfembed.texts.keywords import split as split_keywords
from selfembed.texts.sentences import repeated, split
from selfembed.texts.text_files import read_text

COLUMNS = ["id", "text", "label", "title"]
OPTIONAL = ["group", "sentences"]  # that only some corpora have
COLOR = "color: "  # before the name of a column that is only for the interactive map
THINGS = {"rows": ("text", "texts"), "labelled": ("labelled text", "labelled texts"), "classes": ("class", "classes")}


def read_source(
    path: Path,
    *,
    text: str,
    format: str | None = None,
    label: str | None = None,
    title: str | None = None,
    group: str | None = None,
    id: str | None = None,
    keywords: str | None = None,
    keyword_classes: Path | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    colors: Sequence[str] = (),
) -> pd.DataFrame:
    """Read columns of a file.

    Args:
        text, label, title, group, id: column names.
        colors: further columns, which are named COLOR + name in the frame.
        keywords: column of keywords, from which labels are determined by the table `keyword_classes`; both or neither.
        encoding: encoding of a text file that is not UTF-8.
        separator: separator of a csv file; a comma by default.

    Returns a frame of strings with the columns `id`, `text`, `label`, `title`; columns without a name are all missing.
    The frame has a column `group` only if it is named.

    Raises InputError if the format is unknown, the file cannot be read or a column does not exist.
    """
    raw = read_file(path, format, encoding, separator)
    if keywords is not None and keyword_classes is not None:
        if keywords not in raw.columns:
            raise InputError(
                f"{path}: no column '{keywords}' for 'keywords'; columns: {', '.join(map(str, raw.columns))}"
            )
        classes = read_classes(keyword_classes)
        label = "label"
        raw = raw.assign(label=raw[keywords].map(lambda cell: label_by_keywords(split_keywords(cell), classes)))
    columns = {"id": id, "text": text, "label": label, "title": title} | ({"group": group} if group else {})
    return columns_of(raw, path, columns | {f"{COLOR}{name}": name for name in colors})


def columns_of(raw: pd.DataFrame, path: Path, columns: dict[str, str | None]) -> pd.DataFrame:
    """Return columns of a table as text, renamed to the keys of `columns`; columns without a name are all missing.

    Raises InputError if a column does not exist, is duplicated, or has cells other than text and numbers.
    """
    table = pd.DataFrame(index=range(len(raw)))
    for name, column in columns.items():
        if column is None:
            table[name] = pd.Series([None] * len(raw), dtype="object")
        elif list(raw.columns).count(column) > 1:
            raise InputError(f"{path}: column '{column}' is duplicated; expected: once")
        elif column in raw.columns:
            table[name] = as_text(one_thing_each(raw[column], path)).to_numpy()
        else:
            raise InputError(f"{path}: no column '{column}' for '{name}'; columns: {', '.join(map(str, raw.columns))}")
    return table


def one_thing_each(cells: pd.Series, path: Path) -> pd.Series:
    """Return the cells unchanged.

    Raises InputError if a cell is a list, a dictionary, bytes, or text that is not UTF-8.
    """
    with reword_errors(f"{path}: column '{cells.name}' cannot be read"):
        found = cells.astype(object)  # texts from Parquet files are decoded here
    for row, cell in enumerate(found if cells.dtype == object else (), start=1):
        if isinstance(cell, dict | bytes) or (hasattr(cell, "__iter__") and not isinstance(cell, str)):
            kind = type(cell).__name__
            raise InputError(
                f"{path}: column '{cells.name}' contains a {kind} in row {row}; expected: one text or number"
            )
    return cells


def as_text(cells: pd.Series) -> pd.Series:
    """Convert cells to text. Missing values stay missing; floats are written as integers (`1`) if all are integers."""
    if is_float_dtype(cells) and (cells.dropna() % 1 == 0).all() and (cells.dropna().abs() <= 2**53).all():
        cells = cells.astype("Int64")
    return cells.astype("object").map(str, na_action="ignore")


def read_file(
    path: Path, format: str | None = None, encoding: str | None = None, separator: str | None = None
) -> pd.DataFrame:
    """Read all columns of a file; by default, the extension determines the format.

    Text files can be compressed with gzip or zstd, whatever their extension.

    Args:
        format: one of FORMATS.
        encoding: encoding of a text file that is not UTF-8.
        separator: separator of a csv file; a comma by default.

    Returns a frame with strings as column names.

    Raises InputError if the format is unknown or the file cannot be read.
    """
    format = format or format_of(path)
    if format is None:
        raise InputError(f"{path}: unknown file format: extension '{path.suffix}'; expected: {', '.join(FORMATS)}")
    if format in ("csv", "tsv"):
        return cells.read(path, "\t" if format == "tsv" else separator, encoding)
    try:
        if format == "parquet":
            table = pd.read_parquet(path)
        elif format == "xlsx":
            table = cells.read_workbook(path)
        else:
            table = cells.read_json(read_text(path, encoding), lines=format == "jsonl")
    except Exception as error:  # any parser error
        raise cells.unreadable(path, format, error) from error
    return table.set_axis([str(name) for name in table.columns], axis=1)


def prepare(
    table: pd.DataFrame,
    *,
    unlabelled: Sequence[str],
    minimum_length: int,
    minimum_label_count: int,
    deduplicate: bool,
    sentences: str,
    drop_repeated: int | None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Clean a table of texts: collapse white space, drop empty, short and duplicate texts, add stable ids.

    Missing ids are the first 16 hexadecimal digits of the SHA-256 of the text, so that they do not depend on the order
    or number of rows.

    Args:
        sentences: how texts are split before white space is folded (`sentences.WAYS`); with `paper`, they are not.
        drop_repeated: sentences in at least this many texts are dropped from the column of sentences.

    Returns the corpus, with a column `group` if the table has one, and a column `sentences` (lists of strings) unless
    they are the paper's; and the numbers of rows that were read, dropped (by reason) and kept, and of sentences.

    Raises InputError if no text is left or ids are not unique.
    """
    corpus, counts = kept_rows(table, minimum_length, deduplicate)
    for column in corpus.columns.intersection(["title", "group"]):
        corpus[column] = corpus[column].where(corpus[column] != "", None)
    missing = corpus["label"].isna() | corpus["label"].isin({"", *unlabelled})
    rare = ~missing & (corpus["label"].map(corpus["label"][~missing].value_counts()) < minimum_label_count)
    corpus["label"] = corpus["label"].mask(missing | rare, None)
    counts["kept"] = len(corpus)
    counts["kept, labelled"] = int(corpus["label"].notna().sum())
    counts["kept, label too rare"] = int(rare.sum())
    counts["classes"] = int(corpus["label"].nunique())
    if sentences != "paper":
        found = [split(text, sentences) for text in table["text"][corpus.index]]
        masks = repeated(found, drop_repeated or len(found) + 1)
        kept = [
            [piece for piece, drop in zip(*each, strict=True) if not drop] for each in zip(found, masks, strict=True)
        ]
        corpus["sentences"] = kept
        counts["sentences"] = sum(map(len, found))
        counts["sentences, repeated"] = counts["sentences"] - sum(map(len, kept))
    return corpus.reset_index(drop=True), counts


def kept_rows(table: pd.DataFrame, minimum_length: int, deduplicate: bool) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the rows of a table that are texts of a corpus, with folded cells, ids and the index of the table.

    Returns the rows, and the numbers of rows that were read and dropped (by reason).

    Raises InputError if no text is left or ids are not unique.
    """
    corpus = table[[*COLUMNS, *["group"] * ("group" in table)]].copy()
    for column in corpus.columns.drop("id"):
        corpus[column] = corpus[column].map(fold, na_action="ignore")
    counts = {"read": len(corpus)}
    empty = corpus["text"].isna() | (corpus["text"] == "")
    corpus = corpus[~empty]
    counts["empty"] = int(empty.sum())
    short = corpus["text"].map(len) < minimum_length
    corpus = corpus[~short]
    counts["too short"] = int(short.sum())
    duplicate = corpus["text"].duplicated() if deduplicate else pd.Series(False, index=corpus.index)
    corpus = corpus[~duplicate].copy()
    counts["duplicate"] = int(duplicate.sum())
    if corpus.empty:
        raise InputError(
            f"no texts left: {summary(counts)}; expected: at least one text of {minimum_length} characters"
        )
    corpus["id"] = corpus["id"].where(corpus["id"].notna(), corpus["text"].map(text_id))
    if not deduplicate:
        repeats = corpus.groupby("id").cumcount()
        corpus["id"] = corpus["id"].where(repeats == 0, corpus["id"] + "-" + (repeats + 1).astype(str))
    if not corpus["id"].is_unique:
        twice = corpus["id"][corpus["id"].duplicated()].iloc[0]
        raise InputError(f"id '{twice}' is not unique; expected: one id per text")
    return corpus, counts


def fold(text: str) -> str:
    """Replace every run of white space by one space and strip the ends."""
    return " ".join(text.split())


def text_id(text: str) -> str:
    """Return an id that depends only on the text."""
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:16]


def sample(corpus: pd.DataFrame, size: int, seed: int) -> pd.DataFrame:
    """Draw a random sample of a corpus without replacement, in random order.

    Raises InputError if the corpus has fewer texts.
    """
    if size > len(corpus):
        raise InputError(f"sample size {size} is too large; expected: at most {len(corpus)}, the number of texts")
    # RandomState is the generator of the paper's code, so that samples are the same.
    return corpus.iloc[np.random.RandomState(seed).choice(len(corpus), size, replace=False)]


def summary(counts: dict[str, int]) -> str:
    """Format row counts in one line."""
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def read_corpus(path: Path) -> pd.DataFrame:
    """Read a prepared corpus; with its columns `group` and `sentences`, if it has them.

    Raises InputError if the file is not a prepared corpus.
    """
    with reword_errors(f"{path}: not a prepared corpus"):  # any parser error
        found = set(read_schema(path).names)
        return pd.read_parquet(path, columns=[*COLUMNS, *(column for column in OPTIONAL if column in found)])


def check_expected(corpus: pd.DataFrame, name: str, expected: Iterable[tuple[str, int | None]] | None) -> None:
    """Compare the counts of a corpus with expected ones.

    Args:
        corpus: prepared corpus.
        name: name of the corpus in the config.
        expected: numbers of `rows`, `labelled` texts and `classes`; None: no check.

    Raises InputError with all counts that differ.
    """
    found = {
        "rows": len(corpus),
        "labelled": int(corpus["label"].notna().sum()),
        "classes": int(corpus["label"].nunique()),
    }
    different = [
        f"{found[key]:,} {THINGS[key][found[key] != 1]} instead of {number:,} (corpora.{name}.expect.{key})"
        for key, number in expected or ()
        if number is not None and number != found[key]
    ]
    if different:
        raise InputError(f"{name}: {', '.join(different)}; is this the right file or revision?")
