"""Search the files of a model for passages of the texts that it was adapted to."""

import json
import mmap
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from selfembed.errors import InputError
from selfembed.texts.corpora import read_corpus

LENGTH = 48  # bytes of a passage, only letters and digits: about nine English words, or 16 Chinese characters
BOILERPLATE = 3  # a passage in so many texts of a corpus, such as a footer, is not one text's own
BINARY = (".safetensors", ".model")  # weights; models of sentencepiece
WORD = re.compile(r"[^\W_]+")
# Text in UTF-8 between other bytes.
TEXT = re.compile(
    rb"(?:[\t\n\r\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){%d,}" % LENGTH
)


class Searched(NamedTuple):
    """Numbers of texts that were searched for, and of those that are too short."""

    texts: int
    too_short: int


def search(files: Sequence[Path], corpora: Sequence[Path]) -> Searched:
    """Search files for the passages of all texts of corpora.

    A passage is LENGTH bytes of letters and digits from the beginning of a word, without case, spaces and punctuation.
    Texts are searched for in text files, in the strings of JSON files, and between the numbers of weights.

    Args:
        corpora: prepared corpora (Parquet).

    Raises InputError if a passage is found that is in fewer than BOILERPLATE texts of a corpus, or if a file is neither
    text nor weights, such as an archive or a table.
    """
    where = {passage: file for file in files for said in texts_of(file) for passage in passages(said)}
    found = Searched(0, 0)
    for corpus in corpora:
        table = read_corpus(corpus).drop_duplicates("text")
        owners = {}
        short = 0
        for name, text in zip(table["id"], table["text"], strict=True):
            own = set(passages(text))
            short += not own
            if hits := own & where.keys():
                owners[name] = hits
        check(corpus, owners, where)
        found = Searched(found.texts + len(table) - short, found.too_short + short)
    return found


def check(corpus: Path, owners: dict[str, set[bytes]], where: dict[bytes, Path]) -> None:
    """Raise InputError if a text has passages in files that few other texts have; `owners` are passages by text."""
    numbers = Counter(passage for hits in owners.values() for passage in hits)
    for name, hits in owners.items():
        if own := [passage for passage in hits if numbers[passage] < BOILERPLATE]:
            raise InputError(
                f"{where[min(own)]}: contains a passage of the text '{name}' of {corpus}; expected: no text in the "
                "folder; nothing was uploaded"
            )


def passages(text: str) -> Iterator[bytes]:
    """Yield the passages of a text, one for each word with enough letters from there on; none of a short text."""
    words = [word.encode() for word in WORD.findall(text.casefold())]
    letters = b"".join(words)
    for start in accumulate(map(len, words), initial=0):
        if start + LENGTH > len(letters):
            return
        yield letters[start : start + LENGTH]


def texts_of(file: Path) -> Iterator[str]:
    """Yield the texts in a file.

    Raises InputError if it is neither text nor weights.
    """
    if file.suffix in BINARY:
        if file.stat().st_size:
            with file.open("rb") as content, mmap.mmap(content.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield from (found.group().decode(errors="ignore") for found in TEXT.finditer(data))
        return
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError(f"{file}: neither text nor weights, so it cannot be searched for texts; expected: not there")
    if file.suffix != ".json":
        yield text
        return
    try:
        yield " ".join(strings(json.loads(text)))
    except ValueError as error:
        raise InputError(f"{file}: damaged; expected: JSON") from error


def strings(value: Any) -> Iterator[str]:
    """Yield all strings in a value read from JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (key, *strings(item))
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
