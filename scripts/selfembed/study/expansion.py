"""Expand experiments to models and evaluations, and name them.

Names depend only on settings. A recipe of a sweep is named after the changed values (`crops_temperature-0.5`). Equal
settings are one recipe, whatever their names, so they are trained once.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

from pydantic import ValidationError

from selfembed.errors import InputError
from selfembed.settings.base import Pooling
from selfembed.settings.corpora import DerivedSource
from selfembed.settings.encoders import BagOfWords, EmbeddingsOnly, RandomEncoder
from selfembed.settings.experiments import ChosenLayers, Experiment, ModelEntry
from selfembed.settings.recipes import Recipe
from selfembed.settings.schema import Settings
from selfembed.study.messages import describe

BENCHMARK = "mteb"  # name of the scores on tasks


@dataclass(frozen=True)
class Model:
    """An evaluated model: an encoder without fine-tuning (no recipe) or the result of a run."""

    encoder: str
    seed: int | None = None
    corpus: str | None = None
    recipe: str | None = None

    @property
    def family(self) -> str:
        """The model without its seed: `base/{encoder}` or `tuned/{corpus}/{encoder}/{recipe}`."""
        return f"tuned/{self.corpus}/{self.encoder}/{self.recipe}" if self.recipe else f"base/{self.encoder}"

    @property
    def path(self) -> str:
        """Path below `results/models/`."""
        return self.family if self.seed is None else f"{self.family}/seed-{self.seed}"


@dataclass(frozen=True)
class Line:
    """The label of a model in figures and tables, and the parts of the label."""

    label: str
    series: str
    x: Any = None
    group: str | None = None

    @property
    def is_swept(self) -> bool:
        """Whether the model is part of a sweep: then the label is longer than the series."""
        return self.label != self.series


@dataclass(frozen=True)
class Evaluation:
    """One score of a model at a step, on a selection of embeddings of a corpus or on a task.

    On a task, the selection also contains the settings of MTEB: `mean_12_384_unit`. An evaluation without a score is a
    map.
    """

    line: Line
    model: Model
    step: str
    score: str | None
    on: str
    selection: str

    @property
    def embeddings(self) -> str:
        """Path of the embeddings of a corpus below `results/embeddings/`, and of what is made of them below others."""
        return f"{self.on}/{self.model.path}/{self.step}/{self.selection}"

    @property
    def job(self) -> str:
        """Path below `results/scores/` of the job that computes the score; one job scores a model on all tasks."""
        if self.score != BENCHMARK:
            return f"{self.score}/{self.embeddings}"
        max_length = self.selection.split("_")[2]
        return f"{self.score}/{self.model.path}/{self.step}/{max_length}"

    @property
    def path(self) -> str:
        """Path below `results/scores/`."""
        if self.score != BENCHMARK:
            return self.job
        pooling, layer, _, scaling = self.selection.split("_")
        return f"{self.job}/{self.on}/{pooling}_{layer}_{scaling}"


@dataclass
class Study:
    """All recipes and evaluations of a config, and what follows from them.

    Attributes:
        recipes: recipes by name, including those of sweeps.
        experiments: evaluations by experiment.
    """

    recipes: dict[str, Recipe]
    experiments: dict[str, list[Evaluation]]

    @property
    def evaluations(self) -> Iterator[Evaluation]:
        """The evaluations of all experiments; the same one of several experiments several times."""
        return itertools.chain.from_iterable(self.experiments.values())

    @cached_property
    def pairs(self) -> dict[str, Recipe]:
        """A recipe for each name of pairs."""
        return {pairs_name(recipe): recipe for recipe in self.recipes.values()}

    @cached_property
    def kept_steps(self) -> dict[str, list[str]]:
        """The steps of every run to save, except the last, in order, by path of the run."""
        found: dict[str, set[str]] = {}
        for item in self.evaluations:
            if item.model.recipe:
                found.setdefault(item.model.path, set()).add(item.step)
        return {path: sorted(steps - {"final"}, key=place_of) for path, steps in found.items()}

    @cached_property
    def may_diverge(self) -> set[str]:
        """Paths of the runs that only sweeps request, where divergence is a result and not an error."""
        items = [item for item in self.evaluations if item.model.recipe]
        return {item.model.path for item in items} - {item.model.path for item in items if not item.line.is_swept}


def expand(settings: Settings) -> Study:
    """Expand a validated config to its models and evaluations.

    Raises InputError if a sweep has an unknown key or an invalid value, or if two models, or two MTEB settings of one
    model, share a label.
    """
    study = Study(dict(settings.recipes), {})
    for name, experiment in settings.experiments.items():
        key = f"experiments.{name}.models"
        meanings: dict[tuple[str, str], str] = {}
        evaluations: dict[Evaluation, None] = {}
        for position, entry in enumerate(experiment.models):
            for recipe, x, suffix in variants(entry, settings, f"{key}.{position}"):
                recipe_key = None
                if recipe is not None:
                    recipe_key = recipe_name(recipe, settings.recipes)
                    study.recipes[recipe_key] = recipe
                series = entry.label or default_label(entry)
                line = Line(series + suffix, series, x, entry.group)
                for on in evaluated_on(entry, experiment):
                    model = Model(entry.encoder, None, trained_on(entry, on, settings), recipe_key).family
                    meant = f"{model} (mteb: {treatment(entry, settings)})" if on in experiment.tasks else model
                    meaning = meanings.setdefault((line.label, on), meant)
                    if meaning != meant:
                        raise InputError(
                            f"{key}: {line.label!r} is the label of {meaning} and {meant}; expected: unique labels"
                        )
                    evaluations |= dict.fromkeys(scored(line, entry, recipe_key, on, experiment, study, settings))
        study.experiments[name] = list(evaluations)
    return study


def evaluated_on(entry: ModelEntry, experiment: Experiment) -> list[str]:
    """Return the corpora and tasks that an entry is evaluated on."""
    return [
        corpus for corpus in experiment.corpora if corpus in (entry.corpora or experiment.corpora)
    ] + experiment.tasks


def scored(
    line: Line, entry: ModelEntry, recipe: str | None, on: str, experiment: Experiment, study: Study, settings: Settings
) -> Iterator[Evaluation]:
    """Yield the evaluations of an entry, for all seeds and steps, on one corpus or task."""
    encoder = settings.encoders[entry.encoder]
    poolings = entry.poolings or experiment.poolings
    if on in experiment.corpora:
        # The encoder's own modules need a forward pass of their own: prompt, maximum length and dimension may differ.
        groups = [[name for name in poolings if (name == "own") == own] for own in (False, True)]
        selections = [select(group, experiment.layers, encoder) for group in groups if group]
        parts = [(score, selection) for score in experiment.scores or [None] for selection in selections]
    else:
        numbers = layer_numbers(experiment.layers, encoder.layers)
        how = treatment(entry, settings)
        parts = [(BENCHMARK, f"{pooling}_{layer}_{how}") for pooling in poolings for layer in numbers]
    for model in models(entry, recipe, on, experiment, settings):
        for step in (entry.steps or experiment.steps) if recipe else [0]:
            untrained = recipe is None or step == 0 or study.recipes[recipe].unfrozen_layers == 0
            evaluated = base_of(model, settings) if untrained else model
            for score, selection in parts:
                yield Evaluation(line, evaluated, "0" if untrained else str(step), score, on, selection)


def treatment(entry: ModelEntry, settings: Settings) -> str:
    """Return the MTEB settings of an entry as text: `384_unit`."""
    return (entry.mteb or settings.mteb).name


def layer_numbers(layers: ChosenLayers, last_layer: int) -> list[int]:
    """Return the numbers of the chosen layers."""
    match layers:
        case "last":
            return [last_layer]
        case "all":
            return list(range(last_layer + 1))
    return sorted(set(layers))


def place_of(step: str) -> tuple[str, float]:
    """Return what steps, except the last, are sorted by: `3`, `20`, `epoch-1`, `interpolated-0.25`."""
    kind, _, number = step.rpartition("-")
    return kind, float(number)


def variants(entry: ModelEntry, settings: Settings, key: str) -> list[tuple[Recipe | None, Any, str]]:
    """Return (recipe, value of the first swept key, suffix of the label) for every combination of a sweep.

    Without a sweep, there is one combination: the recipe itself.
    """
    if entry.recipe is None:
        return [(None, None, "")]
    found = []
    for values in itertools.product(*entry.sweep.values()):
        changed = dict(zip(entry.sweep, values, strict=True))
        recipe = vary(settings.recipes[entry.recipe], changed, f"{key}.sweep")
        plain = flat(recipe.model_dump())
        swept = {last_key(path): plain[path] for path in changed}
        suffix = "".join(f", {name} {format_value(value)}" for name, value in swept.items())
        found.append((recipe, next(iter(swept.values()), None), suffix))
    return found


def vary(recipe: Recipe, changed: dict[str, Any], key: str) -> Recipe:
    """Return a copy of a recipe with the values at dotted paths replaced and validated."""
    plain = recipe.model_dump()
    allowed = flat(plain)
    for path, value in changed.items():
        if path not in allowed:
            raise InputError(f"{key}: {path!r} is not a recipe key with a single value; expected: {', '.join(allowed)}")
        target = plain
        *parents, last = path.split(".")
        for parent in parents:
            target = target[parent]
        target[last] = value
    try:
        return Recipe.model_validate(plain)
    except ValidationError as error:
        raise InputError(describe(error.errors()[0], Recipe, key)) from None


def recipe_name(recipe: Recipe, named: dict[str, Recipe]) -> str:
    """Return the name of the most similar named recipe and the values that differ: `crops_temperature-0.5`.

    Depends only on the settings and the named recipes, so that other experiments cannot rename a run.
    """
    plain = flat(recipe.model_dump())
    words = {}
    for name, other in named.items():
        theirs = flat(other.model_dump()).items()  # a group that is not set lacks its keys
        changed = {last_key(path): value for path, value in plain.items() if (path, value) not in theirs}
        words[name] = [f"_{key}-{format_value(value)}" for key, value in changed.items()]
    nearest = min(words, key=lambda name: len(words[name]))
    return nearest + "".join(words[nearest])


def format_value(value: Any) -> str:
    """Return a value as part of a name."""
    if isinstance(value, list):
        return "x".join(map(str, value))
    return "none" if value is None else str(value)


def flat(plain: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as a flat dict by dotted path."""
    found = {}
    for name, value in plain.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def last_key(path: str) -> str:
    """Return the last key of a dotted path."""
    return path.rsplit(".", 1)[-1]


def models(entry: ModelEntry, recipe: str | None, on: str, experiment: Experiment, settings: Settings) -> list[Model]:
    """Return the models of an entry: one per seed if they depend on the seed, otherwise one."""
    corpus = settings.corpora.get(on) or settings.corpora.get(entry.train_on)
    seeds = experiment.seeds or (corpus.seeds if corpus else None) or settings.seeds
    if recipe is not None:
        return [Model(entry.encoder, seed, trained_on(entry, on, settings), recipe) for seed in seeds]
    if has_random_weights(entry.encoder, settings):
        return [Model(entry.encoder, seed) for seed in seeds]
    return [Model(entry.encoder)]


def trained_on(entry: ModelEntry, on: str, settings: Settings) -> str:
    """Return the training corpus of an entry that is evaluated on `on`; for pairs, the corpus of the full texts."""
    source = settings.corpora[on].source if on in settings.corpora else None
    return entry.train_on or (source.corpus if source and source.pairs_score else texts_of(on, settings))


def texts_of(corpus: str, settings: Settings) -> str:
    """Return the corpus with the texts of a corpus: the original of a relabelled corpus, otherwise itself."""
    source = settings.corpora[corpus].source if corpus in settings.corpora else None
    return source.corpus if isinstance(source, DerivedSource) and source.same_texts else corpus


def repeated(corpora: list[str], settings: Settings) -> list[str]:
    """Return the corpora to omit from means, because another corpus in the list has the same texts."""
    counted: dict[str, str] = {}
    for corpus in sorted(corpora, key=lambda name: texts_of(name, settings) != name):
        counted.setdefault(texts_of(corpus, settings), corpus)
    return [corpus for corpus in corpora if corpus not in counted.values()]


def has_random_weights(encoder: str, settings: Settings) -> bool:
    """Whether the weights of an encoder depend on the seed."""
    found = settings.encoders[encoder]
    if isinstance(found, EmbeddingsOnly):
        found = settings.encoders[found.of]
    return isinstance(found, RandomEncoder)


def base_of(model: Model, settings: Settings) -> Model:
    """Return the base model of a run; of a base model, the model itself."""
    return Model(model.encoder, model.seed if has_random_weights(model.encoder, settings) else None)


def select(poolings: Sequence[str], layers: ChosenLayers, encoder) -> str:
    """Return the name of a selection, `{poolings}_{layers}`: `mean_last`, `mean-cls_all`, `mean_0-6`."""
    if isinstance(encoder, BagOfWords):
        return "none_last"
    words = layers if isinstance(layers, str) else "-".join(str(layer) for layer in sorted(set(layers)))
    in_order = [pooling for pooling in get_args(Pooling) if pooling in poolings]
    return f"{'-'.join(in_order)}_{words}"


def selected(selection: str, last_layer: int) -> tuple[list[str], list[int]]:
    """Return the poolings and layer numbers of a selection on a corpus or task."""
    poolings, layers, *_ = selection.split("_")
    numbers = layers if layers in ("last", "all") else list(map(int, layers.split("-")))
    return poolings.split("-"), layer_numbers(numbers, last_layer)


def mapped(evaluations: list[Evaluation], settings: Settings) -> list[Evaluation]:
    """Return the evaluations that are mapped: the first seed of every corpus, label and step."""
    found: dict[tuple[str, str, str], Evaluation] = {}
    for item in evaluations:
        if item.on in settings.corpora:
            found.setdefault((item.on, item.line.label, item.step), item)
    return list(found.values())


def pairs_name(recipe: Recipe) -> str:
    """Return the name of the pairs of a recipe: the augmentation and its non-default settings.

    Examples: `crops`, `crops_sentences-3`, `dropout_held_out-0.1`. Masking is part of training, not of the pairs.
    """
    augmentation = recipe.augmentation
    defaults = type(augmentation).model_validate({"type": augmentation.type}).model_dump(exclude={"mask_fraction"})
    settings = augmentation.model_dump(exclude={"mask_fraction"})
    changed = [f"{key}-{value}" for key, value in settings.items() if value != defaults[key]]
    held_out = [f"held_out-{recipe.held_out}"] if recipe.held_out else []
    return "_".join([augmentation.type, *changed, *held_out])


def default_label(entry: ModelEntry) -> str:
    """Return the label of an entry without a label: encoder, recipe and training corpus, if set."""
    label = " + ".join(filter(None, [entry.encoder, entry.recipe]))
    return f"{label} on {entry.train_on}" if entry.train_on else label
