"""Checks of experiments: scores, models, recipes, layers and poolings."""

from collections.abc import Iterator

from selfembed.errors import InputError
from selfembed.models import interpolation, token7
from selfembed.settings.encoders import (
    BagOfWords,
    BesideWordCounts,
    EmbeddingLayerEncoder,
    EmbeddingsOnly,
    RandomEncoder,
    TfidfEncoder,
    WithOwnModules,
)
from selfembed.settings.schema import Settings
from selfembed.settings.scores import Knn, Split
from selfembed.study.checks.names import labelled, names_column, original, own_source, unknown, unknown_in
from selfembed.study.expansion import evaluated_on, texts_of, trained_on, variants


def check_experiment(key: str, experiment, settings: Settings) -> Iterator[str]:
    """Check the names in an experiment and the combinations in its entries."""
    yield from unknown_in(f"{key}.corpora", experiment.corpora, "a corpus", settings.corpora)
    for position, corpus in enumerate(experiment.corpora):
        if corpus in settings.corpora:
            yield from check_suited(f"{key}.corpora.{position}", corpus, experiment, settings)
    yield from unknown_in(f"{key}.tasks", experiment.tasks, "a task", settings.tasks)
    yield from unknown_in(f"{key}.scores", experiment.scores, "a score", settings.scores)
    for position, entry in enumerate(experiment.models):
        yield from check_entry(key, position, entry, experiment, settings)


def check_suited(key: str, name: str, experiment, settings: Settings) -> Iterator[str]:
    """Check that all scores of an experiment can be computed on a corpus."""
    scores = {score: settings.scores[score] for score in experiment.scores if score in settings.scores}
    source = settings.corpora[name].source
    of_pairs = [(score, found.needs_pairs) for score, found in scores.items() if found.needs_pairs]
    of_labels = [score for score, found in scores.items() if found.needs_labels]
    for score, needed in of_pairs:
        if source.type != needed:
            yield f"{key}: corpus '{name}' is not of type {needed}, which '{score}' needs; expected: another corpus"
    if of_labels and source.pairs_score:
        yield (
            f"{key}: corpus '{name}' has two rows for every text, which would be neighbours in '{of_labels[0]}'; "
            f"expected: scores of type {source.pairs_score}"
        )
    elif of_labels and not labelled(name, settings):
        (heading, *_) = scores[of_labels[0]].headings.values()
        yield (
            f"{key}: corpus '{name}' has no labels, which {heading} needs; expected: a corpus with labels"
            f"{label_hint(name, settings)}, or one of type crops made of it, with a score of type crop_pairs"
        )


def label_hint(name: str, settings: Settings) -> str:
    """Return a remark on the setting that would label a corpus or its original; empty if there is no such setting."""
    source = own_source(name, settings)
    if source is None or source.label_setting is None:
        return ""
    return f" (set corpora.{original(name, settings)}.source.{source.label_setting})"


def check_entry(experiment_key: str, position: int, entry, experiment, settings: Settings) -> Iterator[str]:
    """Check one model entry of an experiment; report shared settings at the key of the experiment."""
    key = f"{experiment_key}.models.{position}"
    yield from unknown(f"{key}.encoder", entry.encoder, "an encoder", settings.encoders)
    if entry.recipe is not None:
        yield from unknown(f"{key}.recipe", entry.recipe, "a recipe", settings.recipes)
    if entry.train_on is not None:
        yield from unknown(f"{key}.train_on", entry.train_on, "a corpus", settings.corpora)
    yield from unknown_in(f"{key}.corpora", entry.corpora or [], "a corpus of the experiment", experiment.corpora)
    for setting in ("train_on", "steps", "sweep"):
        if getattr(entry, setting) and entry.recipe is None:
            yield f"{key}.{setting}: needs a recipe; add '{key}.recipe' or remove this key"
    if entry.mteb and not experiment.tasks:
        yield f"{key}.mteb: the experiment has no tasks; remove this key"
    if entry.color and entry.sweep:
        yield f"{key}.color: a sweep needs several colours; remove this key, colours are chosen automatically"
    if experiment.maps and len(set(entry.poolings or experiment.poolings)) > 1:
        holder = key if entry.poolings else experiment_key
        yield f"{holder}.poolings: maps need one pooling; expected: one pooling, or maps: false"
    if experiment.tasks and entry.recipe is not None and entry.train_on is None:
        yield f"{key}.train_on: missing; tasks have no training texts; expected: a corpus to fine-tune on"
    if entry.encoder not in settings.encoders:
        return
    encoder = settings.encoders[entry.encoder]
    if isinstance(encoder, BagOfWords):
        yield from check_bag_of_words(key, entry, encoder, experiment, settings)
        return
    if entry.recipe in settings.recipes:
        try:
            for recipe, _, _ in variants(entry, settings, key):
                yield from check_recipe(key, entry, recipe, encoder, experiment, settings)
        except InputError as error:
            yield str(error)
    yield from check_layers_and_poolings(experiment_key, key, entry, encoder, experiment)


def check_bag_of_words(key: str, entry, encoder, experiment, settings: Settings) -> Iterator[str]:
    """Check that an entry uses a bag of words only for what it supports."""
    name = entry.encoder
    if entry.recipe is not None:
        yield f"{key}.recipe: bag of words '{name}' cannot be fine-tuned; expected: no recipe"
    if entry.poolings is not None:
        yield f"{key}.poolings: bag of words '{name}' has no token vectors to pool; remove this key"
    if experiment.tasks:
        yield f"{key}.encoder: bag of words '{name}' cannot be scored on tasks; expected: other encoders"
    if isinstance(encoder, TfidfEncoder):
        if experiment.maps:
            yield f"{key}.encoder: TF-IDF vectors have too many dimensions for maps; expected: an encoder of type svd"
        for score in experiment.scores:
            if isinstance(found := settings.scores.get(score), Knn) and found.transform != "none":
                yield f"{key}.encoder: TF-IDF vectors cannot be {found.transform} ('{score}'); expected: type svd"


def check_recipe(key: str, entry, recipe, encoder, experiment, settings: Settings) -> Iterator[str]:
    """Check a recipe, or one recipe of a sweep, against its encoder, the devices and the evaluated corpora."""
    where = f"{key}.sweep" if entry.sweep else f"{key}.recipe"
    if recipe.batch_size % settings.devices_per_run:
        yield (
            f"{key}.recipe: batch_size {recipe.batch_size} is not divisible by devices_per_run; "
            f"expected: a multiple of {settings.devices_per_run}"
        )
    scored = entry.poolings or experiment.poolings
    if "own" in scored and recipe.pooling != "own" and isinstance(encoder, WithOwnModules):
        yield (
            f"{where}: '{entry.recipe}' trains with pooling '{recipe.pooling}', but 'own' is scored; "
            "expected: pooling: own in the recipe, or other poolings"
        )
    if isinstance(encoder, BesideWordCounts) and encoder.held_out != recipe.held_out:
        yield (
            f"{where}: held_out is {recipe.held_out}, but {encoder.held_out} for the word counts of '{entry.encoder}'; "
            "expected: the same"
        )
    steps = [step for step in entry.steps or experiment.steps if step not in (0, "final")]
    if recipe.early_stopping and (other := [step for step in steps if interpolation.fraction_of(str(step)) is None]):
        yield (
            f"{where}: '{entry.recipe}' may stop before step {other[0]} (early_stopping); "
            "expected: steps 0, final and interpolated ones, or no early_stopping"
        )
    augmentation = recipe.augmentation
    relies_on_dropout = augmentation.same_text_twice and augmentation.mask_fraction == 0
    if relies_on_dropout and without_dropout(encoder, settings):
        yield f"{where}: encoder '{entry.encoder}' has no dropout, so its pairs would not differ; expected: crops"
    if recipe.pooling == "own" and not isinstance(encoder, WithOwnModules):
        yield (
            f"{where}: pooling 'own', but encoder '{entry.encoder}' has no modules of its own; "
            "expected: mean, cls, last, token7, or a pretrained encoder"
        )
    if recipe.unfrozen_layers is not None and recipe.unfrozen_layers > encoder.layers:
        yield (
            f"{where}: encoder '{entry.encoder}' has no {recipe.unfrozen_layers} layers to unfreeze; "
            f"expected: 0 to {encoder.layers}"
        )
    if recipe.lora and not encoder.layers:
        yield f"{where}: encoder '{entry.encoder}' has no layers, which lora changes; expected: a recipe without lora"
    if column := augmentation.column:
        known = [on for on in evaluated_on(entry, experiment) if on in settings.corpora or entry.train_on]
        for name in dict.fromkeys(trained_on(entry, on, settings) for on in known):
            if not names_column(name, column, settings):
                yield (
                    f"{where}: '{name}' has no {column}s, which '{entry.recipe}' needs; "
                    f"expected: a corpus with {column}s ({column}: COLUMN in its source)"
                )
    for corpus in entry.corpora or experiment.corpora:
        source = settings.corpora[corpus].source if corpus in settings.corpora else None
        if source and source.pairs_score:
            yield from check_unseen(where, key, entry, recipe, corpus, settings)
        elif recipe.held_out:
            yield from check_held_out(where, key, entry, recipe, corpus, experiment, settings)


def check_unseen(where: str, key: str, entry, recipe, name: str, settings: Settings) -> Iterator[str]:
    """Check that pairs are drawn from texts that are not trained on: held-out texts or another corpus."""
    source = settings.corpora[name].source
    trained = trained_on(entry, name, settings)
    if original(trained, settings) != original(source.corpus, settings):
        return
    if texts_of(trained, settings) != source.corpus:
        yield (
            f"{key}.train_on: '{trained}' may contain the texts that the {source.type} of '{name}' are drawn from; "
            "remove this key"
        )
    elif recipe.held_out != source.held_out or not source.held_out:
        needed = source.held_out or 0.1
        also = "" if source.held_out else f" and in corpora.{name}.source"
        drawn = f"that the {source.type} of '{name}' are drawn from"
        yield (
            f"{where}: '{entry.recipe}' trains on the texts of '{source.corpus}' {drawn}; "
            f"expected: held_out: {needed} in the recipe{also}"
        )


def check_held_out(where: str, key: str, entry, recipe, corpus: str, experiment, settings: Settings) -> Iterator[str]:
    """Check that the held-out texts of a recipe are the test texts of every score."""
    for name in experiment.scores:
        score = settings.scores.get(name)
        if not isinstance(score, Split):
            continue
        if (score.split, score.test_fraction, score.split_seed) != ("all", recipe.held_out, 42):
            yield (
                f"{where}: '{entry.recipe}' holds out {recipe.held_out} of all texts, but score '{name}' has other "
                f"test texts; expected: a score with split: all, test_fraction: {recipe.held_out}, split_seed: 42"
            )
    if texts_of(trained_on(entry, corpus, settings), settings) != texts_of(corpus, settings):
        yield (
            f"{key}.train_on: the texts of '{entry.train_on}' held out by '{entry.recipe}' are not the test texts of "
            f"'{corpus}'; remove this key or use a recipe without held_out"
        )


def without_dropout(encoder, settings: Settings) -> bool:
    """Whether an encoder is deterministic in training."""
    if isinstance(encoder, EmbeddingLayerEncoder):
        return True
    owner = settings.encoders.get(encoder.of) if isinstance(encoder, EmbeddingsOnly) else encoder
    return isinstance(owner, RandomEncoder) and owner.architecture.dropout == 0


def check_layers_and_poolings(experiment_key: str, key: str, entry, encoder, experiment) -> Iterator[str]:
    """Check that an encoder has the layers and tokens that are scored."""
    poolings = entry.poolings or experiment.poolings
    holder = key if entry.poolings else experiment_key
    if "token7" in poolings and encoder.max_length < token7.SHORTEST:
        yield (
            f"{holder}.poolings: encoder '{entry.encoder}' has no 'token7' (its max_length is {encoder.max_length}); "
            "expected: mean, cls, last"
        )
    if "token7" in poolings and experiment.tasks:
        yield f"{holder}.poolings: tasks are not scored with 'token7'; expected: mean, cls, last"
    if "own" in poolings and not isinstance(encoder, WithOwnModules):
        yield (
            f"{holder}.poolings: encoder '{entry.encoder}' has no modules of its own for 'own'; "
            "expected: mean, cls, last, token7, or a pretrained encoder"
        )
    elif "own" in poolings and experiment.layers not in ("last", [encoder.layers]):
        yield (
            f"{experiment_key}.layers: pooling 'own' exists only at the last layer of '{entry.encoder}'; "
            f"expected: last, or another experiment for '{entry.encoder}'"
        )
    if isinstance(experiment.layers, list):
        for layer in experiment.layers:
            if layer > encoder.layers:
                yield (
                    f"{experiment_key}.layers: encoder '{entry.encoder}' has no layer {layer}; "
                    f"expected: 0 to {encoder.layers}"
                )
