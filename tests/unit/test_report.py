"""The report and the card of an adapted model: they say what the tables say and no more, and show texts as text."""

import dataclasses
import itertools
import json
import re
from html.parser import HTMLParser

import pytest
import small_account
import yaml
from hypothesis import given
from hypothesis import strategies as st
from settings_examples import changed
from small_account import row

import package_model
import write_report
from selfembed.errors import InputError
from selfembed.evidence import differences
from selfembed.jobs import records
from selfembed.pages import adapted_card
from selfembed.pages.account import with_revision
from selfembed.pages.plain_words import badge, conclusion, held_out, limits, score_table, texts, training, verdict
from selfembed.study.validation import load

HOSTILE = "<script>window.broken = 1</script>\"><img src=x onerror=alert(1)> & {{ 7777 * 7777 }} | `a` 'b'"
PNG = b"\x89PNG\r\n\x1a\n and the rest"
BETTER, WORSE, EVEN = 0.1, -0.1, 0.01


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
    import argparse

    from selfembed.pages import account as accounts

    parser = argparse.ArgumentParser()
    accounts.add_arguments(parser)
    return accounts.read(parser.parse_args(small_account.write(folder, rows, **changes)))


def report(folder, rows, *more, title="My texts", **changes):
    """The page that the script writes, read."""
    words = small_account.write(folder, rows, **changes)
    model, output = folder / "adapted_model", folder / "report.html"
    model.mkdir(exist_ok=True)
    (model / "modules.json").write_text("[]")
    write_report.main([*words, "--title", title, "--model", str(model), *more, "--output", str(output)])
    return Elements(output.read_text(encoding="utf-8"))


# What the scores say ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amounts", "verdict", "heading"),
    [
        (
            {"recall@1": BETTER},
            "",
            "After is better than Before at crop retrieval. This alone does not show that it is the better model.",
        ),
        ({"recall@1": WORSE}, "worse", "After is worse than Before at crop retrieval."),
        (
            {"recall@1": EVEN},
            "not distinguishable",
            "After and Before are not distinguishable at crop retrieval.",
        ),
        (
            {"accuracy": BETTER, "recall@1": BETTER},
            "better",
            "By the labels of your texts, After is better than Before.",
        ),
        (
            {"accuracy": EVEN, "recall@1": BETTER},
            "not distinguishable",
            "By the labels of your texts, After and Before are not distinguishable.",
        ),
        ({"accuracy": WORSE, "recall@1": BETTER}, "worse", "By the labels of your texts, After is worse than Before."),
    ],
)
def test_the_conclusion_is_that_of_the_labels_and_without_them_that_of_crops(tmp_path, amounts, verdict, heading):
    rows = [row("After", "Before", amount, measure) for measure, amount in amounts.items()]
    found = conclusion(account(tmp_path, rows))
    assert (found.verdict, found.heading) == (verdict, heading)
    said = " ".join(found.meaning)
    assert ("no reason to use After instead of Before." in said) == (BETTER not in (*amounts.values(),)[:1])
    assert ("Therefore the labels take precedence." in said) == (len(set(amounts.values())) > 1)
    if amounts == {"recall@1": BETTER}:
        assert "worse by the labels" in said and "Labels take precedence" in said


def test_a_model_that_does_better_is_named(tmp_path):
    rows = [row("After", "Before", BETTER), row("After", "Dropout", EVEN), row("After", "TF-IDF", WORSE)]
    assert (
        conclusion(account(tmp_path, rows)).meaning[-1]
        == "TF-IDF scored better than After in at least one comparison below."
    )
    assert "scored better" not in " ".join(conclusion(account(tmp_path, rows[:2])).meaning)


def test_what_finding_crops_is_worth_depends_on_the_training(tmp_path):
    rows = [row("After", "Before", BETTER)]
    crops, dropout = (account(tmp_path, rows, recipe={"augmentation": name}) for name in ("crops", "dropout"))
    assert "was trained for crop retrieval" in " ".join(limits(crops))
    assert "was trained for crop retrieval" not in " ".join(limits(dropout))
    assert "substitute for labels" in " ".join(limits(dropout))
    assert conclusion(crops).verdict == conclusion(dropout).verdict == ""


@pytest.mark.parametrize(
    ("measure", "amount", "expected"),
    [
        ("accuracy", BETTER, ("better", "better")),
        ("accuracy", WORSE, ("worse", "worse")),
        ("accuracy", EVEN, ("not distinguishable", "")),
        ("recall@1", BETTER, ("better at crop retrieval", "")),
        ("recall@1", WORSE, ("worse at crop retrieval", "worse")),
        ("uniformity", WORSE, ("better", "")),
    ],
)
def test_better_crop_retrieval_has_no_colour(measure, amount, expected):
    assert badge(row("After", "Before", amount, measure)) == expected


def test_scores_by_labels_that_disagree_are_no_verdict(tmp_path):
    rows = [row("After", "Before", amount, "accuracy", score=f"knn{amount}") for amount in (BETTER, EVEN)]
    found = conclusion(account(tmp_path, rows))
    assert found.verdict == "mixed"
    assert found.heading.startswith("By the labels of your texts") and "depends on the score" in found.heading


def test_a_table_against_the_model_is_read_the_other_way_round(tmp_path):
    turned = account(tmp_path, [row("Before", "After", WORSE), row("TF-IDF", "After", BETTER)]).compared()
    assert {other: [found["verdict"] for found in rows] for other, rows in turned.items()} == {
        "Before": ["better"],
        "TF-IDF": ["worse"],
    }
    assert turned["TF-IDF"][0]["sentence"] == (
        "After finds the other crop of a text first for 50.0% of 1,000 texts, TF-IDF for 60.0%: worse by 10.0 points "
        "(95% interval 8.0 to 12.0; three seeds)."
    )


@given(st.floats(-0.4, 0.4), st.sampled_from(["recall@1", "accuracy", "alignment", "uniformity"]))
def test_turning_a_row_twice_gives_it_back(amount, measure):
    found = row("After", "Before", amount, measure)
    assert differences.turned(differences.turned(found)) == found


def test_a_pair_in_two_tables_is_compared_once_and_before_comes_first(tmp_path):
    rows = [row("TF-IDF", "After", WORSE), row("After", "Before", BETTER), row("Before", "After", WORSE)]
    found = account(tmp_path, rows).compared()
    assert [(other, len(rows)) for other, rows in found.items()] == [("Before", 1), ("TF-IDF", 1)]
    assert list(account(tmp_path, rows).values()) == ["Before", "After", "TF-IDF"]


def with_largest_class(share):
    """Rows of an accuracy and of its balanced accuracy, of two classes."""
    rows = [row("After", "Before", BETTER, "accuracy") | {"largest_class": share}]
    rows.append(row("After", "Before", EVEN, "balanced_accuracy", score="knn_balanced_accuracy"))
    rows[-1]["largest_class"] = 0.5
    return [found | differences.describe_difference(found) for found in rows]


@pytest.mark.parametrize(("share", "warned"), [(0.958, True), (0.6, False)])
def test_the_largest_class_is_beside_every_accuracy(tmp_path, share, warned):
    found = account(tmp_path, with_largest_class(share))
    headings, lines = score_table(found, main=False)
    assert headings == ["Accuracy (knn)", "Balanced accuracy (knn)"]
    assert lines[-1] == ("always the largest class", [f"{100 * share:.1f}%", "50.0%"])
    assert score_table(found, main=True)[1][-1] == ("always the largest class", [f"{100 * share:.1f}%"])
    assert verdict(found)[-1].endswith(f" Always predicting the largest class: {100 * share:.1f}%.")
    told = [said for said in limits(found) if "are of one class, so accuracies say little" in said]
    assert len(told) == warned
    page = report(tmp_path, with_largest_class(share))
    card = adapted_card.card(found, None)
    for text in (page.text, card):
        assert "always the largest class" in text and f"{100 * share:.1f}%" in text


def test_rows_on_other_corpora_are_left_out(tmp_path):
    words = small_account.write(tmp_path, [row("After", "Before", BETTER), row("After", "Before", WORSE, corpus="b")])
    words = [*words[: words.index("--corpora")], "--corpora", "crops_of_texts"]
    output = tmp_path / "adapted"
    package_model.main([*words, "--output", str(output)])
    card = (output / "README.md").read_text(encoding="utf-8")
    assert "better by 10.0 points" in card and "worse" not in card.split("## Limits")[0]


# What was done ------------------------------------------------------------------------------------------------


def test_it_says_where_texts_went(tmp_path):
    rows = [row("After", "Before", BETTER)]
    assert texts(account(tmp_path, rows)) == [
        "Of 1,200 rows read, 1 had no text and 199 were duplicates and were excluded; 1,000 texts were kept.",
        "A text has 812 characters on average.",
        "Texts were split into sentences at full stops.",
    ]
    everything = {"read": 5000, "empty": 0, "duplicate": 0, "kept": 5000}
    assert texts(account(tmp_path, rows, counts=everything))[:2] == [
        "Of 5,000 rows read, none were excluded; 5,000 texts were kept.",
        "A random sample of 1,000 texts was used.",
    ]


def test_it_says_how_texts_were_split_and_what_was_left_out(tmp_path):
    written = account(tmp_path, [row("After", "Before", BETTER)])
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
        ({"unfrozen_layers": 1}, "only the top 1 layer of the model"),
        ({"held_out": 0.1}, "10% of the texts were held out of training"),
        ({"epochs": 2}, "900 pairs in 2 epochs, with batches of 64 pairs: 15 steps. No labels were used."),
        ({}, "The training loss decreased from 2.500 to 1.500."),
    ],
)
def test_it_says_how_the_model_was_trained(tmp_path, changes, said):
    assert said in " ".join(training(account(tmp_path, [row("After", "Before", BETTER)], recipe=changes)))


def test_a_revision_that_the_config_does_not_pin_is_told(tmp_path):
    """The base model knows which it was."""
    (tmp_path / "model.json").write_text(json.dumps({"revision": "0123456789" * 4}))
    told = with_revision("some/body (Hugging Face hub)", tmp_path)
    assert told == "some/body (Hugging Face hub), at revision 01234567, the newest when it was downloaded"
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(InputError, match=r"model\.json: damaged: expected: a group with revision"):
        with_revision("some/body", tmp_path)


def test_it_says_what_crops_were_drawn_from():
    counts = {"held out": 100, "without two crops": 10, "not drawn": 0, "kept": 90}
    assert held_out(counts) == "Of 100 held-out texts, 90 are long enough for two crops; all of them were used."
    assert held_out(counts | {"kept, a crop is in another text": 1}).endswith(
        " 1 text had a crop that is also in another text; the other was then not a candidate."
    )
    assert held_out(counts | {"not drawn": 40, "kept": 50}).endswith("for two crops; 50 of them were drawn.")


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
    rows = [row(text, "Before", BETTER), row(text, f"{text}2", WORSE, "mrr"), row(text, "Before", EVEN, "accuracy")]
    more = ("--entry", text, "What it shows.", text, str(picture))
    return report(tmp_path, rows, *more, title=text, label=text, counts={"read": 1200})


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
    assert all(attributes["href"].startswith("#") for _, attributes in found if "href" in attributes)
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
    links = {attributes["href"][1:] for tag, attributes in page.found if tag == "a"}
    assert links <= set(ids)


def test_verdicts_come_first_and_scores_have_intervals(tmp_path):
    rows = [row("After", "Before", BETTER), row("After", "Dropout", EVEN), row("After", "TF-IDF", WORSE)]
    text = report(tmp_path, rows).text
    places = [text.index(words) for words in ("better by 10.0", "not distinguishable, +1.0", "worse by 10.0")]
    assert places == sorted(places) and places[-1] < text.index("The texts")
    for cell in ("60.0% (58.0 to 62.0)", "50.0% (48.0 to 52.0)"):
        assert cell in text


def test_maps_are_linked_from_where_the_page_lies(tmp_path):
    """A path with what an address cannot hold."""
    place = tmp_path / "figures 1%" / "maps"
    place.mkdir(parents=True)
    (place / "texts.html").write_text("a map")
    found = report(tmp_path, [row("After", "Before", BETTER)], "--maps", str(place / "texts.html")).found
    assert "figures%201%25/maps/texts.html" in {attributes.get("href") for _, attributes in found}


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
        (replace("differences.csv", ",sentence", ",words"), r"differences\.csv: no column sentence; columns: corpus, "),
        (replace("differences.csv", "recall@1", "recall@7"), r"differences\.csv: measure 'recall@7' is unknown; "),
        (replace("differences.csv", "After", "Later"), "no row compares 'After' with another model on crops_of_texts"),
    ],
)
def test_what_is_missing_is_told_in_a_line(tmp_path, change, message):
    words = small_account.write(tmp_path, [row("After", "Before", BETTER)])
    change(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        package_model.main([*words, "--output", str(tmp_path / "adapted")])
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "adapted").exists()


def test_a_file_that_is_not_there_ends_in_a_line(tmp_path, capsys):
    words = small_account.write(tmp_path, [row("After", "Before", BETTER)])
    (tmp_path / "counts.json").unlink()
    with pytest.raises(SystemExit):
        package_model.main([*words, "--output", str(tmp_path / "adapted")])
    said = capsys.readouterr().err
    assert "counts.json' does not exist" in said and len(said.splitlines()) == 1


def test_a_figure_that_is_no_picture_is_told_in_a_line(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"a\.png: not a PNG; expected: a figure of this workflow"):
        report(tmp_path, [row("After", "Before", BETTER)], "--entry", "A", "What.", "", str(tmp_path / "a.png"))


# The model ----------------------------------------------------------------------------------------------------


def test_the_folder_has_the_run_s_files_and_a_card_of_its_own(tmp_path):
    words = small_account.write(tmp_path, [row("After", "Before", BETTER)])
    output = tmp_path / "adapted"
    for _ in range(2):  # what a step wrote is replaced
        package_model.main([*words, "--base-model", "somebody/a-model", "--output", str(output)])
    assert (output / "model.safetensors").read_bytes() == b"weights"
    assert {path.name for path in output.iterdir()} == {"modules.json", "model.safetensors", "README.md"}
    _, front, body = (output / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    assert yaml.safe_load(front) == {
        "library_name": "sentence-transformers",
        "pipeline_tag": "sentence-similarity",
        "tags": ["sentence-transformers", "feature-extraction", "sentence-similarity", "selfembed"],
        "base_model": "somebody/a-model",
        "base_model_relation": "finetune",
    }
    for words in (
        "1,000 texts were kept",
        "| temperature of the loss | 0.05 |",
        "60.0% (58.0 to 62.0)",
        "better by 10.0 points",
        "Scores are means over 3 seeds; this folder holds the model of seed 42.",
        'SentenceTransformer("path/to/this/folder")',
        "## Limits",
    ):
        assert words in body
    assert records.seals.check(output)


def test_a_model_with_code_of_its_own_says_how_it_is_loaded(tmp_path):
    words = small_account.write(tmp_path, [row("After", "Before", BETTER)])
    (tmp_path / "run" / "final" / "token_pooling.py").write_text("class TokenPooling: ...")
    package_model.main([*words, "--output", str(tmp_path / "adapted")])
    assert "trust_remote_code=True" in (tmp_path / "adapted" / "README.md").read_text(encoding="utf-8")


def test_no_label_breaks_the_card(tmp_path):
    hostile = HOSTILE.replace(" & ", "\n# ")
    found = account(tmp_path, [row(hostile, "Before", BETTER)], label=hostile)
    _, front, body = adapted_card.card(found, 'a"b: c').split("---\n", 2)
    assert yaml.safe_load(front)["base_model"] == 'a"b: c'
    assert not re.search(r"(?<!\\)<(script|img)", body)
    headings = [line for line in body.splitlines() if line.startswith("#")]
    assert headings[1:] == ["## Use", "## Data", "## Recipe", "## Scores", "## Limits", "## Licence"]
    scores = body.split("## Scores")[1].split("## Limits")[0]
    lines = [line for line in scores.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {3}


def test_a_guide_and_interpolated_weights_are_told(tmp_path):
    rows = [row("After", "Before", BETTER)]
    plain = account(tmp_path, rows)
    found = account(tmp_path, rows, recipe={"guide": True}, fraction=0.25)
    assert set(training(found)) - set(training(plain)) == {
        "Passages that a small model found more similar than the pair itself were not used as negatives.",
        "The weights of the model are those of a small model plus 0.25 times the change in training.",
    }
