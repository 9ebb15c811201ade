"""Splitting of texts into sentences, lines or runs of words, before white space is folded.

`paper` is not split here: augmentations/crops.py splits the folded text at full stops, as the paper's code does.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import sentencex

# A full stop ends a sentence only if the rules of all these languages agree, so that an abbreviation or ordinal of one
# of them (`Dr.`, `z. B.`, `3. Oktober`) ends none, and the language of a text need not be known. Abbreviations of other
# languages are words of these: Italian `class.` and `set.`, Dutch `form.`.
LANGUAGES = ("en", "es", "fr", "pl", "pt", "ru", "de")
STARTS = re.compile(r"[.!?]\s+(\w)")

INCHES = re.compile(r'(?<=\d)"')  # no quotation mark; no sentence ends between two of those

# Thai, Lao, Tibetan and Khmer: without sentence marks, or with marks that sentencex does not know. Spaces separate
# phrases and sentences there, but also stand around numbers, so phrases are joined up to a minimum length.
PHRASES = re.compile(r"[\u0e00-\u0fff\u1780-\u17ff]")
SHORTEST_PHRASE = 30  # characters

# Characters that count twice in the length of a sentence: Han, Kana and Hangul. In the translations of Django 5.2
# (messages of six words or more), Chinese has 0.43, Japanese 0.60 and Korean 0.61 times the characters of English; Thai
# has 0.84, Hindi 1.00, Arabic 0.93, German 1.16.
DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]")

# Scripts without spaces between words, and those with vowel signs, which are not letters for `\w`.
WITHOUT_SPACES = r"\u0e00-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
UNSPACED = re.compile(f"[{WITHOUT_SPACES}]")
WITHOUT_PLAIN_WORDS = re.compile(f"[\u0900-\u0dff{WITHOUT_SPACES}]")
LEAST_WITHOUT = 0.1  # part of the characters; with more, words are found by ICU

LONGEST_WRAPPED = 120  # characters in a line of hard-wrapped text
LONGEST_SENTENCE = 400  # characters; where most of a text is in longer pieces, it has no marks of sentences
RUN = 20  # words in a piece of such a text: about a sentence
LOOKED_AT = 2000  # evenly spaced texts, by which the script is determined
DIGITS = re.compile(r"\d+")


def sentences(text: str) -> list[str]:
    """Split a text at the end of sentences in any script; a line end alone ends no sentence, an empty line does.

    >>> sentences("Dr. No came. Why?")
    ['Dr. No came. ', 'Why?']
    """
    encodable = text.encode("utf-8", errors="replace").decode("utf-8")  # a lone surrogate becomes one character
    encodable = INCHES.sub("\u2033", encodable)
    languages = LANGUAGES
    if "." not in text:
        languages = LANGUAGES[:1]  # they differ in abbreviations alone
    elif "".join(STARTS.findall(text)).islower():
        languages = LANGUAGES[:-1]  # in German, no sentence starts in lower case; in this text, all do
    boundaries = [sentencex.get_sentence_boundaries(language, encodable) for language in languages]  # ty: ignore[missing-attribute]
    ends = set.intersection(*({boundary["end_index"] for boundary in found} for found in boundaries))
    places = sorted(ends | {0, len(text)})
    pieces = [text[start:end] for start, end in pairwise(places)]
    return [phrase for piece in pieces for phrase in (phrases(piece) if is_mostly(PHRASES, piece) else [piece])]


def phrases(text: str) -> list[str]:
    """Split a text at spaces; phrases are joined until they have SHORTEST_PHRASE characters."""
    found = [""]
    for phrase in re.findall(r"\s*\S+\s*", text):
        if len(found[-1]) >= SHORTEST_PHRASE:
            found.append("")
        found[-1] += phrase
    return found


def lines(text: str) -> list[str]:
    """Split a text at line ends."""
    return text.splitlines(keepends=True)


def runs_of_words(text: str) -> list[str]:
    """Split a text after every RUN words."""
    found = re.findall(r"\s*\S+\s*", text)
    return ["".join(found[start : start + RUN]) for start in range(0, len(found), RUN)]


WAYS: dict[str, Callable[[str], list[str]]] = {"unicode": sentences, "lines": lines, "words": runs_of_words}


def split(text: str, way: str) -> list[str]:
    """Split a text in a way of WAYS, into pieces that give the text with folded white space when joined.

    Returns the pieces without those that are blank. A piece ends with a space if white space follows it.

    >>> split("我来了。 你呢？好！", "unicode")
    ['我来了。 ', '你呢？', '好！']
    """
    found: list[str] = []
    for piece in WAYS[way](text):
        if found and piece[:1].isspace() and not found[-1].endswith(" "):
            found[-1] += " "
        if words := piece.split():
            found.append(" ".join(words) + " " * piece[-1].isspace())
    return found


def length(sentence: str) -> int:
    """Return the length of a sentence in characters; characters of DENSE count twice."""
    return len(sentence) + len(DENSE.findall(sentence))


def count_words(text: str) -> int:
    """Estimate the number of words; in scripts without spaces, four characters count as one."""
    return len(text.split()) + len(UNSPACED.findall(text)) // 4


def needs_dictionary(texts: Sequence[str]) -> bool:
    """Whether words of these texts are not runs of letters between spaces."""
    characters = "".join(text for text in texts[:: max(1, len(texts) // LOOKED_AT)])
    return is_mostly(WITHOUT_PLAIN_WORDS, characters, LEAST_WITHOUT)


def repeated(texts: Sequence[Sequence[str]], least: int) -> list[np.ndarray]:
    """Find the pieces that occur in at least `least` texts; digits and case do not count.

    Args:
        texts: the pieces of every text.

    Returns a mask of the pieces for every text.
    """
    lengths = [len(pieces) for pieces in texts]
    keys = [DIGITS.sub("0", piece.strip().casefold()) for pieces in texts for piece in pieces]
    hashes = pd.util.hash_array(np.array(keys, dtype=object))
    owners = np.repeat(np.arange(len(lengths)), lengths)
    numbers = pd.DataFrame({"key": hashes, "text": owners}).drop_duplicates()["key"].value_counts()
    found = (pd.Series(hashes).map(numbers) >= least).to_numpy(dtype=bool)
    return np.split(found, np.cumsum(lengths)[:-1])


def propose_way(texts: Sequence[str]) -> str:
    """Return `lines` if more line ends stand inside sentences than sentences end inside lines, else `unicode`.

    Line ends of hard-wrapped texts do not count, if these texts have sentences. Return `words` if more than half of the
    characters are in pieces that are too long for a sentence, as in transcripts without punctuation.
    """
    found = {way: [piece for text in texts for piece in split(text, way)] for way in ("unicode", "lines")}
    ended = len(found["unicode"])
    has_lines = len(found["lines"]) > ended and not (is_wrapped(texts) and ended >= 2 * len(texts))
    way = "lines" if has_lines else "unicode"
    lengths = np.array([length(piece) for piece in found[way]])
    return "words" if lengths[lengths > LONGEST_SENTENCE].sum() > lengths.sum() / 2 else way


def is_wrapped(texts: Sequence[str]) -> bool:
    """Whether lines end where the next word would exceed a common width, in four of five cases."""
    found = [line.rstrip() for text in texts for line in [*text.splitlines(), ""]]
    width = int(np.quantile([len(line) for line in found], 0.95))
    pairs = [(line, after) for line, after in pairwise(found) if line and after]
    full = [len(line) + 1 + len(after.split()[0]) > width for line, after in pairs]
    return bool(pairs) and width <= LONGEST_WRAPPED and float(np.mean(full)) >= 0.8


def is_mostly(script: re.Pattern[str], text: str, least: float = 0.5) -> bool:
    """Whether at least this part of the characters other than white space belong to a script."""
    return len(script.findall(text)) >= max(1.0, least * len("".join(text.split())))
