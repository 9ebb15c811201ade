"""The report and the card of an adapted model: they say what the tables say and no more, and show texts as text."""

import dataclasses
import itertools
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import small_account
import yaml
from huggingface_hub import ModelCard
from settings_examples import changed
from small_account import judged, row

import package_model
import write_report
from selfembed.errors import InputError
from selfembed.evidence import differences
from selfembed.jobs import records
from selfembed.models import model_cards
from selfembed.pages import adapted_card, examples
from selfembed.pages.account import with_revision
from selfembed.pages.plain_words import answer, held_out, limits, score_table, texts, training
from selfembed.study.validation import load

HOSTILE = "<script>window.broken = 1</script>\"><img src=x onerror=alert(1)> & {{ 7777 * 7777 }} | `a` 'b'"
PNG = b"\x89PNG\r\n\x1a\n and the rest"
BETTER, WORSE, EVEN = 0.1, -0.1, 0.01
KEPT = "Keep the encoder as it is (Before)."
ROWS = [row("After", "Before", BETTER), row("TF-IDF", "Before", WORSE, candidate=False)]


class Elements(HTMLParser):
    """Every element of a page with its attributes, and all text."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def account(folder, rows, **changes):
    """The account of small files."""
    from selfembed.jobs import command_line
    from selfembed.pages import account as accounts

    parser = command_line.parser("An account.")
    accounts.add_arguments(parser)
    return accounts.read(parser.parse_args(small_account.write(folder, rows, **changes)))


def report(folder, rows, *more, title="My texts", **changes):
    """The page that the script writes, read."""
    words = small_account.write(folder, rows, **changes)
    model, output = folder / "adapted_model", folder / "report.html"
    model.mkdir(exist_ok=True)
    (model / "modules.json").write_text(json.dumps(small_account.MODULES))
    write_report.main([*words, "--title", title, "--model", str(model), *more, "--output", str(output)])
    return Elements(output.read_text(encoding="utf-8"))


# The answer ---------------------------------------------------------------------------------------------------

BY_LABELS = [*ROWS, row("After", "Before", EVEN, "accuracy")]


@pytest.mark.parametrize(
    ("judgements", "label", "heading"),
    [
        ({"search": judged("better", BETTER)}, "After", "For search, use After."),
        (
            {"search": judged("better", BETTER), "grouping": judged("better", BETTER)},
            "After",
            "For search and grouping, use After.",
        ),
        (
            {"search": judged("better", BETTER), "grouping": judged("not distinguishable", EVEN)},
            "After",
            "For search, use After.",
        ),
        ({"search": judged("better", BETTER), "grouping": judged("worse", WORSE)}, "Before", KEPT),
        ({"search": judged("not distinguishable", EVEN)}, "Before", KEPT),
    ],
)
def test_the_answer_is_the_choice_with_a_sentence_for_every_purpose(tmp_path, judgements, label, heading):
    found = answer(account(tmp_path, BY_LABELS, judgements=judgements, label=label))
    assert (found.heading, found.is_better) == (heading, label == "After")
    said = [sentence for sentence in found.sentences if sentence.startswith("For ")]
    assert len(said) == len(judgements)
    for purpose, judgement in judgements.items():
        words = {"better": "After is better", "worse": "After is worse"}.get(
            judgement["verdict"], "no difference can be told"
        )
        (sentence,) = (sentence for sentence in said if sentence.startswith(f"For {purpose}, "))
        assert words in sentence
    told = "If only search matters, set `purpose: search` (FOR=search)." in found.sentences
    assert told == (label == "Before" and judgements["search"]["verdict"] == "better")
    assert any("best on the texts that the best one is chosen on" in sentence for sentence in found.sentences) == (
        label == "Before"
    )


def test_a_sentence_has_both_values_and_the_interval(tmp_path):
    sentence = answer(account(tmp_path, ROWS)).sentences[0]
    assert sentence == (
        "For search, After is better: After finds the text that belongs to a title, or the title of a text, first in "
        "60.0 of 100 cases, the encoder as it is in 50.0 (95 % confidence interval of the difference: +8.0 to +12.0 "
        "points)."
    )
    assert "not chosen on: 200 texts for search." in answer(account(tmp_path, ROWS)).sentences[1]


def test_grouping_without_labels_is_told_unless_nobody_asked(tmp_path):
    for purpose, told in {"both": True, "grouping": True, "search": False}.items():
        said = " ".join(answer(account(tmp_path, ROWS, purpose=purpose)).sentences)
        assert ("cannot be judged without labels" in said) == told
        assert ("To judge it by hand in minutes, run selfembed ask with" in said) == told


def test_grouping_is_not_to_be_judged_by_hand_if_there_is_no_model_to_compare(tmp_path):
    said = " ".join(answer(account(tmp_path, ROWS, judgements={}, label="Before", best=None)).sentences)
    assert "cannot be judged without labels" in said and "selfembed ask" not in said


def test_crops_are_called_weaker_evidence(tmp_path):
    said = " ".join(answer(account(tmp_path, [row("After", "Before", BETTER, "recall@1")])).sentences)
    assert "finds the other passage of a text first" in said and "weaker evidence" in said
    assert "weaker evidence" not in " ".join(answer(account(tmp_path, ROWS)).sentences)


def test_word_counts_that_are_better_are_named(tmp_path):
    rows = [row("After", "Before", BETTER), row("TF-IDF", "Before", BETTER, candidate=False)]
    said = answer(account(tmp_path, rows)).sentences[-1]
    assert said.startswith("Without a language model, TF-IDF is better than the encoder for search: TF-IDF finds")


def test_if_no_candidate_had_a_gain_the_encoder_is_kept(tmp_path):
    found = answer(account(tmp_path, ROWS, judgements={}, label="Before", best=None))
    assert found.heading == KEPT
    assert found.sentences[0] == "No other model was better on the texts that the best one is chosen on."


def with_largest_class(share):
    """Rows of an accuracy and of its balanced accuracy, of two classes."""
    rows = [row("After", "Before", BETTER, "accuracy") | {"largest_class": share}]
    rows.append(row("After", "Before", EVEN, "balanced_accuracy") | {"largest_class": 0.5})
    return [found | differences.describe_difference(found) for found in rows]


@pytest.mark.parametrize(("share", "warned"), [(0.958, True), (0.6, False)])
def test_the_largest_class_is_beside_every_accuracy(tmp_path, share, warned):
    changes = {"judgements": {"grouping": judged("better", BETTER)}}
    found = account(tmp_path, with_largest_class(share), **changes)
    headings, lines = score_table(found)
    assert headings == ["grouping: Accuracy (knn)", "grouping: Balanced accuracy (knn_balanced_accuracy)"]
    assert lines == [
        ("Before", ["50.0", "50.0"]),
        ("After", ["60.0 (+10.0; +8.0 to +12.0)", "51.0 (+1.0; −1.0 to +3.0)"]),
        ("always the largest class", [f"{100 * share:.1f}", "50.0"]),
    ]
    told = [said for said in limits(found) if "are of one class, so accuracies say little" in said]
    assert len(told) == warned
    page = report(tmp_path, with_largest_class(share), **changes)
    card = adapted_card.card(found)
    for text in (page.text, card):
        assert "always the largest class" in text and f"{100 * share:.1f}" in text


# What was done ------------------------------------------------------------------------------------------------


def test_it_says_where_texts_went(tmp_path):
    assert texts(account(tmp_path, ROWS)) == [
        "Of 1,200 rows read, 1 had no text and 199 were duplicates and were excluded; 1,000 texts were kept.",
        "A text has 812 characters on average.",
        "Texts were split into sentences at full stops.",
    ]
    everything = {"read": 5000, "empty": 0, "duplicate": 0, "kept": 5000}
    assert texts(account(tmp_path, ROWS, counts=everything))[:2] == [
        "Of 5,000 rows read, none were excluded; 5,000 texts were kept.",
        "A random sample of 1,000 texts was used.",
    ]


def test_it_says_how_texts_were_split_and_what_was_left_out(tmp_path):
    written = account(tmp_path, ROWS)
    split = dataclasses.replace(written, sentences="lines", drop_repeated=3)
    split.counts.update({"sentences": 4000, "sentences, repeated": 1000})
    assert texts(split)[-2:] == [
        "Texts were split at line ends; every line counts as a sentence.",
        "25% of the sentences occur, apart from digits and case, in at least 3 texts; they were not used in training "
        "and crops.",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "two different passages of 2 neighbouring sentences"),
        ({"augmentation": "dropout"}, "a passage of 2 sentences was shown twice"),
        ({"augmentation": "halves"}, "cut in two halves"),
        ({"augmentation": "whole_text", "mask_fraction": 0.4}, "shown twice, and the model was trained"),
        ({"mask_fraction": 0.4}, "40% of the tokens were masked"),
        ({"guide": True}, "the encoder finds more similar than those of the pair were not used as negatives"),
        ({"matryoshka": [64, 128]}, "The first 64 and 128 dimensions of the vectors were trained, too"),
        ({"unfrozen_layers": 1}, "only the top 1 layer of the model"),
        ({"held_out": 0.1}, "10% of the texts were held out of training"),
        ({"epochs": 2}, "900 pairs in 2 epochs, with batches of 64 pairs: 15 steps. No labels were used."),
        ({}, "The training loss decreased from 2.500 to 1.500."),
    ],
)
def test_it_says_how_the_model_was_trained(tmp_path, changes, said):
    assert said in " ".join(training(account(tmp_path, ROWS, recipe=changes)))


def test_interpolated_weights_are_told(tmp_path):
    said = " ".join(training(account(tmp_path, ROWS, step="interpolated-0.25")))
    assert "The weights of the model are those of the encoder plus 0.25 times their change." in said
    assert "times their change" not in " ".join(training(account(tmp_path, ROWS)))


def test_a_revision_that_the_config_does_not_pin_is_told(tmp_path):
    """The base model knows which it was."""
    known = {"revision": "0123456789" * 4}
    told = with_revision("some/body (Hugging Face hub)", known)
    assert told == "some/body (Hugging Face hub), at revision 01234567, the newest when it was downloaded"
    pinned = "some/body (Hugging Face hub, revision 01234567)"
    assert with_revision(pinned, known) == pinned
    assert with_revision("a folder", {}) == "a folder"


def test_it_says_what_crops_were_drawn_from():
    counts = {"held out": 100, "without two crops": 10, "not drawn": 0, "kept": 90}
    assert held_out(counts) == "Of 100 held-out texts, 90 are long enough for two crops; all of them were used."
    assert held_out(counts | {"kept, a crop is in another text": 1}).endswith(
        " 1 text had a crop that is also in another text; the other was then not a candidate."
    )
    assert held_out(counts | {"not drawn": 40, "kept": 50}).endswith("for two crops; 50 of them were drawn.")


def test_a_report_on_titles_says_what_was_retrieved(tmp_path):
    counts = {"held out": 100, "without a title or another text": 10, "kept": 80}
    counts |= {"kept, a title or text is in another text": 1}
    (tmp_path / "titles.json").write_text(json.dumps({"counts": counts}))
    said = report(tmp_path, ROWS, "--pairs", str(tmp_path / "titles.json"), recipe={"augmentation": "titles"})
    found = " ".join(said.text.split())
    assert (
        "given a text, its title. Of 100 held-out texts, 90 have a title and other text; 80 of them were drawn. 1 text "
        "had the title or the text of another, which was then not a candidate."
    ) in found
    assert "passages were taken" not in found
    assert "match it with its title" in found


@pytest.mark.parametrize(
    ("name", "encoder", "words"),
    [
        (
            "a",
            {"type": "hub", "id": "some/body", "revision": "a" * 40, "layers": 2},
            "some/body (Hugging Face hub, revision aaaaaaaa)",
        ),
        ("a", {"type": "hub", "id": "some/body", "layers": 2}, "some/body (Hugging Face hub)"),
        (
            "a",
            {"type": "folder", "path": "/home/me/my model", "layers": 2},
            "the pretrained model in the folder my model",
        ),
        (
            "a",
            {"type": "folder", "path": "/home/me/my model", "adapter": "/home/me/my adapter", "layers": 2},
            "the pretrained model in the folder my model with the adapter in my adapter",
        ),
        (
            "a",
            {
                "type": "hub",
                "id": "some/body",
                "revision": "a" * 40,
                "layers": 2,
                "adapter": {"id": "some/one", "revision": "b" * 40},
            },
            "some/body (Hugging Face hub, revision aaaaaaaa) with the adapter some/one (revision bbbbbbbb)",
        ),
        ("a", {"type": "embedding_layer", "of": "tiny"}, "the token-embedding layer of tiny alone"),
        ("a", {"type": "embedding_module", "of": "tiny"}, "the embedding module of tiny alone"),
        ("tiny", None, "a model with random weights, which knew nothing"),
    ],
)
def test_an_encoder_is_told_in_words_and_no_folder_of_the_user_s(name, encoder, words):
    settings = load(changed({} if encoder is None else {f"encoders.{name}": encoder}))
    said = settings.encoders[name].description
    assert said.startswith(words) and "home" not in said


# The page -----------------------------------------------------------------------------------------------------


def hostile_report(tmp_path, text, picture):
    picture.write_bytes(PNG)
    rows = [row(text, "Before", BETTER), row(text, "Before", EVEN, "accuracy")]
    rows.append(row(f"{text}2", "Before", BETTER, candidate=False))
    more = ("--entry", text, "What it shows.", text, str(picture))
    return report(tmp_path, rows, *more, title=text, label=text, best=text, counts={"read": 1200})


def test_no_text_makes_an_element_and_every_text_is_shown_as_it_is(tmp_path):
    hostile = hostile_report(tmp_path, HOSTILE, tmp_path / "a.png")
    harmless = hostile_report(tmp_path, "harmless", tmp_path / "a.png")
    assert [tag for tag, _ in hostile.found] == [tag for tag, _ in harmless.found]
    assert hostile.text.count(HOSTILE) == harmless.text.count("harmless") >= 8
    assert {name for _, attributes in hostile.found for name in attributes if name.startswith("on")} == set()
    assert "60481729" not in hostile.text


def test_nothing_comes_from_elsewhere_and_the_page_may_run_nothing(tmp_path):
    found = hostile_report(tmp_path, HOSTILE, tmp_path / "a.png").found
    sources = [attributes["src"] for _, attributes in found if "src" in attributes]
    assert len(sources) == 1 and sources[0].startswith("data:image/png;base64,iVBOR")
    links = {attributes["href"] for _, attributes in found if "href" in attributes}
    assert {link for link in links if not link.startswith("#")} == {
        "https://github.com/facebookresearch/faiss",
        "https://github.com/asg017/sqlite-vec",
        "https://github.com/pgvector/pgvector",
        "https://scikit-learn.org",
        "https://maartengr.github.io/BERTopic",
    }
    policy = next(attributes["content"] for _, attributes in found if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert not {"script", "link", "iframe"} & {tag for tag, _ in found}


def test_the_page_can_be_read_by_everybody(tmp_path):
    page = hostile_report(tmp_path, "After", tmp_path / "a.png")
    levels = [int(tag[1]) for tag, _ in page.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    assert dict(page.found)["html"] == {"lang": "en"}
    assert [attributes["alt"] for tag, attributes in page.found if tag == "img"] == ["Figure: After. What it shows."]
    ids = [attributes["id"] for _, attributes in page.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for tag, attributes in page.found if tag == "a"}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


def test_the_answer_comes_first_and_scores_have_intervals(tmp_path):
    text = report(tmp_path, ROWS).text
    order = ("For search, use After.", "60.0 of 100 cases", "Scores in per cent", "The texts")
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "60.0 (+10.0; +8.0 to +12.0)" in text and "40.0 (−10.0; −12.0 to −8.0)" in text


def test_a_kept_encoder_has_no_training_and_the_page_says_so(tmp_path):
    changes = {"judgements": {"search": judged("not distinguishable", EVEN)}, "label": "Before"}
    text = report(tmp_path, ROWS, **changes).text
    assert KEPT in text and "contains the encoder as it is" in text
    assert "Training" not in text and "temperature" not in text


def test_examples_show_what_both_models_find_first(tmp_path):
    """The vectors before put two titles at each other's texts; after, every title is at its text."""
    corpus = pd.DataFrame(
        [
            (f"{number}/{side}", f"{'text' * side or 'title'} {number}", None, None)
            for number in range(6)
            for side in (0, 1)
        ],
        columns=["id", "text", "label", "title"],
    )
    corpus.to_parquet(tmp_path / "queries.parquet")
    right = np.repeat(np.eye(6), 2, axis=0)
    wrong = right.copy()
    wrong[[1, 3]] = wrong[[3, 1]]
    shown = examples.examples(corpus, wrong, right)
    assert len(shown) == 5 and {shown[0].query, shown[1].query} == {"title 0", "title 1"}
    for example in shown:
        assert example.after[0].is_right and example.after[0].text == example.query.replace("title", "text")
        assert len(example.before) == len(example.after) == 3
    assert [example.before[0].is_right for example in shown[:2]] == [False, False]
    assert all(example.after == [] for example in examples.examples(corpus, right, None))
    entries = []
    for label, vectors in {"Before": wrong, "After": right}.items():
        (tmp_path / label).mkdir()
        np.save(tmp_path / label / "embeddings.npy", vectors[None, None].astype(np.float32))
        facts = {"poolings": ["own"], "layers": [6], "last_layer": 6}
        (tmp_path / label / "embeddings.json").write_text(json.dumps(facts))
        entries += ["--vectors", label, str(tmp_path / label)]
    page = report(tmp_path, ROWS, "--queries", str(tmp_path / "queries.parquet"), *entries)
    assert "title 0" in page.text and "✓ text 0" in " ".join(page.text.split())


def test_maps_are_shown_and_linked_from_where_the_page_lies(tmp_path):
    """A path with what an address cannot hold."""
    place = tmp_path / "figures 1%" / "maps"
    place.mkdir(parents=True)
    (place / "texts.html").write_text("a map")
    found = report(tmp_path, ROWS, "--maps", str(place / "texts.html")).found
    address = "figures%201%25/maps/texts.html#After"
    assert address in {attributes.get("href") for _, attributes in found}
    assert [attributes["src"] for tag, attributes in found if tag == "iframe"] == [address]


def test_the_same_files_give_the_same_page(tmp_path):
    pages = set()
    for _ in range(2):
        hostile_report(tmp_path, HOSTILE, tmp_path / "a.png")
        pages.add((tmp_path / "report.html").read_bytes())
    assert len(pages) == 1


# What is missing ----------------------------------------------------------------------------------------------


def lose(name):
    return lambda folder: (folder / name).unlink()


def replace(name, old, new):
    def change(folder):
        path = folder / name
        path.write_text(path.read_text().replace(old, new))

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lose("run/run.json"), r"run\.json: damaged: .*No such file"),
        (lose("run/loss.csv"), r"loss\.csv: cannot be read as a table: "),
        (lose("run/final/modules.json"), "final: contains no model; expected: a step that the run kept"),
        (replace("counts.json", "rows", "columns"), r"counts\.json: damaged: expected: a group with rows; "),
        (replace("description.csv", "1000,0,0,812.4\n", ""), r"description\.csv: no rows; expected: at least one"),
        (replace("run/loss.csv", "1,2.5\n2,0.5\n", ""), r"loss\.csv: no rows; expected: at least one"),
        (replace("description.csv", "labelled", "labeled"), r"description\.csv: no column labelled; columns: texts, "),
        (replace("table.csv", ",sentence", ",words"), r"table\.csv: no column sentence; columns: purpose, "),
        (replace("table.csv", "title_recall@1", "recall@7"), r"table\.csv: measure 'recall@7' is unknown; "),
        (replace("choice.json", '"label": "After"', '"label": "Later"'), "'Later' is chosen; expected: one of After, "),
        (replace("choice.json", "judged", "judge"), r"choice\.json: damaged: expected: a group with .*judged"),
    ],
)
def test_what_is_missing_is_told_in_a_line(tmp_path, change, message):
    words = small_account.write(tmp_path, ROWS)
    change(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        package_model.main([*words, "--output", str(tmp_path / "adapted")])
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "adapted").exists()


def test_a_file_that_is_not_there_ends_in_a_line(tmp_path, capsys):
    words = small_account.write(tmp_path, ROWS)
    (tmp_path / "counts.json").unlink()
    with pytest.raises(SystemExit):
        package_model.main([*words, "--output", str(tmp_path / "adapted")])
    said = capsys.readouterr().err
    assert "counts.json' does not exist" in said and len(said.splitlines()) == 1


def test_a_figure_that_is_no_picture_is_told_in_a_line(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"a\.png: not a PNG; expected: a figure of this workflow"):
        report(tmp_path, ROWS, "--entry", "A", "What.", "", str(tmp_path / "a.png"))


# The model ----------------------------------------------------------------------------------------------------


def test_the_folder_has_the_run_s_files_and_a_card_of_its_own(tmp_path):
    words = small_account.write(tmp_path, ROWS, repository="somebody/a-model")
    output = tmp_path / "adapted"
    for _ in range(2):  # what a step wrote is replaced
        package_model.main([*words, "--output", str(output)])
    assert (output / "model.safetensors").read_bytes() == b"weights of run/final"
    assert {path.name for path in output.iterdir()} == {"modules.json", "model.safetensors", "README.md"}
    _, front, body = (output / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    assert yaml.safe_load(front) == {
        "library_name": "sentence-transformers",
        "pipeline_tag": "sentence-similarity",
        "tags": ["sentence-transformers", "feature-extraction", "sentence-similarity", "selfembed"],
        "base_model": "somebody/a-model",
        "base_model_relation": "finetune",
        "model-index": [
            {
                "name": "After",
                "results": [
                    {
                        "task": {"type": "sentence-similarity", "name": "search"},
                        "dataset": {
                            "type": "titles_of_texts",
                            "name": "1,000 test texts of titles_of_texts (not part of this repository)",
                        },
                        "metrics": [{"type": "title_recall@1", "name": "Recall@1 of titles", "value": 0.6}],
                    }
                ],
            }
        ],
    }
    for words in (
        "1,000 texts were kept",
        "The texts are not part of this folder.",
        "Licence: unknown",
        "No licence is set.",
        "| temperature of the loss | 0.05 |",
        "For search, use After.",
        "60.0 (+10.0; +8.0 to +12.0)",
        'SentenceTransformer("path/to/this/folder")',
        "## Limits",
    ):
        assert words in body
    assert records.seals.check(output)


def written_card(folder, rows, facts=None, **changes):
    """The card that the script writes, as the Hub's own library reads it."""
    words = small_account.write(folder, rows, **changes)
    (folder / "base" / "model.json").write_text(json.dumps(facts or {}))
    package_model.main([*words, "--output", str(folder / "adapted")])
    return ModelCard.load(folder / "adapted" / "README.md")


def test_the_card_has_every_score_of_the_model_as_the_hub_reads_them(tmp_path):
    rows = [*BY_LABELS, row("After", "Before", EVEN, "accuracy", corpus="texts"), row("Other", "Before", BETTER)]
    found = written_card(tmp_path, rows).data.eval_results
    scores = [(one.task_type, one.dataset_type, one.metric_type, one.metric_value) for one in found]
    assert scores == [
        ("sentence-similarity", "titles_of_texts", "title_recall@1", 0.6),
        ("text-classification", "titles_of_texts", "accuracy", 0.51),
        ("text-classification", "texts", "accuracy", 0.51),
    ]
    assert found[0].dataset_name == "1,000 test texts of titles_of_texts (not part of this repository)"
    kept = {"judgements": {}, "label": "Before", "best": None}
    found = written_card(tmp_path, [*ROWS, row("Other", "Before", BETTER)], **kept).data.eval_results
    assert [(one.metric_type, one.metric_value) for one in found] == [("title_recall@1", 0.5)]


@pytest.mark.parametrize(("step", "dims"), [("final", [64]), ("interpolated-0.25", None)])
def test_the_card_has_the_dimensions_that_vectors_were_trained_to_be_cut_to(tmp_path, step, dims):
    """Not of interpolated weights, whose first dimensions are only partly trained."""
    data = written_card(tmp_path, ROWS, step=step, recipe={"matryoshka": [64]}).data
    assert data.get("matryoshka_dims") == dims


@pytest.mark.parametrize(
    ("licence", "name"),
    [
        ({"license": "apache-2.0"}, "apache-2.0"),
        ({"license": "other", "license_name": "gemma", "license_link": "https://example.org/terms"}, "gemma"),
    ],
)
def test_the_card_has_licence_revision_and_checksum_of_the_base_model(tmp_path, licence, name):
    facts = {"repository": "some/body", "revision": "0123456789" * 4, "weights": "ab" * 32, "licence": licence}
    card = written_card(tmp_path, ROWS, facts)
    assert {key: value for key, value in card.data.to_dict().items() if key.startswith("license")} == licence
    for words in (
        "Encoder: a small model, at rev",
        "Revision: " + "0123456789" * 4,
        "SHA-256 of its weights: " + "ab" * 32,
        f"Licence: {name}",
    ):
        assert f"- {words}" in card.text
    assert card.data.base_model == "some/body"
    assert f"this file, {name}, is that of the base model" in card.text and "No licence is set" not in card.text


@pytest.mark.parametrize(
    ("card", "found"),
    [
        ("---\nlicense: mit\ntags: [a]\n---\n# A model", {"license": "mit"}),
        ("---\nlicense: [mit, apache-2.0]\n---\n", {}),
        ("---\nlicense: mit: no\n---\n", {}),
        ("# A model\n---\nlicense: mit\n---\n", {}),
        ("", {}),
    ],
)
def test_a_licence_is_read_from_the_metadata_of_a_card(tmp_path, card, found):
    (tmp_path / "README.md").write_text(card)
    assert model_cards.licence(tmp_path) == found
    assert model_cards.licence(tmp_path / "nowhere") == {}


def test_a_kept_encoder_is_copied_with_a_card_that_says_so(tmp_path):
    words = small_account.write(tmp_path, ROWS, judgements={}, label="Before", best=None, repository="somebody/a-model")
    package_model.main([*words, "--output", str(tmp_path / "adapted")])
    assert (tmp_path / "adapted" / "model.safetensors").read_bytes() == b"weights of base/0"
    card = (tmp_path / "adapted" / "README.md").read_text(encoding="utf-8")
    assert "# Before: an encoder without fine-tuning, for texts" in card and "none was better with confidence" in card
    assert "## Recipe" not in card and "finetune" not in card


def test_a_model_with_code_of_its_own_says_how_it_is_loaded(tmp_path):
    words = small_account.write(tmp_path, ROWS)
    (tmp_path / "run" / "final" / "token_pooling.py").write_text("class TokenPooling: ...")
    package_model.main([*words, "--output", str(tmp_path / "adapted")])
    assert "trust_remote_code=True" in (tmp_path / "adapted" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("is_tuned", [True, False])
def test_a_model_with_word_counts_says_so(tmp_path, is_tuned):
    words = small_account.write(tmp_path, ROWS, repository="somebody/a-model")
    folder = tmp_path / "run" / "final"
    modules = [*small_account.MODULES, {"type": "word_counts.WordCounts", "path": "3_WordCounts"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "3_WordCounts").mkdir()
    (folder / "3_WordCounts" / "config.json").write_text('{"components": 200}')
    if not is_tuned:
        place = words.index("final")
        del words[place + 2 : place + 4]  # the record of a run and its pairs
    package_model.main([*words, "--output", str(tmp_path / "adapted")])
    card = (tmp_path / "adapted" / "README.md").read_text(encoding="utf-8")
    assert "which tokens are in several of them, how often" in card
    assert "200 components of word counts" in card and "base_model_relation: finetune" in card
    assert ("## Recipe" in card) == ("Fine-tuned without labels" in card) == is_tuned
    assert ("a small model, not fine-tuned" in card) != is_tuned
    write_report.main(
        [*words, "--title", "Report", "--model", str(tmp_path / "adapted"), "--output", str(tmp_path / "report.html")]
    )
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "200 components of word counts" in page and "contains the complete model" in page
    assert ("All settings" in page) == is_tuned
    assert "On other texts it may be worse than the encoder as it came." in page


def test_no_label_breaks_the_card(tmp_path):
    hostile = HOSTILE.replace(" & ", "\n# ")
    found = account(tmp_path, [row(hostile, "Before", BETTER)], label=hostile, best=hostile, repository='a"b: c')
    _, front, body = adapted_card.card(found).split("---\n", 2)
    assert yaml.safe_load(front)["base_model"] == 'a"b: c'
    assert not re.search(r"(?<!\\)<(script|img)", body)
    headings = [line for line in body.splitlines() if line.startswith("#")]
    assert headings[1:] == ["## Use", "## Base model", "## Data", "## Recipe", "## Scores", "## Limits", "## Licence"]
    scores = body.split("## Scores")[1].split("## Limits")[0]
    lines = [line for line in scores.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {3}
