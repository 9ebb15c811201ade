"""Experiments become runs that are named by their settings alone and made once."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from settings_examples import changed, example, runs, study

from selfembed.errors import InputError
from selfembed.settings.encoders import TfidfEncoder
from selfembed.settings.recipes import Crops, Dropout, Halves, Recipe
from selfembed.study.expansion import (
    Evaluation,
    Line,
    Model,
    Study,
    base_of,
    expand,
    flat,
    mapped,
    pairs_name,
    repeated,
    select,
)
from selfembed.study.validation import load

RECIPE_KEYS = (
    "augmentation.mask_fraction, augmentation.sentences, augmentation.minimum_length, augmentation.maximum_length, "
    "augmentation.type, pooling, temperature, learning_rate, batch_size, epochs, warmup, guide, "
    "matryoshka, early_stopping, max_length, projection, unfrozen_layers, lora, held_out, precision"
)
MAIN = "experiments.main.models"


def sweep(**lists: list) -> Study:
    """The example with a single entry: its run swept over lists of values (`__` stands for the dot)."""
    dotted = {key.replace("__", "."): values for key, values in lists.items()}
    return study({MAIN: [{"encoder": "tiny", "recipe": "crops", "sweep": dotted}]})


def recipes_of(found: Study) -> list[str]:
    """Names of the recipes of a study's runs, each once, in order."""
    return list(dict.fromkeys(model.recipe for model in runs(found)))


def test_runs_are_those_with_a_recipe():
    """The example's base model is evaluated and only its entry with a recipe is trained, once per seed."""
    assert runs(study({})) == [Model("tiny", 1, "news", "crops"), Model("tiny", 2, "news", "crops")]


def test_equal_settings_from_two_experiments_are_one_run():
    """A second experiment with a swept entry of the same settings, under another label, adds no run."""
    second = {
        "corpora": ["news"],
        "models": [{"encoder": "tiny", "recipe": "crops", "sweep": {"epochs": [1]}, "label": "Again"}],
    }
    found = study({"experiments.second": second})
    assert runs(found) == runs(study({}))
    assert [evaluation.line.label for evaluation in found.experiments["second"]] == ["Again, epochs 1"] * 2


def test_run_is_the_same_whatever_it_is_evaluated_on():
    """A model trained on one corpus and evaluated on two is trained once."""
    entry = {"encoder": "tiny", "recipe": "crops", "train_on": "notes"}
    found = study({"experiments.main": {"corpora": ["news", "docs"], "models": [entry]}})
    assert runs(found) == [Model("tiny", 1, "notes", "crops"), Model("tiny", 2, "notes", "crops")]
    assert [evaluation.on for evaluation in found.experiments["main"]] == ["news", "news", "docs", "docs"]


def test_identical_entries_are_evaluated_once():
    """An entry written twice gives one evaluation per seed."""
    assert len(study({MAIN: [{"encoder": "tiny"}, {"encoder": "tiny"}]}).experiments["main"]) == 2


@pytest.mark.parametrize(
    ("lists", "names"),
    [
        pytest.param({"temperature": [0.5]}, ["crops_temperature-0.5"], id="one value"),
        pytest.param(
            {"temperature": [0.5, 0.05, 0.1]}, ["crops_temperature-0.5", "crops", "crops_temperature-0.1"], id="order"
        ),
        pytest.param(
            {"augmentation__sentences": [2, 3]}, ["crops", "crops_sentences-3"], id="setting of the augmentation"
        ),
        pytest.param({"augmentation__type": ["dropout"]}, ["crops_type-dropout"], id="type of the augmentation"),
        pytest.param({"learning_rate": ["5e-4", 5e-4]}, ["crops_learning_rate-0.0005"], id="spellings of a number"),
        pytest.param({"temperature": [1, 1.0, "1"]}, ["crops_temperature-1.0"], id="kinds of a number"),
        pytest.param({"pooling": ["cls"]}, ["crops_pooling-cls"], id="word"),
        pytest.param(
            {"temperature": [0.05, 0.5], "augmentation__sentences": [2, 3]},
            ["crops", "crops_sentences-3", "crops_temperature-0.5", "crops_sentences-3_temperature-0.5"],
            id="every combination",
        ),
    ],
)
def test_names_of_sweeps(lists, names):
    """A varied recipe is called after what differs from the named one; equal settings keep the standard name."""
    assert recipes_of(sweep(**lists)) == names


def test_names_do_not_depend_on_the_order_of_sweep_keys():
    """Two sweeps over the same settings, written in another order, are the same runs."""
    forward = sweep(temperature=[0.5], epochs=[2])
    assert recipes_of(forward) == recipes_of(sweep(epochs=[2], temperature=[0.5])) == ["crops_temperature-0.5_epochs-2"]


def test_swept_recipe_is_what_its_name_says():
    """The study holds the settings of every recipe it names, and the augmentations they need."""
    found = sweep(augmentation__sentences=[3], temperature=[0.5])
    recipe = found.recipes["crops_sentences-3_temperature-0.5"]
    assert (recipe.augmentation.sentences, recipe.temperature, recipe.batch_size) == (3, 0.5, 64)
    assert found.recipes["crops"].temperature == 0.05
    assert {name: recipe.augmentation for name, recipe in found.pairs.items()} == {
        "crops": Crops(type="crops"),
        "crops_sentences-3": Crops(type="crops", sentences=3),
    }


def test_recipes_with_equal_settings_are_one():
    """A second name for the same settings trains nothing new; the first in the config is used."""
    entries = [{"encoder": "tiny", "recipe": name} for name in ("again", "crops")]
    found = study({"recipes.again": {"augmentation": "crops", "temperature": 0.05}, MAIN: entries})
    assert recipes_of(found) == ["crops"]
    assert [evaluation.line.label for evaluation in found.experiments["main"][::2]] == ["tiny + again", "tiny + crops"]


def test_sweep_that_reaches_a_named_recipe_takes_its_name():
    """A sweep of one recipe that arrives at another one is a run of the other one."""
    found = study(
        {
            "recipes.hot": {"augmentation": "crops", "temperature": 0.5},
            MAIN: [{"encoder": "tiny", "recipe": "crops", "sweep": {"temperature": [0.5], "epochs": [1, 2]}}],
        }
    )
    assert recipes_of(found) == ["hot", "hot_epochs-2"]


def test_last_words_of_recipe_keys_differ():
    """Names keep only the last word of a dotted key, so no two keys may share it."""
    keys = [path.split(".")[-1] for path in flat(load(example()).recipes["crops"].model_dump())]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("entry", "seeds"),
    [
        pytest.param({"encoder": "tiny", "recipe": "crops"}, [1, 2], id="run of a random encoder"),
        pytest.param({"encoder": "mpnet", "recipe": "crops"}, [1, 2], id="run of a pretrained encoder"),
        pytest.param({"encoder": "tiny"}, [1, 2], id="random encoder"),
        pytest.param({"encoder": "mpnet"}, [None], id="pretrained encoder"),
        pytest.param({"encoder": "tfidf"}, [None], id="bag of words"),
        pytest.param({"encoder": "svd"}, [None], id="reduced bag of words"),
    ],
)
def test_seeds_only_where_they_decide(entry, seeds):
    """A model that no seed changes exists once."""
    assert [evaluation.model.seed for evaluation in study({MAIN: [entry]}).experiments["main"]] == seeds


def test_seeds_of_an_experiment_replace_the_studys():
    """An experiment may ask for seeds of its own."""
    assert [model.seed for model in runs(study({"experiments.main.seeds": [7]}))] == [7]


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (Model("mpnet"), "base/mpnet"),
        (Model("tiny", 1), "base/tiny/seed-1"),
        (Model("tiny", 1, "news", "crops"), "tuned/news/tiny/crops/seed-1"),
        (Model("tiny", 0, "news", "crops_epochs-2"), "tuned/news/tiny/crops_epochs-2/seed-0"),
    ],
)
def test_model_paths(model, path):
    """A path alone tells what a model is, and what a score is of."""
    assert model.path == path
    evaluation = Evaluation(Line("any", "any"), model, "7", "knn", "docs", "mean_all")
    assert evaluation.path == f"knn/docs/{path}/7/mean_all"


def test_step_zero_of_a_run_is_its_base_model():
    """What has had no step is not trained; other steps are kept by the run, in order."""
    steps = ["interpolated-0.25", 20, 0, 3, "final", "interpolated-0.1", "epoch-10", "epoch-9"]
    entry = {"encoder": "tiny", "recipe": "crops", "steps": steps, "label": "Crops"}
    found = study({MAIN: [entry], "seeds": [1], "figures": {}})
    models = [(evaluation.model, evaluation.step) for evaluation in found.experiments["main"]]
    run = Model("tiny", 1, "news", "crops")
    assert models == [(run, str(step)) if step else (Model("tiny", 1), "0") for step in steps]
    assert found.kept_steps == {run.path: ["3", "20", "epoch-9", "epoch-10", "interpolated-0.1", "interpolated-0.25"]}


def test_kept_steps_of_all_experiments_are_kept_by_one_run():
    second = {"corpora": ["news"], "models": [{"encoder": "tiny", "recipe": "crops", "steps": [5, "final"]}]}
    found = study({"experiments.second": second, "experiments.main.steps": [9], "seeds": [1]})
    assert found.kept_steps == {"tuned/news/tiny/crops/seed-1": ["5", "9"]}


def test_nothing_unfrozen_is_the_base_model():
    found = study({MAIN: [{"encoder": "tiny", "recipe": "crops", "sweep": {"unfrozen_layers": [0, 2]}}], "seeds": [1]})
    first, second = found.experiments["main"]
    assert (first.model, first.step, first.line.x) == (Model("tiny", 1), "0", 0)
    assert (second.model.recipe, second.line.x) == ("crops_unfrozen_layers-2", 2)


def test_other_labels_need_no_other_embeddings_or_runs():
    """A relabelled corpus is trained on and embedded as the corpus it is made from."""
    news = {"source": {"type": "relabelled", "corpus": "news"}}
    found = study({"corpora.coarse": news, "experiments.main.corpora": ["news", "coarse"]})
    assert {model.corpus for model in runs(found)} == {"news"}
    assert {evaluation.on for evaluation in found.experiments["main"]} == {"news", "coarse"}


@pytest.mark.parametrize(
    ("corpora", "found"),
    [
        (["news", "topics"], ["topics"]),
        (["topics", "news"], ["topics"]),
        (["topics", "other"], ["other"]),
        (["topics"], []),
        (["other", "topics", "news"], ["other", "topics"]),
    ],
)
def test_texts_with_several_labels_count_once(corpora, found):
    """With the labels that they came with, if these are there."""
    relabelled = {"source": {"type": "relabelled", "corpus": "news"}}
    config = changed({"corpora.topics": relabelled, "corpora.other": relabelled})
    assert repeated(corpora, load(config)) == found


def test_entries_may_be_for_some_corpora_only():
    entries = [{"encoder": "tiny", "corpora": ["docs"]}, {"encoder": "mpnet"}]
    found = study({MAIN: entries, "experiments.main.corpora": ["news", "docs"], "seeds": [1]})
    on = [(evaluation.model.encoder, evaluation.on) for evaluation in found.experiments["main"]]
    assert on == [("tiny", "docs"), ("mpnet", "news"), ("mpnet", "docs")]


def test_a_corpus_may_have_fewer_seeds():
    found = study({"corpora.docs.seeds": [1], "experiments.main.corpora": ["news", "docs"]})
    assert [(model.corpus, model.seed) for model in runs(found)] == [("news", 1), ("news", 2), ("docs", 1)]


def test_tasks_are_scored_layer_by_layer():
    changes = {
        "tasks": {"STS13": {"type": "registry", "block": "sts"}},
        "experiments.main": {"tasks": ["STS13"], "layers": "all", "models": [{"encoder": "tiny"}]},
        "seeds": [1],
        "figures": {},
    }
    paths = [evaluation.path for evaluation in study(changes).experiments["main"]]
    assert paths == [f"mteb/base/tiny/seed-1/0/384/STS13/mean_{layer}_unit" for layer in (0, 1, 2)]


def test_an_entry_may_be_scored_in_another_way():
    entries = [
        {"encoder": "mpnet"},
        {"encoder": "mpnet", "mteb": {"max_length": 512, "normalise": False}, "label": "raw"},
    ]
    changes = {
        "tasks": {"STS13": {"type": "registry", "block": "sts"}},
        "experiments.main": {"tasks": ["STS13"], "models": entries},
        "figures": {},
    }
    paths = [evaluation.path for evaluation in study(changes).experiments["main"]]
    assert paths == ["mteb/base/mpnet/0/384/STS13/mean_12_unit", "mteb/base/mpnet/0/512/STS13/mean_12_raw"]


def test_two_treatments_need_two_labels():
    changes = {
        "tasks": {"STS13": {"type": "registry", "block": "sts"}},
        "experiments.main": {"tasks": ["STS13"], "models": [{"encoder": "mpnet"}, {"encoder": "mpnet", "mteb": {}}]},
        "figures": {},
    }
    changes["experiments.main"]["models"][1]["mteb"] = {"normalise": False}
    with pytest.raises(InputError, match=r"'mpnet' is the label of .*384_unit.* and .*384_raw"):
        study(changes)


def test_embeddings_of_a_random_encoder_have_its_seeds():
    changes = {"encoders.table": {"type": "embedding_layer", "of": "tiny"}, MAIN: [{"encoder": "table"}]}
    assert [evaluation.model.seed for evaluation in study(changes).experiments["main"]] == [1, 2]


@pytest.mark.parametrize(
    ("model", "base"),
    [
        (Model("tiny", 2, "news", "crops"), Model("tiny", 2)),
        (Model("mpnet", 2, "news", "crops"), Model("mpnet")),
    ],
)
def test_base_of_a_run(model, base):
    """A run of a random encoder starts from the weights of its own seed, any other from the one base model."""
    assert base_of(model, load(example())) == base


@pytest.mark.parametrize(
    ("poolings", "layers", "name"),
    [
        (["mean"], "last", "mean_last"),
        (["mean", "cls"], "all", "mean-cls_all"),
        (["cls", "mean", "cls"], "all", "mean-cls_all"),
        (["token7"], [6], "token7_6"),
        (["mean"], [6, 0, 6], "mean_0-6"),
    ],
)
def test_names_of_selections(poolings, layers, name):
    """The same poolings and layers are one selection, in whatever order they are asked for."""
    assert select(poolings, layers, load(example()).encoders["tiny"]) == name


def test_selection_of_a_bag_of_words():
    """A bag of words has one layer and nothing to pool."""
    assert select(["mean", "cls"], [0, 1], TfidfEncoder(type="tfidf")) == "none_last"


def test_poolings_of_an_entry_replace_the_experiments():
    """An entry may be scored with other poolings than the experiment's."""
    found = study({f"{MAIN}.1.poolings": ["last"], "experiments.main.layers": "all"})
    assert [evaluation.selection for evaluation in found.experiments["main"][::2]] == ["mean_all", "last_all"]


@pytest.mark.parametrize(
    ("augmentation", "name"),
    [
        (Crops(type="crops"), "crops"),
        (Crops(type="crops", sentences=2), "crops"),
        (Dropout(type="dropout", sentences=3), "dropout_sentences-3"),
        (Crops(type="crops", maximum_length=300, minimum_length=0), "crops_minimum_length-0_maximum_length-300"),
        (Crops(type="crops", mask_fraction=0.3), "crops"),  # tokens are masked in training
        (Halves(type="halves"), "halves"),
    ],
)
def test_names_of_augmentations(augmentation, name):
    """An augmentation is called after its type and what differs from the type's defaults."""
    assert pairs_name(Recipe(augmentation=augmentation)) == name


@pytest.mark.parametrize(
    ("entry", "labels"),
    [
        pytest.param({"encoder": "mpnet"}, ["mpnet"], id="encoder"),
        pytest.param({"encoder": "mpnet", "label": "MPNet"}, ["MPNet"], id="own label"),
        pytest.param({"encoder": "mpnet", "recipe": "crops"}, ["mpnet + crops"], id="run"),
        pytest.param(
            {"encoder": "mpnet", "recipe": "crops", "train_on": "docs"}, ["mpnet + crops on docs"], id="other corpus"
        ),
        pytest.param(
            {
                "encoder": "mpnet",
                "recipe": "crops",
                "sweep": {"temperature": [0.05, 0.5], "augmentation.sentences": [3]},
            },
            ["mpnet + crops, temperature 0.05, sentences 3", "mpnet + crops, temperature 0.5, sentences 3"],
            id="sweep",
        ),
        pytest.param(
            {"encoder": "mpnet", "recipe": "crops", "sweep": {"epochs": [1, "2"]}, "label": "Crops"},
            ["Crops, epochs 1", "Crops, epochs 2"],
            id="sweep with own label",
        ),
    ],
)
def test_labels(entry, labels):
    """Every line of a figure has a label that tells it from the others."""
    found = study({"seeds": [1], MAIN: [entry]})
    assert [evaluation.line.label for evaluation in found.experiments["main"]] == labels


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        pytest.param(
            {"temprature": [1]},
            f": 'temprature' is not a recipe key with a single value; expected: {RECIPE_KEYS}",
            id="unknown key",
        ),
        pytest.param(
            {"augmentation__sentence": [1]},
            f": 'augmentation.sentence' is not a recipe key with a single value; expected: {RECIPE_KEYS}",
            id="unknown key in a group",
        ),
        pytest.param(
            {"temperature__low": [1]},
            f": 'temperature.low' is not a recipe key with a single value; expected: {RECIPE_KEYS}",
            id="key below a value",
        ),
        pytest.param(
            {"augmentation": ["crops", "dropout"]},
            f": 'augmentation' is not a recipe key with a single value; expected: {RECIPE_KEYS}",
            id="group",
        ),
        pytest.param(
            {"temperature": [0.5, 0]}, ".temperature: 0 is invalid: input should be greater than ", id="value"
        ),
        pytest.param(
            {"batch_size": ["many"]}, ".batch_size: 'many' is invalid: input should be a valid integer", id="word"
        ),
        pytest.param(
            {"precision": ["fp16"]},
            ".precision: 'fp16' is invalid: input should be 'fp32', 'tf32' or 'bf16'",
            id="literal",
        ),
        pytest.param(
            {"temperature": [0.5], "augmentation__sentences": [0]},
            ".augmentation.sentences: 0 is invalid: input should be greater than or equal to 1",
            id="second of two keys",
        ),
        pytest.param(
            {"augmentation__type": ["fancy"]},
            ".augmentation: type 'fancy' is unknown; expected: 'crops', 'dropout', 'halves', 'whole_text'",
            id="unknown type",
        ),
        pytest.param(
            {"augmentation__minimum_length": [300]},
            ".augmentation: minimum_length 300 is above maximum_length 250; expected: at most 250",
            id="combination in a group",
        ),
        pytest.param(
            {"pooling": ["token7"], "max_length": [7]},
            ": pooling 'token7' does not exist in max_length 7; "
            "expected: mean, cls, last, or a max_length of at least 8",
            id="combination of keys",
        ),
    ],
)
def test_impossible_sweep(lists, message):
    """A sweep over a key or to a value that recipes do not have is refused in one line."""
    with pytest.raises(InputError) as refused:
        sweep(**lists)
    assert str(refused.value).startswith(f"{MAIN}.0.sweep{message}")


CROPPED = {"encoder": "tiny", "recipe": "crops"}
SWEEPS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.lists(st.sampled_from([0.05, "0.05", 0.1, 0.5]), min_size=1, max_size=2),
        "augmentation.sentences": st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=2),
        "augmentation.type": st.just(["crops", "dropout"]),
        "epochs": st.just([1, 2]),
    },
)
ENTRIES = st.fixed_dictionaries(
    {"encoder": st.sampled_from(["tiny", "mpnet"]), "recipe": st.sampled_from(["crops", "hot", "dropout"])},
    optional={"train_on": st.sampled_from(["news", "notes"]), "sweep": SWEEPS},
)
PLACED = st.lists(st.tuples(ENTRIES, st.sampled_from("abc")), min_size=1, max_size=5)


def spread(placed: list[tuple[dict[str, Any], str]]) -> Study:
    """Entries spread over experiments: what they expand to."""
    experiments: dict[str, Any] = {}
    for entry, name in placed:
        experiments.setdefault(name, {"corpora": ["news"], "models": []})["models"].append(entry)
    others = {
        "hot": {"augmentation": "crops", "temperature": 0.5, "epochs": 2},
        "dropout": {"augmentation": "dropout"},
    }
    recipes = example()["recipes"] | others
    return expand(load(changed({"recipes": recipes, "experiments": experiments, "figures": {}})))


def backwards(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry whose sweep is written the other way round."""
    return entry | {"sweep": {key: values[::-1] for key, values in reversed(entry.get("sweep", {}).items())}}


@given(placed=PLACED, data=st.data())
def test_runs_do_not_depend_on_experiments(placed, data):
    """However entries are ordered and spread over experiments, the same runs with the same settings come out."""
    together = spread([(entry, "all") for entry, _ in placed])
    apart = spread(data.draw(st.permutations([(backwards(entry), name) for entry, name in placed])))
    assert len(runs(apart)) == len(set(runs(apart)))
    assert set(runs(apart)) == set(runs(together))
    assert apart.recipes == together.recipes
    assert set(apart.pairs) == set(together.pairs)


@given(placed=PLACED)
def test_one_name_for_the_same_settings(placed):
    """Runs with different recipe names have different settings."""
    found = spread(placed)
    used = recipes_of(found)
    assert len({found.recipes[name] for name in used}) == len(used)


# Crops of held-out texts, and experiments without scores.

PIECES = {
    "corpora.pieces": {"source": {"type": "crops", "corpus": "notes"}},
    "scores": {"knn": {"type": "knn", "split": "all"}, "pairs": {"type": "crop_pairs"}},
    "recipes.crops.held_out": 0.1,
    "experiments.main.corpora": ["pieces"],
    "experiments.main.scores": ["pairs"],
    "figures": {},
}


def test_a_run_scored_on_crops_is_trained_on_the_whole_texts():
    """And it is the run that experiments on the whole texts have."""
    found = study(
        deepcopy(PIECES) | {"experiments.maps": {"corpora": ["notes"], "scores": [], "maps": True, "models": [CROPPED]}}
    )
    assert {model.path for model in runs(found)} == {f"tuned/notes/tiny/crops/seed-{seed}" for seed in (1, 2)}
    scored = {item.path for item in found.experiments["main"] if item.model.recipe}
    assert scored == {f"pairs/pieces/tuned/notes/tiny/crops/seed-{seed}/final/mean_last" for seed in (1, 2)}


def test_without_scores_embeddings_are_wanted_for_maps_alone():
    config = changed(
        deepcopy(PIECES) | {"experiments.main": {"corpora": ["notes"], "scores": [], "maps": True, "models": [CROPPED]}}
    )
    settings = load(config)
    found = expand(settings).experiments["main"]
    assert {(item.score, item.on, item.step) for item in found} == {(None, "notes", "final")}
    assert [item.model.seed for item in mapped(found, settings)] == [1]


ENTRY = {"encoder": "tiny", "recipe": "crops"}


@pytest.mark.parametrize(
    ("entries", "elsewhere", "recipes"),
    [
        pytest.param([ENTRY], [], set(), id="no sweep"),
        pytest.param(
            [ENTRY | {"sweep": {"learning_rate": [1e-5, 1.0]}}],
            [],
            {"crops_learning_rate-1e-05", "crops_learning_rate-1.0"},
            id="a sweep",
        ),
        pytest.param(
            [ENTRY | {"sweep": {"unfrozen_layers": [None, 1]}}], [], {"crops", "crops_unfrozen_layers-1"}, id="null"
        ),
        pytest.param(
            [ENTRY, ENTRY | {"sweep": {"learning_rate": [2e-5, 1.0]}, "label": "Rates"}],
            [],
            {"crops_learning_rate-1.0"},
            id="the plain recipe among the swept values",
        ),
        pytest.param(
            [ENTRY | {"sweep": {"learning_rate": [2e-5, 1.0]}}],
            [ENTRY],
            {"crops_learning_rate-1.0"},
            id="another experiment",
        ),
    ],
)
def test_only_runs_that_sweeps_alone_ask_for_may_diverge(entries, elsewhere, recipes):
    changes = {MAIN: entries}
    changes |= {"experiments.other": {"corpora": ["news"], "models": elsewhere}} if elsewhere else {}
    found = study(changes)
    assert found.may_diverge == {f"tuned/news/tiny/{recipe}/seed-{seed}" for recipe in recipes for seed in (1, 2)}
    assert found.may_diverge <= {model.path for model in runs(found)}
