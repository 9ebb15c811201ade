"""From experiments to runs: which models a study needs, what they are called, and what is scored on them.

Names are readable and decided by settings alone. A recipe that a sweep changes is called after what it changes
(`crops_temperature-0.5`); equal settings are one recipe, whatever they are called, so they are trained once.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import ValidationError

from selfembed.errors import InputError
from selfembed.settings.base import Pooling
from selfembed.settings.corpora import CropsSource, DerivedSource
from selfembed.settings.encoders import BagOfWords, EmbeddingsAlone, RandomEncoder
from selfembed.settings.experiments import ChosenLayers, Experiment, ModelEntry
from selfembed.settings.recipes import Recipe
from selfembed.settings.schema import Settings
from selfembed.study.messages import describe


@dataclass(frozen=True)
class Model:
    """What gets evaluated: an encoder as it came (no recipe), or a run's result."""

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
        """Where it lies below `results/models/`."""
        return self.family if self.seed is None else f"{self.family}/seed-{self.seed}"


@dataclass(frozen=True)
class Line:
    """What a figure calls a model: its label, and what the label is made of."""

    label: str
    series: str
    x: Any = None
    group: str | None = None

    @property
    def is_swept(self) -> bool:
        """Whether a sweep made it: only then the label says more than the series."""
        return self.label != self.series


@dataclass(frozen=True)
class Evaluation:
    """One score of one model at a step: on a corpus, of a selection of embeddings, or on a task, of one of them.

    On a task, the selection also says how the model is treated: `mean_12_384_unit`. Without a score, the embeddings
    alone are wanted, for a map.
    """

    line: Line
    model: Model
    step: str
    score: str | None
    on: str
    selection: str

    @property
    def path(self) -> str:
        """Where it lies below `results/scores/`."""
        return f"{self.score}/{self.on}/{self.model.path}/{self.step}/{self.selection}"


@dataclass
class Study:
    """Everything the rules look up by name."""

    recipes: dict[str, Recipe] = field(default_factory=dict)
    pairs: dict[str, Recipe] = field(default_factory=dict)
    experiments: dict[str, list[Evaluation]] = field(default_factory=dict)
    kept_steps: dict[str, list[str]] = field(default_factory=dict)
    may_diverge: set[str] = field(default_factory=set)


def expand(settings: Settings) -> Study:
    """Turn a validated config into the models and evaluations it asks for.

    Raises InputError if a sweep names a key that recipes lack or gives it an impossible value, or if two models, or two
    ways to score one on a task, share a label.
    """
    study = Study(dict(settings.recipes))
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
    for recipe in study.recipes.values():
        study.pairs[pairs_name(recipe)] = recipe
    study.kept_steps = kept_steps(study)
    study.may_diverge = may_diverge(study)
    return study


def evaluated_on(entry: ModelEntry, experiment: Experiment) -> list[str]:
    """Corpora and tasks that an entry is evaluated on."""
    return [
        corpus for corpus in experiment.corpora if corpus in (entry.corpora or experiment.corpora)
    ] + experiment.tasks


def scored(
    line: Line, entry: ModelEntry, recipe: str | None, on: str, experiment: Experiment, study: Study, settings: Settings
) -> Iterator[Evaluation]:
    """Every evaluation of an entry's models (all seeds and steps) on one corpus or task."""
    encoder = settings.encoders[entry.encoder]
    poolings = entry.poolings or experiment.poolings
    if on in experiment.corpora:
        parts = [(score, select(poolings, experiment.layers, encoder)) for score in experiment.scores or [None]]
    else:
        numbers = layer_numbers(experiment.layers, encoder.layers)
        how = treatment(entry, settings)
        parts = [("mteb", f"{pooling}_{layer}_{how}") for pooling in poolings for layer in numbers]
    for model in models(entry, recipe, on, experiment, settings):
        for step in (entry.steps or experiment.steps) if recipe else [0]:
            untrained = recipe is None or step == 0 or study.recipes[recipe].unfrozen_layers == 0
            evaluated = base_of(model, settings) if untrained else model
            for score, selection in parts:
                yield Evaluation(line, evaluated, "0" if untrained else str(step), score, on, selection)


def treatment(entry: ModelEntry, settings: Settings) -> str:
    """How tasks score the models of an entry: `384_unit`."""
    return (entry.mteb or settings.mteb).name


def layer_numbers(layers: ChosenLayers, last_layer: int) -> list[int]:
    """Numbers of the chosen layers."""
    match layers:
        case "last":
            return [last_layer]
        case "all":
            return list(range(last_layer + 1))
    return sorted(set(layers))


def kept_steps(study: Study) -> dict[str, list[str]]:
    """The steps, besides the last, that some experiment wants of every run, by the run's path; in order."""
    found: dict[str, set[str]] = {}
    for evaluations in study.experiments.values():
        for evaluation in evaluations:
            if evaluation.model.recipe:
                found.setdefault(evaluation.model.path, set()).add(evaluation.step)
    return {
        path: sorted(steps - {"final"}, key=lambda step: (step.startswith("epoch"), int(step.removeprefix("epoch-"))))
        for path, steps in found.items()
    }


def may_diverge(study: Study) -> set[str]:
    """Paths of the runs that sweeps alone want: there, a run that diverges is a result, and elsewhere an error."""
    items = [item for evaluations in study.experiments.values() for item in evaluations if item.model.recipe]
    elsewhere = {item.model.path for item in items if not item.line.is_swept}
    return {item.model.path for item in items} - elsewhere


def variants(entry: ModelEntry, settings: Settings, key: str) -> list[tuple[Recipe | None, Any, str]]:
    """(recipe, value of the first swept key, addition to the label) of every combination in an entry's sweep.

    Without a sweep, the recipe itself.
    """
    if entry.recipe is None:
        return [(None, None, "")]
    found = []
    for values in itertools.product(*entry.sweep.values()):
        changed = dict(zip(entry.sweep, values, strict=True))
        recipe = vary(settings.recipes[entry.recipe], changed, f"{key}.sweep")
        plain = flat(recipe.model_dump())
        swept = {last_key(path): plain[path] for path in changed}
        suffix = "".join(f", {name} {spelled(value)}" for name, value in swept.items())
        found.append((recipe, next(iter(swept.values()), None), suffix))
    return found


def vary(recipe: Recipe, changed: dict[str, Any], key: str) -> Recipe:
    """The recipe with the settings at some dotted paths replaced, validated anew."""
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
    """The named recipe that it differs least from, followed by the settings that differ: `crops_temperature-0.5`.

    Follows from the settings and the named recipes alone, so that no other experiment can rename a run.
    """
    plain = flat(recipe.model_dump())
    words = {}
    for name, other in named.items():
        theirs = flat(other.model_dump())
        changed = {last_key(path): value for path, value in plain.items() if theirs.get(path) != value}
        words[name] = [f"_{key}-{spelled(value)}" for key, value in changed.items()]
    nearest = min(words, key=lambda name: len(words[name]))
    return nearest + "".join(words[nearest])


def spelled(value: Any) -> str:
    """A setting as part of a name."""
    if isinstance(value, list):
        return "x".join(map(str, value))
    return "none" if value is None else str(value)


def flat(plain: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by dotted path, without the groups around them."""
    found = {}
    for name, value in plain.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def last_key(path: str) -> str:
    """The last key of a dotted path."""
    return path.rsplit(".", 1)[-1]


def models(entry: ModelEntry, recipe: str | None, on: str, experiment: Experiment, settings: Settings) -> list[Model]:
    """The models of one entry: one per seed where a seed decides anything, else one."""
    corpus = settings.corpora.get(on) or settings.corpora.get(entry.train_on)
    seeds = experiment.seeds or (corpus.seeds if corpus else None) or settings.seeds
    if recipe is not None:
        return [Model(entry.encoder, seed, trained_on(entry, on, settings), recipe) for seed in seeds]
    if has_random_weights(entry.encoder, settings):
        return [Model(entry.encoder, seed) for seed in seeds]
    return [Model(entry.encoder)]


def trained_on(entry: ModelEntry, on: str, settings: Settings) -> str:
    """The corpus that an entry is fine-tuned on, where it is evaluated on `on`: for crops, that of the whole texts."""
    source = settings.corpora[on].source if on in settings.corpora else None
    return entry.train_on or (source.corpus if isinstance(source, CropsSource) else texts_of(on, settings))


def texts_of(corpus: str, settings: Settings) -> str:
    """The corpus whose texts a corpus has: itself, unless it only has other labels."""
    source = settings.corpora[corpus].source if corpus in settings.corpora else None
    return source.corpus if isinstance(source, DerivedSource) and source.same_texts else corpus


def repeated(corpora: list[str], settings: Settings) -> list[str]:
    """Corpora whose texts another one of these has: they count once in a mean, with the labels that they came with."""
    counted: dict[str, str] = {}
    for corpus in sorted(corpora, key=lambda name: texts_of(name, settings) != name):
        counted.setdefault(texts_of(corpus, settings), corpus)
    return [corpus for corpus in corpora if corpus not in counted.values()]


def has_random_weights(encoder: str, settings: Settings) -> bool:
    """Whether a seed decides an encoder's weights."""
    found = settings.encoders[encoder]
    if isinstance(found, EmbeddingsAlone):
        found = settings.encoders[found.of]
    return isinstance(found, RandomEncoder)


def base_of(model: Model, settings: Settings) -> Model:
    """The model that a run starts from; a base model itself."""
    return Model(model.encoder, model.seed if has_random_weights(model.encoder, settings) else None)


def select(poolings: Sequence[str], layers: ChosenLayers, encoder) -> str:
    """Name of a selection of embeddings, `{poolings}_{layers}`: `mean_last`, `mean-cls_all`, `mean_0-6`."""
    if isinstance(encoder, BagOfWords):
        return "none_last"
    words = layers if isinstance(layers, str) else "-".join(str(layer) for layer in sorted(set(layers)))
    in_order = [pooling for pooling in get_args(Pooling) if pooling in poolings]
    return f"{'-'.join(in_order)}_{words}"


def selected(selection: str, last_layer: int) -> tuple[list[str], list[int]]:
    """Poolings and numbers of the layers that a selection, or that of a score on a task, names."""
    poolings, layers, *_ = selection.split("_")
    numbers = layers if layers in ("last", "all") else list(map(int, layers.split("-")))
    return poolings.split("-"), layer_numbers(numbers, last_layer)


def mapped(evaluations: list[Evaluation], settings: Settings) -> list[Evaluation]:
    """Those whose embeddings are mapped: for every label and corpus the first seed's."""
    found: dict[tuple[str, str, str], Evaluation] = {}
    for item in evaluations:
        if item.on in settings.corpora:
            found.setdefault((item.on, item.line.label, item.step), item)
    return list(found.values())


def pairs_name(recipe: Recipe) -> str:
    """What decides a recipe's pairs: the augmentation and the settings that differ from its defaults.

    `crops`, `crops_sentences-3`, `dropout_held_out-0.1`; tokens are masked in training, not in the pairs.
    """
    augmentation = recipe.augmentation
    defaults = type(augmentation).model_validate({"type": augmentation.type}).model_dump(exclude={"mask_fraction"})
    settings = augmentation.model_dump(exclude={"mask_fraction"})
    changed = [f"{key}-{value}" for key, value in settings.items() if value != defaults[key]]
    held_out = [f"held_out-{recipe.held_out}"] if recipe.held_out else []
    return "_".join([augmentation.type, *changed, *held_out])


def default_label(entry: ModelEntry) -> str:
    """Encoder, recipe and training corpus, as far as the config gives them, where it gives no label."""
    label = " + ".join(filter(None, [entry.encoder, entry.recipe]))
    return f"{label} on {entry.train_on}" if entry.train_on else label
