"""Compare splitters of sentences: made-up texts in ten languages that are split right, and time for 100,000 texts.

`pip install pysbd syntok blingfire uniseg` first, in an environment of their own: the project needs none of them.
"""

import time
from collections.abc import Callable

from selfembed.jobs import command_line
from selfembed.texts import sentences

# Language, and the sentences of a text. A bar stands where a splitter must split, and nowhere else.
CASES = [
    ("en", "Use e.g. v3.14.2 of https://www.example.org/a.b/c.html for 1.250,75 Dr. No. 5 every day. |Next one."),
    ("en", "Dr. Smith came at 5 p.m. to see Fig. 3. |He left."),
    ("en", "Is it late?! |Yes! |It is."),
    ("de", "Die Donaudampfschifffahrtsgesellschaft fährt z. B. am 3. Oktober. |Das kostet ca. 5 Euro bzw. mehr!"),
    ("de", "Prof. Dr. Meier wohnt in der Str. Nr. 7. |Er ist da."),
    ("fr", "M. Dupont est arrivé hier. |Mme. Martin aussi."),
    ("es", "El Sr. García llegó. |¿Qué tal? |Bien."),
    ("ru", "Привет. |Как дела? |Это г. Москва."),
    ("zh", "我们到了北京。|天气很好！|他说：“不去。”|然后走了？"),
    ("ja", "今日は晴れです。|明日は雨？|「行きます。」|と言った。"),
    ("hi", "यह पहला वाक्य है। |क्या यह दूसरा है? |हाँ!"),
    ("ar", "ذهبت إلى السوق. |هل تريد شيئا؟ |نعم؛ أريد خبزا!"),
    ("ur", "میں آیا۔ |تم آئے۔"),
    ("my", "ကျွန်တော် သွားသည်။ |သူလာသည်။"),
]
PYSBD = {"en", "de", "fr", "es", "ru", "zh", "ja", "hi", "ar", "ur", "my"}


def by_pysbd() -> Callable[[str, str], list[str]]:
    """Rules by language; the right one is given."""
    import pysbd

    known = {language: pysbd.Segmenter(language=language, clean=False) for language in PYSBD}
    return lambda text, language: known[language].segment(text)


def by_syntok() -> Callable[[str, str], list[str]]:
    """Rules for English, Spanish and German."""
    from syntok import segmenter

    def split(text: str, language: str) -> list[str]:
        found = [sentence for paragraph in segmenter.process(text) for sentence in paragraph]
        return ["".join(token.spacing + token.value for token in sentence) for sentence in found]

    return split


def by_blingfire() -> Callable[[str, str], list[str]]:
    """A finite-state machine without languages."""
    import blingfire

    return lambda text, language: blingfire.text_to_sentences(text).split("\n")


def by_icu() -> Callable[[str, str], list[str]]:
    """ICU without its suppressed abbreviations; the right language is given."""
    from icu4py.breakers import SentenceBreaker

    return lambda text, language: list(SentenceBreaker(text, language))


def by_icu_with_suppressions() -> Callable[[str, str], list[str]]:
    """ICU with its suppressed abbreviations; the right language is given."""
    from icu4py.breakers import SentenceBreaker

    return lambda text, language: list(SentenceBreaker(text, f"{language}@ss=standard"))


def by_uniseg() -> Callable[[str, str], list[str]]:
    """Unicode's default rules in Python."""
    from uniseg.sentencebreak import sentences as split

    return lambda text, language: list(split(text))


def by_sentencex() -> Callable[[str, str], list[str]]:
    """Rules by language; the right one is given."""
    import sentencex

    return lambda text, language: sentencex.segment(language, text)  # ty: ignore[missing-attribute]


def by_us() -> Callable[[str, str], list[str]]:
    """Where the rules of several languages of sentencex agree; no language is given."""
    return lambda text, language: sentences.sentences(text)


METHODS = {
    "pysbd": by_pysbd,
    "syntok": by_syntok,
    "blingfire": by_blingfire,
    "icu4py": by_icu,
    "icu4py, abbreviations": by_icu_with_suppressions,
    "uniseg": by_uniseg,
    "sentencex": by_sentencex,
    "ours": by_us,
}


def main() -> None:
    """Print the table."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--texts", type=int, default=1000, help="texts of eight sentences that are timed")
    arguments = parser.parse_args()
    english = " ".join(f"This is sentence number {place}, and it has as many words as others do." for place in range(8))
    print("| splitter | right | of | seconds for 100,000 texts | wrong |\n|---|---|---|---|---|")
    for name, method in METHODS.items():
        try:
            split = method()
        except ImportError:
            print(f"| {name} | not installed | | | |")
            continue
        wrong = []
        for language, case in CASES:
            expected = [part.strip() for part in case.split("|")]
            if [part.strip() for part in split(case.replace("|", ""), language) if part.strip()] != expected:
                wrong.append(language)
        started = time.perf_counter()
        for place in range(arguments.texts):
            split(f"{place} {english}", "en")
        seconds = (time.perf_counter() - started) * 100_000 / arguments.texts
        print(f"| {name} | {len(CASES) - len(wrong)} | {len(CASES)} | {seconds:.1f} | {', '.join(wrong)} |")


if __name__ == "__main__":
    main()
