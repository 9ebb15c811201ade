"""A wrong config is refused before any job starts, one readable line for every problem."""

import csv
import re
from copy import deepcopy
from typing import Any

import pytest
from settings_examples import REMOVED, changed, example, study

from selfembed.errors import InputError
from selfembed.evidence.published import NEEDED_COLUMNS, NOISE_COLUMNS
from selfembed.study.validation import check_target_names, load, missing_sources

ENTRY = "experiments.main.models.1"
# Titles of the texts that runs hold out.
TITLES = {
    "corpora.pieces": {"source": {"type": "titles", "corpus": "docs"}},
    "scores": {"pairs": {"type": "title_pairs"}},
    "recipes.crops": {"augmentation": "titles", "held_out": 0.1},
    "experiments.main.corpora": ["pieces"],
    "experiments.main.scores": ["pairs"],
    "figures": {},
}
NAME = "'^[a-z0-9][a-z0-9_]*$'"
POOLINGS = "'mean', 'cls', 'last', 'token7' or 'own'"
TOP = (
    "claims, corpora, device, devices_per_run, embedding, encoders, experiments, figures, folder, keep, mteb, "
    "precision, published, recipes, report, report_to, scores, seeds, tables, tasks, threads, tsne"
)
TOKENIZER = "a group with the key `train_on` or `borrow_from`"
PYDANTIC = ("[key]", "Tokenizer", "literal", "array", "instance of", "Value error")
CORPORA = "news, docs, notes"
ENCODERS = "tiny, loan, mpnet, tfidf, svd"


def problem(changes: dict[str, Any]) -> str:
    """The message that the changed example is refused with."""
    with pytest.raises(InputError) as refused:
        load(changed(changes))
    return str(refused.value)


def agrees(message: str, expected: str) -> bool:
    """Whether a message is as expected: pydantic's words only have to hold those after `is invalid: `.

    A suggestion may follow.
    """
    start, invalid, words = expected.partition(" is invalid: ")
    return message.startswith(start + invalid) and words in message if invalid else message == expected


def test_example_is_valid():
    """The example that all tests change has no problem of its own."""
    assert load(example()).seeds == [1, 2]


@pytest.mark.parametrize(
    ("path", "allowed", "meant"),
    [
        ("sedes", TOP, "seeds"),
        (
            "corpora.news.sourc",
            "deduplicate, drop_repeated, embedding_jobs, expect, minimum_label_count, minimum_length, seeds, "
            "sentences, source",
            "source",
        ),
        (
            "corpora.news.source.pth",
            "colors, encoding, format, group, id, keyword_classes, keywords, label, path, separator, text, title, "
            "type, unlabelled",
            "path",
        ),
        ("corpora.docs.source.path", "packages, type", None),
        ("encoders.mpnet.revison", "adapter, id, layers, max_length, prompt, revision, type", "revision"),
        ("encoders.tfidf.components", "terms, type", None),
        ("encoders.tiny.layers", "architecture, max_length, tokenizer, type", None),
        (
            "encoders.tiny.architecture.layrs",
            "attention_heads, dropout, hidden_size, intermediate_size, layers",
            "layers",
        ),
        ("encoders.tiny.tokenizer.size", "train_on, vocabulary_size", None),
        ("encoders.tiny.tokenizer.borrow_from", "train_on, vocabulary_size", None),
        ("encoders.loan.tokenizer.vocabulary_size", "borrow_from", None),
        (
            "recipes.crops.temprature",
            "augmentation, batch_size, early_stopping, epochs, guide, held_out, learning_rate, lora, matryoshka, "
            "max_length, pooling, precision, projection, temperature, unfrozen_layers, warmup",
            "temperature",
        ),
        (
            "recipes.crops.augmentation.sentence",
            "mask_fraction, maximum_length, minimum_length, sentences, type",
            "sentences",
        ),
        ("experiments.main.seed", "corpora, layers, maps, models, poolings, scores, seeds, steps, tasks", "seeds"),
        (
            "experiments.main.models.1.recpe",
            "color, corpora, encoder, group, label, mteb, poolings, recipe, steps, sweep, train_on",
            "recipe",
        ),
        ("figures.bars.colour", "caption, draw, experiment, pooling, score, title", None),
    ],
)
def test_unknown_key(path, allowed, meant):
    """An unknown key is named with its path as written, the keys of its own group, and the one most like it."""
    meant = f"; did you mean '{meant}'?" if meant else ""
    assert problem({path: 1}) == f"{path}: unknown key; expected: {allowed}{meant}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"device": "gpu"}, "device: 'gpu' is invalid: 'auto', 'cpu' or 'cuda'", id="literal"),
        pytest.param(
            {"figures.bars.draw": "pie"},
            "figures.bars: draw 'pie' is unknown; expected: 'comparison', 'layers', 'losses', 'benchmark_steps', "
            "'maps', 'interactive_map', 'adaptation', 'depth', 'hyperparameters', 'before_after', 'classes'",
            id="literal of a figure",
        ),
        pytest.param(
            {"experiments.main.poolings": ["max"]},
            f"experiments.main.poolings.0: 'max' is invalid: {POOLINGS}",
            id="literal in a list",
        ),
        pytest.param(
            {f"{ENTRY}.poolings": ["mean", "max"]},
            f"{ENTRY}.poolings.1: 'max' is invalid: {POOLINGS}",
            id="literal in a list that may be missing",
        ),
        pytest.param({"seeds": 3}, "seeds: 3 is invalid: a valid list", id="number for a list"),
        pytest.param({"seeds": [1.5]}, "seeds.0: 1.5 is invalid: a valid integer", id="fraction"),
        pytest.param({"seeds": []}, "seeds: [] is invalid: at least 1 item", id="empty list"),
        pytest.param({"corpora": {}}, "corpora: {} is invalid: at least 1 item", id="no corpus"),
        pytest.param(
            {"scores": {"near": {"type": "knn", "k": "ten"}}},
            "scores.near.k: 'ten' is invalid: a valid integer",
            id="word",
        ),
        pytest.param({"recipes": None}, "recipes: None is invalid: a valid dictionary", id="empty names"),
        pytest.param({"threads": 3}, "threads: 3 is invalid: a valid dictionary", id="number for a group"),
        pytest.param(
            {"encoders.tiny": None},
            "encoders.tiny: None is invalid: a valid dictionary",
            id="nothing for a group with a type",
        ),
        pytest.param(
            {"corpora.news.source.path": ""},
            "corpora.news.source.path: '' is invalid: '^[^-{}<>][^{}<>]*$'",
            id="empty text",
        ),
        pytest.param(
            {"recipes.crops.augmentation.sentences": "many"},
            "recipes.crops.augmentation.sentences: 'many' is invalid: a valid integer",
            id="type in an augmentation",
        ),
        pytest.param(
            {"recipes.crops.learning_rate": 0},
            "recipes.crops.learning_rate: 0 is invalid: greater than 0",
            id="too small",
        ),
        pytest.param(
            {"recipes.crops.temperature": float("inf")},
            "recipes.crops.temperature: inf is invalid: a finite number",
            id="infinite",
        ),
        pytest.param(
            {"encoders.mpnet.adapter": {"id": "team/adapter", "revision": "main"}},
            "encoders.mpnet.adapter.revision: 'main' is invalid: '^[0-9a-f]{40}$'",
            id="branch for an adapter",
        ),
        pytest.param(
            {"encoders.mpnet.adapter": "team/adapter"},
            "encoders.mpnet.adapter: 'team/adapter' is invalid: a valid dictionary",
            id="name for an adapter",
        ),
        pytest.param(
            {"encoders.mpnet.revision": "main"},
            "encoders.mpnet.revision: 'main' is invalid: '^[0-9a-f]{40}$'",
            id="revision that is no commit",
        ),
        pytest.param(
            {f"{ENTRY}.color": "red"},
            f"{ENTRY}.color: 'red' is invalid: '^#[0-9a-f]{{6}}$'",
            id="colour by name",
        ),
        pytest.param(
            {f"{ENTRY}.sweep": {"temperature": 0.5}},
            f"{ENTRY}.sweep.temperature: 0.5 is invalid: a valid list",
            id="sweep over one value",
        ),
        pytest.param(
            {"experiments.main.layers": "first"},
            "experiments.main.layers: 'first' is invalid: 'last' or 'all' or a list of numbers",
            id="word for layers",
        ),
        pytest.param(
            {"experiments.main.layers": 3},
            "experiments.main.layers: 3 is invalid: 'last' or 'all' or a list of numbers",
            id="number for layers",
        ),
        pytest.param(
            {"experiments.main.layers": [0, "a"]},
            "experiments.main.layers.1: 'a' is invalid: a valid integer",
            id="word among layers",
        ),
        pytest.param(
            {"experiments.main.layers": []},
            "experiments.main.layers: [] is invalid: at least 1 item",
            id="no layers",
        ),
        pytest.param(
            {"encoders.tiny.tokenizer": "news"},
            f"encoders.tiny.tokenizer: 'news' is invalid: {TOKENIZER}",
            id="word for a tokenizer",
        ),
        pytest.param(
            {"encoders.tiny.tokenizer": {"train_no": "news"}},
            f"encoders.tiny.tokenizer: {{'train_no': 'news'}} is invalid: {TOKENIZER}",
            id="tokenizer of no kind",
        ),
        pytest.param(
            {"encoders.tiny.tokenizer.train_on": 3},
            "encoders.tiny.tokenizer.train_on: 3 is invalid: a valid string",
            id="number for a name in a tokenizer",
        ),
    ],
)
def test_wrong_value(changes, message):
    """A value of the wrong type, or none of the allowed ones, is shown with what is allowed."""
    assert agrees(problem(changes), message)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (
            "corpora.news.source",
            "'file', 'folder', 'url', 'iclr', 'hub', 'python_docs', 'relabelled', 'sample', 'crops', 'titles'",
        ),
        (
            "encoders.tiny",
            "'hub', 'folder', 'package', 'random', 'embedding_layer', 'embedding_module', 'beside_word_counts', "
            "'tfidf', 'svd'",
        ),
        ("recipes.crops.augmentation", "'crops', 'dropout', 'halves', 'whole_text', 'titles', 'groups'"),
    ],
)
def test_unknown_type(path, allowed):
    """A group of an unknown type is named with all types."""
    assert problem({f"{path}.type": "fancy"}) == f"{path}: type 'fancy' is unknown; expected: {allowed}"


def test_unknown_augmentation_by_name():
    """The short form of an augmentation is refused like the long one."""
    message = (
        "recipes.crops.augmentation: type 'fancy' is unknown; expected: 'crops', 'dropout', 'halves', 'whole_text', "
        "'titles', 'groups'"
    )
    assert problem({"recipes.crops.augmentation": "fancy"}) == message


@pytest.mark.parametrize("path", ["corpora.docs.source", "encoders.tfidf", "recipes.crops.augmentation"])
def test_missing_type(path):
    """A group without a type says which types there are."""
    message = problem({f"{path}.type": REMOVED})
    assert message.startswith(f"{path}: {{}} is invalid: ")
    assert "'type'" in message and "; expected: '" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "path",
    [
        "corpora",
        "corpora.news.source",
        "corpora.news.source.path",
        "encoders.mpnet.id",
        "encoders.tiny.tokenizer",
        "recipes.crops.augmentation",
        "experiments.main.models",
        "experiments.main.models.1.encoder",
    ],
)
def test_missing_key(path):
    """A key that is needed is named with its full path."""
    assert problem({path: REMOVED}) == f"{path}: missing; this key is required"


SAMPLE = {"type": "sample", "corpus": "news", "size": 5}
COARSE = {"type": "relabelled", "corpus": "news"}
EXPECTED = {"rows": 5, "labelled": 4, "classes": 3}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"corpora.news.expect": {}},
            "corpora.news.expect: empty; expected: at least one of rows, labelled, classes",
        ),
        (
            {"corpora.news.expect": {"rows": -1}},
            "corpora.news.expect.rows: -1 is invalid: greater than or equal to 1",
        ),
        (
            {"corpora.news.expect": {"texts": 5}},
            "corpora.news.expect.texts: unknown key; expected: classes, labelled, rows",
        ),
        (
            {"corpora.news.expect": EXPECTED | {"labelled": 6}},
            "corpora.news.expect: labelled 6 is above rows 5; expected: at most 5",
        ),
        (
            {"corpora.news.expect": {"rows": 5, "classes": 6}},
            "corpora.news.expect: classes 6 is above rows 5; expected: at most 5",
        ),
        (
            {"corpora.news.expect": EXPECTED | {"classes": 0}},
            "corpora.news.expect: classes 0, but labelled 4; expected: at least 1 class",
        ),
        ({"corpora.notes.expect": EXPECTED}, "corpora.notes.expect: 'notes' has no labels; expected: only rows"),
        (
            {"corpora.few": {"source": SAMPLE, "expect": {"rows": 6}}},
            "corpora.few.expect.rows: 6 is not the sample's size; expected: 5",
        ),
        (
            {"corpora.news.expect": {"rows": 4}, "corpora.few": {"source": SAMPLE}},
            "corpora.few.source.size: 5, but corpora.news.expect.rows is 4; expected: at most 4",
        ),
        (
            {"corpora.news.expect": EXPECTED, "corpora.coarse": {"source": COARSE, "expect": {"rows": 4}}},
            "corpora.coarse.expect.rows: 4, but corpora.news.expect.rows is 5; expected: 5",
        ),
        (
            {"corpora.news.expect": EXPECTED, "corpora.coarse": {"source": COARSE, "expect": {"classes": 4}}},
            "corpora.coarse.expect.classes: 4, but corpora.news.expect.classes is 3; expected: at most 3",
        ),
    ],
)
def test_an_expectation_that_no_data_can_meet(changes, message):
    """What cannot be is refused before anything is fetched."""
    assert agrees(problem(changes), message)


@pytest.mark.parametrize(
    "changes",
    [
        {"corpora.news.expect": EXPECTED, "corpora.few": {"source": SAMPLE, "expect": {"rows": 5, "labelled": 4}}},
        {"corpora.news.expect": EXPECTED, "corpora.coarse": {"source": COARSE, "expect": {**EXPECTED, "classes": 1}}},
        {"corpora.notes.expect": {"rows": 5, "labelled": 0, "classes": 0}},
    ],
)
def test_an_expectation_that_data_can_meet(changes):
    """Derived corpora have the texts of the others, or fewer; a corpus without labels has no class."""
    load(changed(changes))


def test_a_revision_may_be_left_out():
    """An encoder and a data set of the hub are then fetched at their newest revision."""
    source = {"type": "hub", "id": "team/texts"}
    settings = load(changed({"encoders.mpnet.revision": REMOVED, "corpora.docs.source": source}))
    assert settings.encoders["mpnet"].revision is None
    assert settings.corpora["docs"].source.revision is None


@pytest.mark.parametrize("group", ["corpora", "encoders", "recipes", "experiments", "figures"])
@pytest.mark.parametrize("name", ["News", "my news", "my-news", "_news", "näws", "", "news\n"])
def test_name_with_bad_characters(group, name):
    """Names become files and wildcards: small letters, digits and underscores only."""
    config = example()
    config[group][name] = next(iter(config[group].values()))
    with pytest.raises(InputError) as refused:
        load(config)
    message = str(refused.value)
    assert message.startswith(f"{group}.{name}: " if name.isprintable() and name else group)
    assert f": {name!r} is invalid: " in message
    assert message.endswith(NAME)
    assert "\n" not in message


@pytest.mark.parametrize("path", ["experiments.main.corpora.0", f"{ENTRY}.recipe", "figures.bars.experiment"])
def test_reference_with_bad_characters(path):
    """A name is checked where it is used, too."""
    assert agrees(problem({path: "No Name"}), f"{path}: 'No Name' is invalid: {NAME}")


@pytest.mark.parametrize(
    ("path", "kind", "known"),
    [
        (f"{ENTRY}.encoder", "an encoder", ENCODERS),
        (f"{ENTRY}.recipe", "a recipe", "crops"),
        (f"{ENTRY}.train_on", "a corpus", CORPORA),
        ("experiments.main.corpora.0", "a corpus", CORPORA),
        ("figures.bars.experiment", "an experiment", "main"),
        ("encoders.tiny.tokenizer.train_on", "a corpus", CORPORA),
        ("encoders.loan.tokenizer.borrow_from", "a pretrained encoder", "mpnet"),
    ],
)
def test_unknown_name(path, kind, known):
    """A name that nothing is called by is shown with the names that exist."""
    assert problem({path: "nobody"}) == f"{path}: 'nobody' is not {kind}; expected: {known}"


def test_unknown_name_where_none_is_defined():
    """Without any recipe, the message says so instead of listing nothing."""
    assert problem({"recipes": {}}) == f"{ENTRY}.recipe: 'crops' is not a recipe; expected: none is defined"


@pytest.mark.parametrize("lender", ["tiny", "tfidf", "loan"])
def test_tokenizer_borrowed_from_encoder_without_one(lender):
    """Only pretrained encoders have a tokenizer to lend."""
    path = "encoders.loan.tokenizer.borrow_from"
    assert problem({path: lender}) == f"{path}: '{lender}' is not a pretrained encoder; expected: mpnet"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"experiments.main.layers": [0, 3]},
            "experiments.main.layers: encoder 'tiny' has no layer 3; expected: 0 to 2",
            id="layer that does not exist",
        ),
        pytest.param(
            {"experiments.main.poolings": ["mean", "token7"], "encoders.tiny.max_length": 7},
            "experiments.main.poolings: encoder 'tiny' has no 'token7' (its max_length is 7); "
            "expected: mean, cls, last",
            id="token7 of a truncated encoder",
        ),
        pytest.param(
            {f"{ENTRY}.poolings": ["token7", "mean"], "encoders.tiny.max_length": 7},
            f"{ENTRY}.poolings: encoder 'tiny' has no 'token7' (its max_length is 7); expected: mean, cls, last",
            id="token7 of one truncated entry",
        ),
        pytest.param(
            {"recipes.crops.pooling": "token7", "recipes.crops.max_length": 7},
            "recipes.crops: pooling 'token7' does not exist in max_length 7; "
            "expected: mean, cls, last, or a max_length of at least 8",
            id="token7 of a truncated recipe",
        ),
        pytest.param(
            {f"{ENTRY}.poolings": ["own"]},
            f"{ENTRY}.poolings: encoder 'tiny' has no modules of its own for 'own'; "
            "expected: mean, cls, last, token7, or a pretrained encoder",
            id="own modules of a random encoder",
        ),
        pytest.param(
            {"recipes.crops.pooling": "own"},
            "experiments.main.models.1.recipe: pooling 'own', but encoder 'tiny' has no modules of its own; "
            "expected: mean, cls, last, token7, or a pretrained encoder",
            id="own modules of a random encoder are trained",
        ),
        pytest.param(
            {"experiments.main.models": [{"encoder": "mpnet", "poolings": ["own"]}], "experiments.main.layers": "all"}
            | {"figures": REMOVED},
            "experiments.main.layers: pooling 'own' exists only at the last layer of 'mpnet'; "
            "expected: last, or another experiment for 'mpnet'",
            id="own modules of all layers",
        ),
        pytest.param(
            {"experiments.main.models": [{"encoder": "mpnet", "recipe": "crops", "poolings": ["own"]}]}
            | {"experiments.main.layers": "last", "figures": REMOVED},
            "experiments.main.models.0.recipe: 'crops' trains with pooling 'mean', but 'own' is scored; "
            "expected: pooling: own in the recipe, or other poolings",
            id="own modules after training without them",
        ),
        pytest.param(
            {
                "encoders.words": {"type": "beside_word_counts", "of": "mpnet", "corpus": "news", "layers": 12}
                | {"held_out": 0.2},
                "recipes.crops": {"augmentation": "crops", "pooling": "own", "held_out": 0.1},
                "experiments.main.models": [{"encoder": "words", "recipe": "crops", "poolings": ["own"]}],
                "experiments.main.layers": "last",
                "scores": {"knn": {"type": "knn", "split": "all"}},
                "figures": REMOVED,
            },
            "experiments.main.models.0.recipe: held_out is 0.1, but 0.2 for the word counts of 'words'; "
            "expected: the same",
            id="word counts of texts that are held out",
        ),
        pytest.param(
            {
                "encoders.words": {"type": "beside_word_counts", "of": "tiny", "corpus": "new", "layers": 2},
            },
            "encoders.words.of: 'tiny' is not a pretrained encoder; expected: mpnet\n"
            "encoders.words.corpus: 'new' is not a corpus; expected: news, docs, notes; did you mean 'news'?",
            id="word counts beside a random encoder",
        ),
        pytest.param(
            {"recipes.crops": {"augmentation": "crops", "early_stopping": True}, "experiments.main.steps": ["epoch-1"]},
            "experiments.main.models.1.recipe: 'crops' may stop before step epoch-1 (early_stopping); "
            "expected: steps 0, final and interpolated ones, or no early_stopping",
            id="steps that may not be reached",
        ),
        pytest.param(
            {"encoders.mpnet.prompt": "query"},
            "encoders.mpnet.prompt: no entry uses pooling 'own' with 'mpnet'; expected: poolings: [own]",
            id="prompt that nothing uses",
        ),
        pytest.param(
            {"experiments.main.models.0": {"encoder": "tfidf", "poolings": ["mean"]}},
            "experiments.main.models.0.poolings: bag of words 'tfidf' has no token vectors to pool; remove this key",
            id="poolings of a bag of words",
        ),
        pytest.param(
            {f"{ENTRY}.encoder": "svd"},
            f"{ENTRY}.recipe: bag of words 'svd' cannot be fine-tuned; expected: no recipe",
            id="fine-tuning of a bag of words",
        ),
        pytest.param(
            {"experiments.main.corpora": ["news", "notes"]},
            "experiments.main.corpora.1: corpus 'notes' has no labels, which kNN accuracy needs; "
            "expected: a corpus with labels (set corpora.notes.source.label), or one of type crops made of it, with a "
            "score of type crop_pairs",
            id="corpus without labels",
        ),
        pytest.param(
            {"recipes.crops": {"augmentation": "titles"}},
            f"{ENTRY}.recipe: 'news' has no titles, which 'crops' needs; expected: a corpus with titles (title: COLUMN "
            "in its source)",
            id="pairs of titles without titles",
        ),
        pytest.param(
            {"recipes.crops": {"augmentation": "groups"}},
            f"{ENTRY}.recipe: 'news' has no groups, which 'crops' needs; expected: a corpus with groups (group: COLUMN "
            "in its source)",
            id="pairs of groups without groups",
        ),
        pytest.param(
            {
                "corpora.docs.source": {"type": "file", "path": "docs.csv", "group": "thread"},
                "recipes.crops": {"augmentation": "groups"},
                f"{ENTRY}.train_on": "notes",
            },
            f"{ENTRY}.recipe: 'notes' has no groups, which 'crops' needs; expected: a corpus with groups (group: "
            "COLUMN in its source)",
            id="training on a corpus without groups",
        ),
        pytest.param(
            {
                "corpora.some": {"source": {"type": "sample", "corpus": "notes", "size": 90}},
                "corpora.titles": {"source": {"type": "titles", "corpus": "some"}},
            },
            "corpora.titles.source.corpus: 'some' has no titles; expected: a corpus with titles",
            id="corpus of titles without titles",
        ),
        pytest.param(
            TITLES | {"recipes.crops": {"augmentation": "titles", "held_out": 0.2}},
            f"{ENTRY}.recipe: 'crops' trains on the texts of 'docs' that the titles of 'pieces' are drawn from; "
            "expected: held_out: 0.1 in the recipe",
            id="titles of texts that were trained on",
        ),
        pytest.param(
            TITLES | {"scores": {"pairs": {"type": "crop_pairs"}}},
            "experiments.main.corpora.0: corpus 'pieces' is not of type crops, which 'pairs' needs; "
            "expected: another corpus",
            id="crop_pairs on titles",
        ),
        pytest.param(
            TITLES | {"scores": {"pairs": {"type": "knn"}}},
            "experiments.main.corpora.0: corpus 'pieces' has two rows for every text, which would be neighbours in "
            "'pairs'; expected: scores of type title_pairs",
            id="accuracy on titles",
        ),
        pytest.param(
            {
                "corpora.files": {"source": {"type": "folder", "path": "texts"}},
                "scores": {"probe": {"type": "linear"}},
                "experiments.main.scores": ["probe"],
                "experiments.main.corpora": ["files"],
                "figures": {},
            },
            "experiments.main.corpora.0: corpus 'files' has no labels, which Linear accuracy needs; "
            "expected: a corpus with labels (set corpora.files.source.label: folder), or one of type crops made of it, "
            "with a score of type crop_pairs",
            id="folder without labels",
        ),
        pytest.param(
            {
                "corpora.some": {"source": {"type": "sample", "corpus": "notes", "size": 10}},
                "experiments.main.corpora": ["news", "some"],
            },
            "experiments.main.corpora.1: corpus 'some' has no labels, which kNN accuracy needs; "
            "expected: a corpus with labels (set corpora.notes.source.label), or one of type crops made of it, with a "
            "score of type crop_pairs",
            id="sample of a corpus without labels",
        ),
        pytest.param(
            {"experiments.main.models.0.train_on": "notes"},
            "experiments.main.models.0.train_on: needs a recipe; "
            "add 'experiments.main.models.0.recipe' or remove this key",
            id="train_on without recipe",
        ),
        pytest.param(
            {"experiments.main.models.0.sweep": {"temperature": [0.5]}},
            "experiments.main.models.0.sweep: needs a recipe; "
            "add 'experiments.main.models.0.recipe' or remove this key",
            id="sweep without recipe",
        ),
        pytest.param(
            {"figures.bars.pooling": "cls"},
            "figures.bars.pooling: 'cls' is not scored by 'main'; expected: mean",
            id="figure of a pooling that is not scored",
        ),
        pytest.param(
            {"experiments.main.models": [{"encoder": "tiny", "poolings": ["last", "cls"]}]},
            "figures.bars.pooling: 'mean' is not scored by 'main'; expected: last, cls",
            id="figure of a pooling that every entry replaces",
        ),
        pytest.param(
            {"experiments.main.models": [{"encoder": "tiny"}], "figures.bars.draw": "losses"},
            "figures.bars.draw: experiment 'main' fine-tunes nothing; expected: comparison, layers",
            id="losses of an experiment without runs",
        ),
        pytest.param(
            {"encoders.tiny.architecture.attention_heads": 5},
            "encoders.tiny.architecture: attention_heads 5 does not divide hidden_size 32; expected: a divisor",
            id="attention heads that do not divide the width",
        ),
        pytest.param(
            {"recipes.crops.augmentation": {"type": "dropout", "minimum_length": 300}},
            "recipes.crops.augmentation: minimum_length 300 is above maximum_length 250; expected: at most 250",
            id="minimum above maximum",
        ),
    ],
)
def test_impossible_combination(changes, message):
    """Settings that are fine alone and cannot work together are refused."""
    assert agrees(problem(changes), message)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"experiments.main.layers": [0, 2]}, id="layers from the embedding module to the last"),
        pytest.param({"experiments.main.layers": "all"}, id="all layers"),
        pytest.param({"experiments.main.poolings": ["mean", "token7"], "encoders.tiny.max_length": 8}, id="token7"),
        pytest.param({"experiments.main.models.0": {"encoder": "tfidf"}}, id="bag of words as it came"),
        pytest.param({"experiments.main.models": [{"encoder": "svd"}], "figures.bars.pooling": "cls"}, id="only bags"),
        pytest.param({f"{ENTRY}.poolings": ["cls"], "figures.bars.pooling": "cls"}, id="pooling of one entry"),
        pytest.param({"recipes.crops.pooling": "token7", "recipes.crops.max_length": 8}, id="token7 of a recipe"),
        pytest.param(
            {"experiments.main.models": [{"encoder": "mpnet", "recipe": "crops", "poolings": ["own"]}]}
            | {"recipes.crops.pooling": "own", "encoders.mpnet.prompt": "query", "figures.bars.pooling": "own"},
            id="own modules of a pretrained encoder",
        ),
        pytest.param({f"{ENTRY}.train_on": "notes"}, id="training corpus without labels"),
        pytest.param({"experiments.main.corpora": ["docs"]}, id="docstrings have labels"),
        pytest.param({"recipes.crops.augmentation": {"type": "crops", "minimum_length": 250}}, id="one length"),
        pytest.param({"figures": REMOVED}, id="no figures"),
    ],
)
def test_possible_combination(changes):
    """The checks refuse no config that works."""
    load(changed(changes))


@pytest.mark.parametrize("written", ["2e-5", "0.00002", 2e-5])
def test_number_that_yaml_reads_as_text(written):
    """YAML 1.1 reads `2e-5` as text; it is the number that was meant."""
    assert load(changed({"recipes.crops.learning_rate": written})).recipes["crops"].learning_rate == 2e-5


def test_augmentation_by_name_alone():
    """`augmentation: crops` stands for its type with every default."""
    short = load(changed({"recipes.crops.augmentation": "crops"}))
    assert short.recipes["crops"] == load(example()).recipes["crops"]


def test_several_problems_of_values():
    """Every wrong key and value has a line of its own."""
    message = problem({"sedes": 1, "encoders.tiny.type": "fancy", "recipes.crops.epochs": 0, "figures.bars.dra": 1})
    starts = {line.split(": ")[0] for line in message.splitlines()}
    assert starts == {"sedes", "encoders.tiny", "recipes.crops.epochs", "figures.bars.dra"}
    assert len(message.splitlines()) == 4


def test_several_problems_of_combinations():
    """Every name and combination that cannot work has a line of its own, in the order of the config."""
    message = problem(
        {
            "experiments.main.corpora": ["news", "nobody"],
            "experiments.main.layers": [3, 4],
            f"{ENTRY}.recipe": "nothing",
            "figures.bars.pooling": "cls",
        }
    )
    assert message.splitlines() == [
        f"experiments.main.corpora.1: 'nobody' is not a corpus; expected: {CORPORA}",
        "experiments.main.layers: encoder 'tiny' has no layer 3; expected: 0 to 2",
        "experiments.main.layers: encoder 'tiny' has no layer 4; expected: 0 to 2",
        f"{ENTRY}.recipe: 'nothing' is not a recipe; expected: crops",
        "figures.bars.pooling: 'cls' is not scored by 'main'; expected: mean",
    ]


@pytest.mark.parametrize("config", [None, [], "config.yaml"])
def test_config_that_is_no_mapping(config):
    """An empty file or a list is refused like any wrong value."""
    with pytest.raises(InputError, match=r"^config: .* is invalid: .* a valid dictionary$"):
        load(config)


def test_long_value_is_shortened():
    """The line stays a line when the wrong value is a page."""
    message = problem({"seeds": {"a": "long\n" * 100}})
    assert message.startswith(r"seeds: {'a': 'long\nlong\n")
    assert "... is invalid: " in message
    assert len(message) < 120


def paths_of(value: Any, prefix: str = "") -> list[str]:
    """Dotted paths of everything inside groups and lists."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in items for path in (f"{prefix}{key}", *paths_of(inner, f"{prefix}{key}."))]


@pytest.mark.slow
@pytest.mark.parametrize("path", paths_of(example()))
def test_every_key_path_is_the_users(path):
    """Wherever a config is invalid, the lines name keys as it has them, and nothing of pydantic's."""
    for wrong in (None, -1, "?", ["?"], {"?": "?"}, {"type": "?"}):
        config = changed({path: wrong})
        try:
            load(config)
        except InputError as error:
            lines = str(error).splitlines()
            assert len(lines) == len(set(lines))
            for line in lines:
                *holders, _ = line.split(": ")[0].split(".")
                assert leads_somewhere(config, holders), line
                assert "expected: " in line or " is invalid: " in line or line.endswith("missing; this key is required")
                assert not any(word in line for word in PYDANTIC)


def leads_somewhere(config: Any, keys: list[str]) -> bool:
    """Whether a config has these keys, one inside the other."""
    for key in keys:
        if isinstance(config, list):
            config = dict(enumerate(config))
            key = int(key) if key.isdigit() else key
        if not isinstance(config, dict) or key not in config:
            return False
        config = config[key]
    return True


def test_missing_sources_names_every_missing_path(tmp_path, monkeypatch):
    """Local files and folders that do not exist are named before any job starts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("text\n")
    settings = load(changed({"encoders.mpnet": {"type": "folder", "path": "weights", "adapter": "more", "layers": 6}}))
    with pytest.raises(InputError) as refused:
        missing_sources(settings)
    assert str(refused.value).splitlines() == [
        "corpora.news.source.path: 'news.csv' does not exist; expected: a file",
        "encoders.mpnet.adapter: 'more' does not exist; expected: a folder with adapter_config.json",
        "encoders.mpnet.path: weights: no such folder; expected: a transformers checkpoint with weights",
    ]
    with pytest.raises(InputError) as of_others:
        missing_sources(settings, texts=False)
    assert str(of_others.value).splitlines() == str(refused.value).splitlines()[1:], "texts are in a storage"


@pytest.mark.parametrize("header", ["", "series,value"])
def test_published_numbers_say_what_they_are(tmp_path, monkeypatch, header):
    """A table of other columns is named before any job starts."""
    monkeypatch.chdir(tmp_path)
    for name in ("news.csv", "notes.txt", "paper.csv"):
        (tmp_path / name).write_text(header)
    settings = load(changed({"published": "paper.csv"}))
    with pytest.raises(InputError, match=r"^published: 'paper.csv' has no column experiment, .*; expected: CSV with "):
        missing_sources(settings)
    (tmp_path / "paper.csv").write_text(f"{','.join(NEEDED_COLUMNS)},more\n")
    missing_sources(settings)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["texts", "", "", ""], "noise: 'texts' is invalid; expected: split or an empty cell"),
        (
            ["", "0,0005", "", ""],
            "rounding: '0,0005' is invalid; expected: a number from 0 to below 1, or an empty cell",
        ),
        (["", "", "-0.1", ""], "software: '-0.1' is invalid; expected: a number from 0 to below 1, or an empty cell"),
        (["", "nan", "", ""], "rounding: 'nan' is invalid; expected: a number from 0 to below 1, or an empty cell"),
    ],
)
def test_what_is_known_of_published_noise_is_checked_before_any_job(tmp_path, monkeypatch, cells, message):
    """Otherwise the comparison would stop after everything has been run."""
    monkeypatch.chdir(tmp_path)
    for name in ("news.csv", "notes.txt"):
        (tmp_path / name).write_text("")
    settings = load(changed({"published": "paper.csv"}))
    with open(tmp_path / "paper.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*NEEDED_COLUMNS, *NOISE_COLUMNS])
        table.writerow([""] * len(NEEDED_COLUMNS) + ["split", "0.0005", "", "another model"])
        table.writerow([""] * len(NEEDED_COLUMNS) + cells)
    with pytest.raises(InputError, match=f"^published: 'paper.csv', number 2: {re.escape(message)}$"):
        missing_sources(settings)


def test_missing_sources_accepts_what_exists(tmp_path):
    """Existing files and folders are no problem, and other sources have no path to check."""
    for name in ("news.csv", "notes.csv", "model.safetensors"):
        (tmp_path / name).write_text("text,topic\n")
    config = changed(
        {
            "corpora.news.source.path": str(tmp_path / "news.csv"),
            "corpora.notes.source.path": str(tmp_path / "notes.csv"),
            "encoders.mpnet": {"type": "folder", "path": str(tmp_path), "layers": 6},
        }
    )
    missing_sources(load(config))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"experiments.main_losses": {"corpora": ["news"], "models": [{"encoder": "tfidf"}]}},
            "experiments.main_losses: names that end in '_summary', '_losses', '_maps' are reserved for tables; "
            "expected: another name",
            id="experiment called like a table",
        ),
        pytest.param(
            {"experiments.main.models.1.sweep": {"epochs": [1, 2]}, "experiments.main.models.1.color": "#ff0000"},
            "experiments.main.models.1.color: a sweep needs several colours; remove this key, colours are "
            "chosen automatically",
            id="colour of a sweep",
        ),
        pytest.param(
            {"encoders.tiny.architecture.dropout": 0, "recipes.crops.augmentation": "dropout"},
            "experiments.main.models.1.recipe: encoder 'tiny' has no dropout, so its pairs would not differ; "
            "expected: crops",
            id="dropout without dropout",
        ),
        pytest.param(
            {"experiments.main.layers": [0, 1]},
            "figures.bars.draw: 'comparison' shows layer 2 of 'tiny', which is not scored; expected: layers, losses",
            id="comparison without the last layer",
        ),
        pytest.param(
            {"experiments.main.models.0.label": "-x"},
            "experiments.main.models.0.label: '-x' is invalid: '^[^-]'",
            id="label that reads as an option",
        ),
    ],
)
def test_what_would_fail_late_fails_early(changes, message):
    """Combinations that would only show once jobs run."""
    assert agrees(problem(changes), message)


def test_a_figure_cannot_be_called_like_a_rule():
    """Its name becomes a rule's."""
    settings = load(changed({"figures.embed": {"draw": "layers", "experiment": "main"}}))
    with pytest.raises(InputError, match=r"^figures.embed: the name is used by a rule; expected: another name$"):
        check_target_names(settings, taken={"all", "embed"})


@pytest.mark.parametrize(
    "models",
    [
        [{"encoder": "tfidf"}, {"encoder": "svd", "label": "tfidf"}],
        [{"encoder": "tiny", "label": "x"}, {"encoder": "tiny", "recipe": "crops", "label": "x"}],
    ],
    ids=["default and chosen", "both chosen"],
)
def test_a_label_means_one_model(models):
    """Two models under one label would be drawn as one."""
    with pytest.raises(InputError, match=r"^experiments.main.models: '\w+' is the label of .* and .*; expected"):
        study({"experiments.main.models": models})


NEW_TASK = {"tasks": {"STS13": {"type": "registry", "block": "sts"}}}


def test_a_label_means_one_way_to_score():
    """A model scored on a task in two ways under one label would be drawn as their mean."""
    models = [{"encoder": "mpnet"}, {"encoder": "mpnet", "mteb": {"max_length": 32, "normalise": False}}]
    both = {"tasks": ["STS13"], "corpora": ["news"], "models": models}
    message = (
        "experiments.main.models: 'mpnet' is the label of base/mpnet (mteb: 384_unit) and base/mpnet "
        "(mteb: 32_raw); expected: unique labels"
    )
    with pytest.raises(InputError) as refused:
        study(NEW_TASK | {"experiments.main": both})
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"corpora.part": {"source": {"type": "sample", "corpus": "papers", "size": 3}}},
            "corpora.part.source.corpus: 'papers' is not a corpus with its own source; expected: news, docs, notes",
            id="sample of nothing",
        ),
        pytest.param(
            {"corpora.coarse": {"source": {"type": "relabelled", "corpus": "notes"}}},
            "corpora.coarse.source.corpus: 'notes' has no labels; expected: a corpus with labels",
            id="other labels of no labels",
        ),
        pytest.param(
            {"corpora.coarse": {"source": {"type": "relabelled", "corpus": "news"}, "embedding_jobs": 2}},
            "corpora.coarse: embedding_jobs of a corpus with other labels; expected: the key in news",
            id="texts of another corpus in parts",
        ),
        pytest.param(
            {"corpora.part": {"source": {"type": "sample", "corpus": "news", "size": 3}, "deduplicate": False}},
            "corpora.part.deduplicate: 'news' is already cleaned; remove this key",
            id="cleaned twice",
        ),
        pytest.param(
            {"corpora.web": {"source": {"type": "url", "url": "https://a.org/b.csv", "format": "csv"}}},
            "corpora.web.source: a downloaded file needs one checksum; expected: sha256 or git_blob",
            id="unchecked file",
        ),
        pytest.param(
            {"encoders.table": {"type": "embedding_layer", "of": "tfidf"}},
            "encoders.table.of: 'tfidf' is not a pretrained or random encoder; expected: tiny, loan, mpnet",
            id="embeddings of words",
        ),
        pytest.param(
            {"experiments.main.scores": ["linear"], "figures": {}},
            "experiments.main.scores.0: 'linear' is not a score; expected: knn",
            id="unknown score",
        ),
        pytest.param(
            {"experiments.main.tasks": ["STS13"]},
            "experiments.main.tasks.0: 'STS13' is not a task; expected: none is defined\n"
            "experiments.main.models.1.train_on: missing; tasks have no training texts; "
            "expected: a corpus to fine-tune on",
            id="unknown task",
        ),
        pytest.param(
            NEW_TASK | {"experiments.main": {"tasks": ["STS13"], "models": [{"encoder": "svd"}]}, "figures": {}},
            "experiments.main.models.0.encoder: bag of words 'svd' cannot be scored on tasks; expected: other encoders",
            id="task of words",
        ),
        pytest.param(
            {"tasks": {"Own": {"type": "retrieval", "corpus": "news", "block": "own"}}},
            "tasks.Own.corpus: 'news' has no titles, which retrieval needs; expected: a corpus with titles",
            id="retrieval without titles",
        ),
        pytest.param(
            {"tasks": {"news": {"type": "clustering", "corpus": "news", "block": "own"}}},
            "tasks.news: is also the name of a corpus; expected: another name",
            id="task called like a corpus",
        ),
        pytest.param(
            {"recipes.crops.unfrozen_layers": 3},
            "experiments.main.models.1.recipe: encoder 'tiny' has no 3 layers to unfreeze; expected: 0 to 2",
            id="too many layers",
        ),
        pytest.param(
            {"devices_per_run": 3},
            "experiments.main.models.1.recipe: batch_size 64 is not divisible by devices_per_run; expected: a multiple "
            "of 3",
            id="batches that devices cannot share",
        ),
        pytest.param(
            {"recipes.crops.held_out": 0.1},
            "experiments.main.models.1.recipe: 'crops' holds out 0.1 of all texts, but "
            "score 'knn' has other test texts; "
            "expected: a score with split: all, test_fraction: 0.1, split_seed: 42",
            id="held-out texts that are not tested",
        ),
        pytest.param(
            {"experiments.main.models.1.sweep": {"held_out": [0, 0.2]}},
            "experiments.main.models.1.sweep: 'crops' holds out 0.2 of all texts, but score "
            "'knn' has other test texts; "
            "expected: a score with split: all, test_fraction: 0.2, split_seed: 42",
            id="held-out texts of a sweep that are not tested",
        ),
        pytest.param(
            {
                "recipes.crops.held_out": 0.1,
                "scores": {"knn": {"type": "knn", "split": "all"}},
                "corpora.part": {"source": {"type": "sample", "corpus": "docs", "size": 3}},
                "experiments.main.corpora": ["part"],
                "experiments.main.models.1.train_on": "docs",
            },
            "experiments.main.models.1.train_on: the texts of 'docs' held out by 'crops' are not the test "
            "texts of 'part'; remove this key or use a recipe without held_out",
            id="texts held out of another corpus",
        ),
        pytest.param(
            {"figures.bars": {"draw": "classes", "corpora": ["notes"]}},
            "figures.bars.corpora.0: 'notes' has no labels; expected: corpora with labels",
            id="classes of a corpus without labels",
        ),
        pytest.param(
            {"tasks": {"Own": {"type": "sts", "block": "own"}}},
            "tasks.Own: corpus and files: exactly one must be set; expected: a corpus, or a folder of files",
            id="task made of nothing",
        ),
        pytest.param(
            {"experiments.main.models.0.mteb": {"normalise": False}},
            "experiments.main.models.0.mteb: the experiment has no tasks; remove this key",
            id="treatment without tasks",
        ),
        pytest.param(
            {"experiments.main.models.1.sweep": {"unfrozen_layers": [1, 3]}},
            "experiments.main.models.1.sweep: encoder 'tiny' has no 3 layers to unfreeze; expected: 0 to 2",
            id="too many layers in a sweep",
        ),
        pytest.param(
            {
                "encoders.tiny.architecture.dropout": 0,
                "recipes.crops.augmentation": {"type": "whole_text", "mask_fraction": 0.3},
                "experiments.main.models.1.sweep": {"augmentation.mask_fraction": [0.3, 0]},
            },
            "experiments.main.models.1.sweep: encoder 'tiny' has no dropout, so its pairs would not differ; "
            "expected: crops",
            id="masks that a sweep takes away",
        ),
        pytest.param(
            {"encoders.tiny.architecture.dropout": 0, "recipes.crops.augmentation": "whole_text"},
            "experiments.main.models.1.recipe: encoder 'tiny' has no dropout, so its pairs would not differ; "
            "expected: crops",
            id="whole texts without dropout",
        ),
        pytest.param(
            {"experiments.main.models.1.corpora": ["docs"]},
            "experiments.main.models.1.corpora.0: 'docs' is not a corpus of the experiment; expected: news",
            id="entry for another corpus",
        ),
        pytest.param(
            {"experiments.main.maps": True, "experiments.main.poolings": ["cls", "mean"]},
            "experiments.main.poolings: maps need one pooling; expected: one pooling, or maps: false",
            id="maps of two poolings",
        ),
        pytest.param(
            {"experiments.main.maps": True, f"{ENTRY}.poolings": ["cls", "mean"]},
            f"{ENTRY}.poolings: maps need one pooling; expected: one pooling, or maps: false",
            id="maps of two poolings of one entry",
        ),
        pytest.param(
            NEW_TASK | {"experiments.main": {"tasks": ["STS13"], "models": [{"encoder": "mpnet"}]}},
            "figures.bars.score: 'knn' is not computed by 'main'; expected: mteb",
            id="nearest neighbours on tasks",
        ),
        pytest.param(
            {"figures.bars.draw": "maps"},
            "figures.bars.experiment: 'main' computes no maps; expected: an experiment with maps: true",
            id="maps that are not computed",
        ),
        pytest.param(
            {"figures.page": {"draw": "interactive_map", "experiment": "main"}},
            "figures.page.experiment: 'main' computes no maps; expected: an experiment with maps: true",
            id="an interactive map of maps that are not computed",
        ),
        pytest.param(
            {
                "experiments.main.maps": True,
                "figures.page": {"draw": "interactive_map", "experiment": "main"},
                "figures.another": {"draw": "interactive_map", "experiment": "main"},
            },
            "figures.another.experiment: 'news' already has a map, figure 'page'; expected: one "
            "interactive map per corpus",
            id="two interactive maps of a corpus",
        ),
        pytest.param(
            {"tables": {"one": {"lay_out": "scores", "experiment": "main", "rows": "corpus"}}},
            "tables.one.columns: 'corpus' is already in the rows; expected: another axis",
            id="table with one axis",
        ),
        pytest.param(
            {"tables": {"one": {"lay_out": "scores", "experiment": "main", "columns": "score", "means": True}}},
            "tables.one.means: no corpora in rows or columns; expected: means: false",
            id="means of a table without corpora",
        ),
        pytest.param(
            {"experiments.main.steps": ["last", "interpolated-0.25"]},
            "experiments.main.steps.0: 'last' is invalid: a number, 'final', 'epoch-' and a number, or 'interpolated-' "
            "and a fraction such as 0.25",
            id="unknown step",
        ),
        pytest.param(
            {"experiments.main.corpora": []},
            "experiments.main: neither corpora nor tasks; expected: a list of corpora, of tasks, or both",
            id="nothing to evaluate on",
        ),
    ],
)
def test_what_the_whole_paper_adds(changes, message):
    """Derived corpora, scores, tasks, steps, held-out texts: what cannot work is one line."""
    assert agrees(problem(changes), message)


def test_a_figure_can_show_scores_on_tasks():
    experiment = {"tasks": ["STS13"], "models": [{"encoder": "mpnet"}]}
    load(changed(NEW_TASK | {"experiments.main": experiment, "figures.bars.score": "mteb"}))


def test_a_table_cannot_be_called_like_a_figure():
    """Both become rules."""
    settings = load(changed({"tables": {"bars": {"lay_out": "scores", "experiment": "main"}}}))
    with pytest.raises(InputError, match=r"^tables.bars: the name is used by a rule; expected: another name$"):
        check_target_names(settings, taken={"all"})


TWO_SCORES = {
    "scores": {"knn": {"type": "knn"}, "linear": {"type": "linear"}},
    "experiments.main.scores": ["knn", "linear"],
}
TABLE = {"lay_out": "scores", "experiment": "main"}
SWEPT = {"experiments.main.models.1.sweep": {"epochs": [1, 2]}}
STEPS = {"experiments.main.steps": [4, "final"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            TWO_SCORES | {"tables": {"one": TABLE}},
            "tables.one.experiment: 'main' has score 'knn' and 'linear' in one place (series tiny, corpus news); "
            "expected: one score",
            id="scores in a cell",
        ),
        pytest.param(
            STEPS | {"tables": {"one": TABLE}, "figures": {}},
            "tables.one.experiment: 'main' has step '4' and 'final' in one place (series tiny + crops, corpus news); "
            "expected: one step",
            id="steps in a cell",
        ),
        pytest.param(
            SWEPT | {"tables": {"one": TABLE}},
            "tables.one.experiment: 'main' has label 'tiny + crops, epochs 1' and 'tiny + crops, epochs 2' in one "
            "place (series tiny + crops, corpus news); expected: one label",
            id="a sweep in a cell",
        ),
        pytest.param(
            STEPS,
            "figures.bars.experiment: 'main' has step '4' and 'final' in one place (label tiny + crops, corpus news); "
            "expected: one step",
            id="steps in a bar",
        ),
        pytest.param(
            NEW_TASK
            | {
                "experiments.main": {"tasks": ["STS13"], "models": [{"encoder": "mpnet"}, {"encoder": "tiny"}]},
                "figures.bars": {"draw": "benchmark_steps", "experiment": "main"},
            },
            "figures.bars.experiment: 'main' has label 'mpnet' and 'tiny' in one place (corpus STS13, step 0); "
            "expected: one label",
            id="models in a line",
        ),
        pytest.param(
            {"experiments.main.corpora": ["news", "docs"], "figures.bars.draw": "before_after"},
            "figures.bars.experiment: 'main' has corpus 'news' and 'docs' in one place (encoder tiny, tuned False); "
            "expected: one corpus",
            id="corpora in an arrow",
        ),
        pytest.param(
            {"experiments.main.models": [{"encoder": "mpnet"}, {"encoder": "mpnet", "group": "Large"}]},
            "figures.bars.experiment: 'main' has model 'base/mpnet' twice in one place (label mpnet, corpus news); "
            "expected: once (two entries differ only in group or poolings)",
            id="an entry twice",
        ),
        pytest.param(
            {"figures.bars": {"draw": "depth", "freezing": "main", "layers": "main"}},
            "figures.bars.freezing: 'main' sweeps nothing; expected: an experiment that sweeps unfrozen_layers\n"
            "figures.bars.layers: 'main' scores only the last layer; "
            "expected: an experiment with layers: all, or several",
            id="depth of an experiment that varies nothing",
        ),
        pytest.param(
            SWEPT
            | {"figures.bars": dict.fromkeys(("temperature", "sentences", "masking", "learning_rate"), "main")}
            | {"figures.bars.draw": "hyperparameters"},
            "\n".join(
                f"figures.bars.{role}: 'main' sweeps epochs; expected: an experiment that sweeps {swept}"
                for role, swept in (
                    ("temperature", "temperature"),
                    ("sentences", "augmentation.sentences"),
                    ("masking", "augmentation.mask_fraction"),
                    ("learning_rate", "learning_rate"),
                )
            ),
            id="sweeps of something else",
        ),
    ],
)
def test_what_a_figure_would_average_is_told_early(changes, message):
    assert agrees(problem(changes), message)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(TWO_SCORES | {"tables": {"one": TABLE | {"scores": ["linear"]}}}, id="one of two scores"),
        pytest.param(TWO_SCORES | {"tables": {"one": TABLE | {"columns": "score"}}}, id="a column for each score"),
        pytest.param(
            STEPS | {"tables": {"one": TABLE | {"steps": ["final", 0]}}, "figures": {}}, id="one of two steps"
        ),
        pytest.param(SWEPT | {"tables": {"one": TABLE | {"columns": "x"}}}, id="a column for each swept value"),
    ],
)
def test_what_a_figure_tells_apart_is_accepted(changes):
    load(changed(changes))


# Without labels: crops of the texts that runs hold out.
CROPS = {
    "corpora.pieces": {"source": {"type": "crops", "corpus": "notes"}},
    "scores": {"knn": {"type": "knn"}, "pairs": {"type": "crop_pairs"}},
    "recipes.crops.held_out": 0.1,
    "experiments.main.corpora": ["pieces"],
    "experiments.main.scores": ["pairs"],
    "figures.bars.score": "pairs_recall@1",
}
# The same for a sample of the texts.
SAMPLED = {
    "corpora.part": {"source": {"type": "sample", "corpus": "notes", "size": 600}},
    "corpora.pieces": {"source": {"type": "crops", "corpus": "part"}},
}
DIFFERENCES = {"lay_out": "differences", "experiment": "main", "against": "tiny"}


def test_circles_of_derived_corpora_are_told():
    circle = {name: {"source": {"type": "sample", "corpus": other, "size": 9}} for name, other in ("ab", "ba")}
    with pytest.raises(InputError, match=r"corpora\.a\.source\.corpus: 'b' is not a corpus with its own source"):
        load(
            changed(
                {f"corpora.{name}": corpus for name, corpus in circle.items()} | {"experiments.main.corpora": ["a"]}
            )
        )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            {"type": "folder", "path": "no such"},
            "corpora.news.source.path: 'no such' is not a folder; expected: a folder",
        ),
        ({"type": "folder", "path": __file__}, "corpora.news.source.path: "),
    ],
)
def test_a_folder_of_texts_must_be_one(source, message):
    with pytest.raises(InputError, match=message):
        missing_sources(load(changed({"corpora.news.source": source | {"label": "folder"}})))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"type": "file", "path": "a.csv", "label": "b", "encoding": "utf-99"}, "'utf-99' is not a text encoding"),
        ({"type": "file", "path": "a.csv", "label": "b", "encoding": "zlib"}, "'zlib' is not a text encoding"),
        ({"type": "file", "path": "a.jsonl", "label": "b", "separator": ";"}, "separator applies only to csv files"),
        ({"type": "folder", "path": "a", "label": "name"}, "corpora.news.source.label: 'name' is invalid: "),
    ],
)
def test_how_texts_are_read_is_checked(source, message):
    assert message in problem({"corpora.news.source": source})


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="crops of an unlabelled corpus"),
        pytest.param(SAMPLED, id="crops of a sample"),
        pytest.param(
            {"experiments.main.models.1.train_on": "docs", "recipes.crops.held_out": 0}, id="texts of another corpus"
        ),
        pytest.param({"tables": {"one": DIFFERENCES}}, id="differences"),
        pytest.param(
            {"tables": {"one": DIFFERENCES | {"labels": ["tiny + crops"], "scores": ["pairs_mrr"]}}},
            id="some differences",
        ),
        pytest.param({"tables": {"one": TABLE | {"columns": "score"}}}, id="a column for each number of a score"),
        pytest.param(
            {"experiments.main": {"corpora": ["notes"], "scores": [], "maps": True, "models": [{"encoder": "tiny"}]}}
            | {"figures": {}},
            id="maps alone of an unlabelled corpus",
        ),
        pytest.param(
            {"experiments.main": {"corpora": ["notes"], "scores": [], "maps": True, "models": [{"encoder": "tiny"}]}}
            | {"figures": {"print": {"draw": "maps", "experiment": "main", "score": None}}}
            | {"figures.page": {"draw": "interactive_map", "experiment": "main"}},
            id="figures of maps alone of an unlabelled corpus",
        ),
    ],
)
def test_evidence_without_labels_is_accepted(changes):
    load(changed(deepcopy(CROPS) | changes))


@pytest.mark.parametrize("trained_on", ["notes", "some"])
def test_groups_of_a_corpus_or_of_its_sample_can_be_trained_on(trained_on):
    changes = {
        "corpora.notes.source.group": "thread",
        "corpora.some": {"source": {"type": "sample", "corpus": "notes", "size": 90}},
        "recipes.crops": {"augmentation": "groups"},
        f"{ENTRY}.train_on": trained_on,
    }
    assert {item.model.corpus for item in study(changes).experiments["main"]} == {None, trained_on}


def test_titles_of_a_corpus_are_scored_after_training_on_its_texts():
    assert {item.model.corpus for item in study(TITLES).experiments["main"]} == {None, "docs"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"experiments.main.corpora": ["news"], "recipes.crops.held_out": 0},
            "experiments.main.corpora.0: corpus 'news' is not of type crops, which 'pairs' needs; "
            "expected: another corpus",
            id="crop_pairs on whole texts",
        ),
        pytest.param(
            {"experiments.main.scores": ["knn"], "figures": {}},
            "experiments.main.corpora.0: corpus 'pieces' has two rows for every text, which would be neighbours in "
            "'knn'; expected: scores of type crop_pairs",
            id="accuracy on crops",
        ),
        pytest.param(
            {"recipes.crops.held_out": 0},
            "experiments.main.models.1.recipe: 'crops' trains on the texts of 'notes' that "
            "the crops of 'pieces' are drawn from; "
            "expected: held_out: 0.1 in the recipe",
            id="texts that were trained on",
        ),
        pytest.param(
            {"recipes.crops.held_out": 0.2},
            "experiments.main.models.1.recipe: 'crops' trains on the texts of 'notes' that "
            "the crops of 'pieces' are drawn from; "
            "expected: held_out: 0.1 in the recipe",
            id="another part held out",
        ),
        pytest.param(
            {"recipes.crops.held_out": 0, "corpora.pieces.source.held_out": 0},
            "experiments.main.models.1.recipe: 'crops' trains on the texts of 'notes' that "
            "the crops of 'pieces' are drawn from; "
            "expected: held_out: 0.1 in the recipe and in corpora.pieces.source",
            id="nothing held out",
        ),
        pytest.param(
            {"corpora.part": {"source": {"type": "sample", "corpus": "notes", "size": 9}}}
            | {"experiments.main.models.1.train_on": "part"},
            "experiments.main.models.1.train_on: 'part' may contain the texts that the crops of 'pieces' are "
            "drawn from; remove this key",
            id="trained on a part of the same texts",
        ),
        pytest.param(
            SAMPLED | {"experiments.main.models.1.train_on": "notes"},
            "experiments.main.models.1.train_on: 'notes' may contain the texts that the crops of 'pieces' "
            "are drawn from; remove this key",
            id="trained on all texts, scored on crops of a sample",
        ),
        pytest.param(
            SAMPLED | {"recipes.crops.held_out": 0},
            "experiments.main.models.1.recipe: 'crops' trains on the texts of 'part' that "
            "the crops of 'pieces' are drawn from; "
            "expected: held_out: 0.1 in the recipe",
            id="trained on a whole sample, scored on crops of it",
        ),
        pytest.param(
            {"corpora.more": {"source": {"type": "crops", "corpus": "pieces"}}},
            "corpora.more.source.corpus: 'pieces' is not a corpus with its own source, or a sample; expected: "
            "news, docs, notes",
            id="crops of crops",
        ),
        pytest.param(
            {"corpora.pieces.source.minimum_length": 300},
            "corpora.pieces.source: minimum_length 300 is above maximum_length 250; expected: at most 250",
            id="lengths of crops",
        ),
        pytest.param(
            {"figures.bars.score": "pairs"},
            "figures.bars.score: 'pairs' is not computed by 'main'; expected: pairs_recall@1, pairs_recall@10, "
            "pairs_mrr, pairs_alignment, pairs_uniformity",
            id="a score of several numbers in a figure",
        ),
        pytest.param(
            {"figures.bars.score": "pairs_uniformity"},
            "figures.bars.score: 'pairs_uniformity' is not a fraction of 1, which figures show in per cent; "
            "expected: pairs_recall@1, pairs_recall@10, pairs_mrr",
            id="a number that is no part of 1 in a figure",
        ),
        pytest.param(
            {"scores.pairs_mrr": {"type": "knn"}},
            "scores.pairs_mrr: the name is used by a number of score 'pairs'; expected: another name",
            id="a score called like a number of another",
        ),
        pytest.param(
            {"experiments.main": {"corpora": ["notes"], "scores": [], "models": [{"encoder": "tiny"}]}, "figures": {}},
            "experiments.main: corpora with neither scores nor maps; expected: a list of scores, maps: true, or both",
            id="neither scores nor maps",
        ),
        pytest.param(
            {"experiments.main": {"corpora": ["notes"], "scores": [], "maps": True, "models": [{"encoder": "tiny"}]}},
            "figures.bars.score: 'pairs_recall@1' is not computed by 'main'; expected: another experiment",
            id="a figure of scores of maps alone",
        ),
        pytest.param(
            {"tables": {"one": TABLE}},
            "tables.one.experiment: 'main' has score 'pairs_recall@1' and 'pairs_recall@10' in one place (series tiny, "
            "corpus pieces); expected: one score",
            id="numbers of a score in a cell",
        ),
        pytest.param(
            {"tables": {"one": TABLE | {"columns": "score", "scores": ["pairs"]}}},
            "tables.one.scores.0: 'pairs' is not a score of this experiment; "
            "expected: pairs_recall@1, pairs_recall@10, "
            "pairs_mrr, pairs_alignment, pairs_uniformity; did you mean 'pairs_mrr'?",
            id="a score that a table does not have",
        ),
        pytest.param(
            {"tables": {"one": DIFFERENCES | {"against": "Before", "labels": ["tiny", "After"]}}},
            "tables.one.against: 'Before' is not a label with a score of its last layer on a corpus; "
            "expected: tiny, tiny + crops\n"
            "tables.one.labels.1: 'After' is not a label with a score of its last layer on a corpus; "
            "expected: tiny, tiny + crops",
            id="differences of nobody",
        ),
        pytest.param(
            {"experiments.main.models": [{"encoder": "tiny"}], "tables": {"one": DIFFERENCES}},
            "tables.one.experiment: 'main' scores only 'tiny'; expected: at least two labels",
            id="differences of one model",
        ),
        pytest.param(
            {"experiments.main.layers": [0, 1], "tables": {"one": DIFFERENCES}, "figures": {}},
            "tables.one.against: 'tiny' is not a label with a score of its last layer on a corpus; "
            "expected: another experiment",
            id="differences of no last layer",
        ),
        pytest.param(
            STEPS | {"tables": {"one": DIFFERENCES}, "figures": {}},
            "tables.one.experiment: 'main' has step '4' and 'final' in one place (label tiny + crops, corpus pieces, "
            "score pairs_recall@1); expected: one step",
            id="differences of steps",
        ),
    ],
)
def test_evidence_without_labels_that_cannot_work_is_told(changes, message):
    assert problem(deepcopy(CROPS) | changes) == message


# The report ---------------------------------------------------------------------------------------------------

REPORT = CROPS | {"report": {"corpus": "notes", "keep": "tiny", "search": "main", "figures": ["bars"]}}
BY_LABELS = {
    "corpora": ["news"],
    "scores": ["knn"],
    "models": [{"encoder": "tiny"}, {"encoder": "tiny", "recipe": "others", "train_on": "docs", "label": "Other"}],
}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="as it is"),
        pytest.param({"report.purpose": "grouping"}, id="a purpose without evidence, for which the encoder is kept"),
        pytest.param(
            {"experiments.main.models.1": {"encoder": "tiny", "recipe": "crops", "train_on": "docs"}}
            | {"experiments.main.models.1.label": "tiny + crops", "recipes.crops.held_out": 0, "report.corpus": "docs"},
            id="another corpus",
        ),
        pytest.param({"report.title": "A title", "report.figures": []}, id="a title and no figures"),
    ],
)
def test_a_report_can_be_of(changes):
    assert load(changed(deepcopy(REPORT) | changes)).report.keep == "tiny"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"report": {"corpus": "notse", "keep": "tiny", "search": "min", "figures": ["bar"]}},
            "report.corpus: 'notse' is not a corpus; expected: news, docs, notes, pieces; did you mean 'notes'?\n"
            "report.search: 'min' is not an experiment; expected: main; did you mean 'main'?\n"
            "report.figures.0: 'bar' is not a figure; expected: bars; did you mean 'bars'?",
            id="names",
        ),
        pytest.param(
            {"report.keep": "tiny + crops"},
            "report.keep: 'tiny + crops' is made for the corpus; expected: the label of an encoder as it came\n"
            "report: no model made for 'notes' is in main; expected: at least one candidate",
            id="an encoder that is fine-tuned",
        ),
        pytest.param(
            {"report.keep": "large"},
            "report.keep: 'large' is not in 'main'; expected: tiny, tiny + crops",
            id="an encoder that is not scored",
        ),
        pytest.param(
            {"report.corpus": "docs"},
            "report: no model made for 'docs' is in main; expected: at least one candidate",
            id="a corpus on which nothing is fine-tuned",
        ),
        pytest.param(
            {"report.grouping": "main"},
            "report.grouping: 'main' has no such score; expected: an experiment with knn or linear",
            id="grouping without labels",
        ),
        pytest.param(
            {"experiments.labels": BY_LABELS, "recipes.others": {"augmentation": "dropout"}}
            | {"report.grouping": "labels"},
            "report: no model made for 'notes' is in main and labels; expected: at least one candidate",
            id="candidates that are not in all experiments",
        ),
        pytest.param(
            {"report.search": None},
            "report: neither search nor grouping; expected: an experiment for one or both",
            id="no evidence",
        ),
        pytest.param(
            {"report.figure": []},
            "report.figure: unknown key; expected: corpus, exports, figures, grouping, keep, purpose, search, title; "
            "did you mean 'figures'?",
            id="an unknown key",
        ),
        pytest.param(
            {"figures.bars.caption": "- What to see"},
            "figures.bars.caption: '- What to see' is invalid: '^([^-]|$)'",
            id="a caption like an option",
        ),
    ],
)
def test_a_report_that_cannot_be_written_is_told(changes, message):
    assert agrees(problem(deepcopy(REPORT) | changes), message)
