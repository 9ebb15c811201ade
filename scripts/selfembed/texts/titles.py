"""Titles of texts, and texts without the title that they begin with."""

from typing import Any
from unicodedata import category

from selfembed.texts.sentences import UNSPACED

SENTENCE_MARKS = ".!?:;…。！？"  # at the end of a title; the text may have others there
RULES = "=~^|"  # symbols that underline or separate headings
OPENING = "\"'¿¡#@"  # punctuation that belongs to what follows, besides opening brackets and quotation marks
INSIDE_WORDS = "-_'’"


def title_and_text(titled: tuple[Any, str]) -> list[str]:
    """Return a title and its text without the title at its beginning; empty if there is no title or no other text.

    Args:
        titled: title (anything but a string is missing) and text.

    >>> title_and_text(("On Cats", "On cats. They purr."))
    ['On Cats', 'They purr.']
    >>> title_and_text(("On Cats", "On cats.")) or title_and_text((None, "They purr."))
    []
    """
    title, text = titled
    if not isinstance(title, str) or not title.strip():
        return []
    rest = without_title(text, title)
    return [title, rest] if rest.strip() else []


def without_title(text: str, title: str) -> str:
    """Return a text without its title at the beginning, and without the white space and punctuation after it.

    White space, case and sentence marks at the end of the title do not count. A title that ends inside a word of the
    text (`cat` in `category`) is none.
    """
    folded = "".join(title.split()).casefold()
    wanted = folded.rstrip(SENTENCE_MARKS) or folded
    found = end = 0
    for character in text:
        if found == len(wanted):
            break
        piece = "" if character.isspace() else character.casefold()
        if not wanted.startswith(piece, found):
            return text
        found += len(piece)
        end += 1
    if not wanted or found < len(wanted) or ends_inside_word(text, end):
        return text
    while end < len(text) and separates(text[end]):
        end += 1
    return text[end:]


def ends_inside_word(text: str, end: int) -> bool:
    """Whether the characters before and after a position are of one word, in scripts with spaces between words."""
    after = text[end : end + 2].lstrip(INSIDE_WORDS)[:1]
    return in_word(text[end - 1]) and in_word(after) and (category(after)[0] == "M" or not UNSPACED.match(after))


def in_word(character: str) -> bool:
    """Whether a character is a letter, a mark on a letter or a digit."""
    return bool(character) and category(character)[0] in "LMN"


def separates(character: str) -> bool:
    """Whether a character after a title is no part of the text: white space, punctuation that opens nothing, a rule."""
    closing = category(character)[0] == "P" and category(character) not in ("Ps", "Pi") and character not in OPENING
    return character.isspace() or closing or character in RULES
