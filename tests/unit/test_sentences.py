"""Sentences, lines and words of texts in several scripts, and what a proposal makes of them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from with_defaults import crop_corpus, make_pairs, packs, prepare

from selfembed.embeddings import bags_of_words
from selfembed.errors import InputError
from selfembed.maps import clusters
from selfembed.proposals import base_encoder, proposals, proposed_config
from selfembed.proposals.summary import summary
from selfembed.settings.corpora import Corpus
from selfembed.texts import columns, corpora, sentences
from selfembed.texts.corpora import fold

CASES = {
    "abbreviations": (
        "e.g. v3.14.2 of https://www.example.org/a.b/c.html costs 1.250,75 Dr. No. 5 every port needs care. Next one.",
        [
            "e.g. v3.14.2 of https://www.example.org/a.b/c.html costs 1.250,75 Dr. No. 5 every port needs care. ",
            "Next one.",
        ],
    ),
    "addresses": ("Small firmware v2.9 is at intra.example.org/t/917 now", None),
    "inches": (
        'A TV of 42" broke. I called. Got one of 40" now.',
        ['A TV of 42" broke. ', "I called. ", 'Got one of 40" now.'],
    ),
    "questions alone": ("Is it late?! Yes! Go home", ["Is it late?! ", "Yes! ", "Go home"]),
    "Chinese": (
        "我们到了北京。天气很好！他说：“不去。”然后走了？",
        ["我们到了北京。", "天气很好！", "他说：“不去。”", "然后走了？"],
    ),
    "Japanese": (
        "今日は晴れです。明日は雨？「行きます。」と言った。",
        ["今日は晴れです。", "明日は雨？", "「行きます。」", "と言った。"],
    ),
    "Thai": (
        "วันนี้อากาศดีมาก ฉันไปตลาด ซื้อผลไม้ 25 อย่าง แล้วกลับบ้าน เมื่อวานนี้ฝนตกหนักมาก",
        ["วันนี้อากาศดีมาก ฉันไปตลาด ซื้อผลไม้ ", "25 อย่าง แล้วกลับบ้าน เมื่อวานนี้ฝนตกหนักมาก"],
    ),
    "Hindi": ("यह पहला वाक्य है। क्या यह दूसरा है? हाँ!", ["यह पहला वाक्य है। ", "क्या यह दूसरा है? ", "हाँ!"]),
    "Arabic": (
        "ذهبت إلى السوق. هل تريد شيئا؟ نعم؛ أريد خبزا!",
        ["ذهبت إلى السوق. ", "هل تريد شيئا؟ ", "نعم؛ أريد خبزا!"],
    ),
    "German": (
        "Die Donaudampfschifffahrtsgesellschaft fährt z. B. am 3. Oktober. Dr. Meier zahlt 1.250,75 Euro bzw. mehr!",
        [
            "Die Donaudampfschifffahrtsgesellschaft fährt z. B. am 3. Oktober. ",
            "Dr. Meier zahlt 1.250,75 Euro bzw. mehr!",
        ],
    ),
    "mixed": (
        "The model is new. 模型很好。यह नया है। Ende.",
        ["The model is new. ", "模型很好。", "यह नया है। ", "Ende."],
    ),
    "wrapped": ("A sentence that goes on\nin the next line. Then\nanother.", None),
    "paragraphs": ("A heading\n\nA sentence. Another", ["A heading ", "A sentence. ", "Another"]),
    "lower case": (
        "i lost my password. it says error 5.2. please help",
        ["i lost my password. ", "it says error 5.2. ", "please help"],
    ),
    "a list": ("- one\n- two\n\n* three", ["- one ", "- two ", "* three"]),
    "emoji": ("Hi 😀 there. 𠀀𠀁。 End", ["Hi 😀 there. ", "𠀀𠀁。 ", "End"]),
}
CASES["addresses"] = (CASES["addresses"][0], [CASES["addresses"][0]])
CASES["wrapped"] = (CASES["wrapped"][0], ["A sentence that goes on in the next line. ", "Then another."])


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_sentences_end_where_those_of_the_language_do(text, expected):
    assert sentences.split(text, "unicode") == expected


def test_every_line_is_a_piece():
    text = "ann: hi. there\r\n\n  bob: how\tare you \n- one\n"
    assert sentences.split(text, "lines") == ["ann: hi. there ", "bob: how are you ", "- one "]


@given(some.text(some.characters() | some.sampled_from(" .\n。ก !？ا")), some.sampled_from(list(sentences.WAYS)))
def test_the_pieces_are_the_text(text, way):
    pieces = sentences.split(text, way)
    assert "".join(pieces).strip() == fold(text)
    assert all(piece.strip() for piece in pieces)


def test_han_kana_and_hangul_count_twice():
    assert sentences.length("abc กा") == 6
    assert sentences.length("模型 かな 한국") == 14
    pieces = ["模" * 50, "word" * 25, "模" * 49]
    assert packs(pieces, sentences=1) == pieces[:2]


# What a corpus keeps


def table(texts):
    return pd.DataFrame({"id": None, "text": texts, "label": None, "title": None})


def test_line_ends_are_kept_until_the_split_and_folded_in_the_text():
    corpus, counts = prepare(table(["one\ntwo", " ", "three"]), sentences="lines")
    assert corpus["text"].tolist() == ["one two", "three"]
    assert corpus["sentences"].tolist() == [["one ", "two"], ["three"]]
    assert (counts["sentences"], counts["sentences, repeated"]) == (3, 0)


def test_the_papers_corpus_has_no_sentences(tmp_path):
    corpus, counts = prepare(table(["One. Two."]))
    assert list(corpus.columns) == corpora.COLUMNS and "sentences" not in counts
    corpus.to_parquet(tmp_path / "corpus.parquet")
    assert list(corpora.read_corpus(tmp_path / "corpus.parquet").columns) == corpora.COLUMNS


def test_derived_corpora_have_the_sentences(tmp_path):
    corpus, _ = prepare(table(["One. Two.", "Three! Four?"]), sentences="unicode")
    corpus.to_parquet(tmp_path / "corpus.parquet")
    sample = corpora.sample(corpora.read_corpus(tmp_path / "corpus.parquet"), 1, seed=0)
    assert list(sample["sentences"].iloc[0]) == sentences.split(sample["text"].iloc[0], "unicode")


def test_repeated_sentences_are_left_out_whatever_their_digits_and_case():
    texts = [f"Own sentence {n * 'x'}yz. TICKET {n} is open! Ticket {n}7 IS open! Best regards" for n in range(3)]
    corpus, counts = prepare(table(texts), sentences="unicode", drop_repeated=3)
    assert [list(found) for found in corpus["sentences"]] == [[f"Own sentence {n}yz. "] for n in ("", "x", "xx")]
    assert corpus["text"].tolist() == texts
    assert (counts["sentences"], counts["sentences, repeated"]) == (12, 9)


def test_a_sentence_that_one_text_repeats_is_not_repeated():
    corpus, _ = prepare(table(["Yes! Yes! Yes!", "No."]), sentences="unicode", drop_repeated=2)
    assert [len(found) for found in corpus["sentences"]] == [3, 1]


def test_the_papers_way_cannot_drop_sentences():
    with pytest.raises(
        ValueError, match="drop_repeated is not possible with sentences: paper; expected: sentences: uni"
    ):
        Corpus(source={"type": "file", "path": "x.csv"}, drop_repeated=3)


def test_pairs_and_halves_are_made_of_the_sentences_as_they_stood():
    corpus, _ = prepare(table(["我来了。你呢？ 好！走"] * 2), sentences="unicode", deduplicate=False)
    limits = {"sentences": 2, "minimum_length": 2, "maximum_length": 9}
    pairs = make_pairs(corpus, "crops", epochs=9, seed=1, **limits)
    assert set(pairs["anchor"]) == {"我来了。你呢？ ", "你呢？ 好！", "好！走"}
    assert set(make_pairs(corpus, "halves", epochs=1, seed=1)["anchor"]) <= {"我来了。你呢？ ", "好！走"}
    assert set(make_pairs(corpus, "whole_text", epochs=1, seed=1)["anchor"]) == {"我来了。你呢？ 好！走"}


# What is proposed

WORDS = {
    "Chinese": ["城市", "河流", "天气", "火车", "学校", "老师", "学生", "电影", "音乐", "医院", "市场", "水果"],
    "Japanese": ["電車", "学校", "先生", "学生", "映画", "音楽", "病院", "市場", "果物", "電話", "新聞", "歴史"],
    "Thai": ["ตลาด", "โรงเรียน", "นักเรียน", "ภาพยนตร์", "ดนตรี", "ผลไม้", "โทรศัพท์", "ทะเล", "ภูเขา", "รถไฟ", "แมว", "ฝน"],
    "Hindi": ["शहर", "नदी", "मौसम", "विद्यालय", "शिक्षक", "छात्र", "संगीत", "अस्पताल", "बाज़ार", "समाचार", "इतिहास", "संस्कृति"],
    "Arabic": [
        *("المدينة", "النهر", "الطقس", "القطار", "المدرسة", "الطالب"),
        *("الفيلم", "المستشفى", "السوق", "الهاتف", "التاريخ", "الثقافة"),
    ],
    "German": [
        *("Donaudampfschifffahrtsgesellschaft", "Rechtsschutzversicherung", "Krankenhausverwaltung", "Kundendienst"),
        *("Straßenbahnhaltestelle", "Rechnung", "Vertrag", "Mahnung", "Paket", "Zusteller", "Filiale", "Gutschrift"),
    ],
}  # fmt: skip
JOINED = {"Chinese": ("", "，", "。！？"), "Japanese": ("", "、", "。！？"), "Thai": (" ", "", " ")}
JOINED |= {"Hindi": (" ", " ", "।?!"), "Arabic": (" ", " ", ".؟!"), "German": (" ", " ", ".?!")}


def made(language, number=200, count=6, words=None):
    """Texts of sentences of 11 words each; the words of a text are of one half of the list."""
    generator = np.random.default_rng(0)
    space, comma, ends = JOINED[language]
    texts = []
    for row in range(number):
        chosen = words or WORDS[language][row % 2 * 6 :][:6]
        found = [comma.join(generator.choice(chosen, 11)) + generator.choice(list(ends)) for _ in range(count)]
        texts.append(space.join(found))
    return texts


# An encoder on the hub, whose tokenizer is not here.
MULTILINGUAL = base_encoder.Encoder(
    "multilingual", {"type": "hub", "id": "team/multilingual", "layers": 6, "max_length": 256}, ""
)


def proposal(tmp_path, texts):
    path = tmp_path / "own.jsonl"
    pd.DataFrame({"text": texts}).to_json(path, orient="records", lines=True, force_ascii=False)
    found = proposals.propose("own", path, encoder=MULTILINGUAL)
    return found, proposed_config.render(found, "my_own.yaml"), "\n".join(summary(found))


MIXED = [f"{one} {other}" for one, other in zip(made("German", count=4), made("Chinese", count=4), strict=True)]
OWN = {language: made(language) for language in WORDS} | {"mixed": MIXED}


@pytest.mark.parametrize("language", OWN)
def test_texts_of_any_script_get_crops_words_and_names(tmp_path, language):
    found, config, said = proposal(tmp_path, OWN[language])
    assert found.sentences == "unicode" and "    sentences: unicode\n    # Sentences in so many" in config
    assert found.n_usable > 190
    assert len(found.crops) == 3 and all(
        f"\n    {crop}\n" in said and f"#   {crop}\n" in config for crop in found.crops
    )
    needs_icu = language in ("Chinese", "Japanese", "Thai", "Hindi", "mixed")
    assert found.terms == ("unicode_words" if needs_icu else "words")
    assert ("tfidf: {type: tfidf, terms: unicode_words}" in config) == needs_icu
    vectors = bags_of_words.embed(OWN[language], components=None, normalise=False, terms=found.terms)
    similar = (vectors @ vectors.T).toarray()
    assert similar[::2, ::2].min() > similar[::2, 1::2].max()
    names = clusters.describe(pd.Series(OWN[language]), np.arange(200) % 2)["name"]
    words = WORDS.get(language) or WORDS["German"] + WORDS["Chinese"]
    for number, name in enumerate(names):
        half = {word.lower() for start in range(0, len(words), 12) for word in words[start + 6 * number :][:6]}
        assert len(found_words := name.split(", ")) == 3 and set(found_words) <= half


def test_a_name_in_thai_is_of_words():
    assert bags_of_words.words("ฉันไปตลาดซื้อผลไม้") == ["ฉัน", "ไป", "ตลาด", "ซื้อ", "ผล", "ไม้"]


ENGLISH = ["river", "cloud", "stone", "letter", "garden", "winter", "engine", "paper", "bridge", "market", "silver"]


def of_lines(make, number=200, lines=12):
    generator = np.random.default_rng(0)
    some_words = lambda least, most: " ".join(generator.choice(ENGLISH, generator.integers(least, most)))  # noqa: E731
    return ["\n".join(make(some_words, row, line) for line in range(lines)) for row in range(number)]


KINDS = {
    "chats": (lambda words, row, line: f"{['ann', 'bob'][line % 2]}: {words(6, 14)}{'?!'[: line % 3]}", "lines"),
    "logs": (lambda words, row, line: f"2026-01-{row % 28 + 1} 12:00:{line} INFO {words(6, 9)} id={row}", "lines"),
    "lists": (lambda words, row, line: f"* {words(6, 9)}", "unicode"),
    "code": (lambda words, row, line: f"    {words(1, 2)} = call({words(6, 8).replace(' ', ', ')})", "lines"),
    "wrapped": (lambda words, row, line: f"{words(10, 11)[:50].ljust(50, 'x')}{'.' * (line % 2)}", "unicode"),
    "prose": (lambda words, row, line: f"{words(9, 14).capitalize()}. {words(9, 14).capitalize()}.", "unicode"),
    "prose in lines": (lambda words, row, line: f"{words(9, 14).capitalize()}.", "unicode"),
}


@pytest.mark.parametrize(("make", "way"), KINDS.values(), ids=KINDS)
def test_line_ends_count_where_they_structure_a_text(tmp_path, make, way):
    found, config, said = proposal(tmp_path, of_lines(make))
    assert found.sentences == way and f"sentences: {way}\n" in config
    assert f"own.jsonl: split into {'lines' if way == 'lines' else 'sentences'}" in said
    assert found.n_usable > 150


def test_texts_without_punctuation_are_split_into_runs_of_words(tmp_path):
    texts = [" ".join(text.split()) for text in of_lines(lambda words, row, line: words(9, 14))]
    found, config, said = proposal(tmp_path, texts)
    assert found.sentences == "words" and "sentences: words\n" in config
    assert "own.jsonl: split into pieces of 20 words" in said
    assert found.n_usable > 150
    pieces = sentences.split(texts[0], "words")
    assert "".join(pieces) == texts[0] and {len(piece.split()) for piece in pieces[:-1]} == {20}


def test_short_texts_of_one_sentence_have_sentences():
    texts = [f"{text.splitlines()[0]}." for text in of_lines(KINDS["prose"][0])]
    assert sentences.propose_way([*texts, texts[0] * 10]) == "unicode"


def test_texts_that_end_in_exclamation_marks_are_not_too_short(tmp_path):
    found, _, _ = proposal(tmp_path, [text.replace(".", "!") for text in of_lines(KINDS["prose"][0])])
    assert found.n_usable > 190


FOOTER = (
    "Kind regards from all of us at the office in the harbour. Please call if the bridge at 7 is closed today. "
    "This message is for you alone and for nobody else. Think of the forest before you print this letter."
)


def test_a_footer_is_told_and_left_out_of_crops(tmp_path):
    texts = [f"{text} {FOOTER}" for text in of_lines(KINDS["prose"][0], lines=1)]
    _, config, said = proposal(tmp_path, texts)
    assert "(67% of the sentences are in 3 texts or more and do not count)" in said
    assert "    drop_repeated: 3\n" in config and "left out of crops: 67 % of them" in config
    corpus, _ = prepare(table(texts), sentences="unicode", drop_repeated=3)
    crops, counts = crop_corpus(corpus, 0.5, None, seed=0, sentences=1, minimum_length=30, maximum_length=500)
    assert not crops["text"].isin(sentences.split(FOOTER, "unicode")).any() and crops["text"].is_unique
    assert counts["kept, a crop is in another text"] == 0


def test_templates_with_other_numbers_are_refused_and_the_reason_told(tmp_path):
    base = of_lines(KINDS["prose"][0], number=40, lines=4)
    texts = [text.replace(". ", f" ticket {row}. ") for text in base for row in range(6)]
    with pytest.raises(
        InputError, match=r"0 of 240 texts .* \(100% of the sentences are in 3 texts or more and do not"
    ):
        proposal(tmp_path, texts)


def test_a_column_without_spaces_is_found():
    frame = pd.DataFrame({"name": ["王小明"] * 9, "body": made("Chinese", number=9), "place": ["กรุงเทพ"] * 9})
    assert columns.find_text(frame, "file") == "body"
