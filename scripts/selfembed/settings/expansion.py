"""From experiments to runs: which models a study needs, what they are called, and what is scored on them.

Names are readable and decided by settings alone. A recipe that a sweep changes is called after what it changes
(`crops_temperature-0.5`); equal settings are one recipe, whatever they are called, so they are trained once.
"""

import itertools
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import ValidationError

from selfembed.errors import InputError
from selfembed.settings.schema import (
    BAGS_OF_WORDS,
    Crops,
    Dropout,
    ModelEntry,
    Packs,
    Pooling,
    RandomEncoder,
    Recipe,
    Settings,
)
from selfembed.settings.validation import describe


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

    @property
    def step(self) -> str:
        """Optimiser step: a base model has had none, a run is evaluated at its last."""
        return "final" if self.recipe else "0"


@dataclass(frozen=True)
class Evaluation:
    """One model embedded and scored on one corpus, under a label of its experiment."""

    label: str
    corpus: str
    model: Model
    selection: str

    @property
    def path(self) -> str:
        """Where its embeddings and scores lie below `results/embeddings/` and `results/scores/knn/`."""
        return f"{self.corpus}/{self.model.path}/{self.model.step}/{self.selection}"


@dataclass
class Study:
    """Everything the rules look up by name."""

    recipes: dict[str, Recipe] = field(default_factory=dict)
    augmentations: dict[str, Crops | Dropout] = field(default_factory=dict)
    experiments: dict[str, list[Evaluation]] = field(default_factory=dict)


def expand(settings: Settings) -> Study:
    """Turn a validated config into the models and evaluations it asks for.

    Raises InputError if a sweep names a key that recipes lack or gives it an impossible value.
    """
    study = Study(dict(settings.recipes))
    for experiment_name, experiment in settings.experiments.items():
        evaluations = []
        for position, entry in enumerate(experiment.models):
            key = f"experiments.{experiment_name}.models.{position}"
            encoder = settings.encoders[entry.encoder]
            selection = select(entry.poolings or experiment.poolings, experiment.layers, encoder)
            for recipe, suffix in variants(entry, settings, key):
                name = None
                if recipe is not None:
                    name = recipe_name(recipe, settings.recipes)
                    study.recipes[name] = recipe
                label = (entry.label or default_label(entry)) + suffix
                for corpus in experiment.corpora:
                    for model in models(entry, name, corpus, experiment.seeds or settings.seeds, settings):
                        evaluations.append(Evaluation(label, corpus, model, selection))
        study.experiments[experiment_name] = list(dict.fromkeys(evaluations))
        check_labels(f"experiments.{experiment_name}.models", evaluations)
    for recipe in study.recipes.values():
        study.augmentations[augmentation_name(recipe.augmentation)] = recipe.augmentation
    return study


def check_labels(key: str, evaluations: list[Evaluation]) -> None:
    """Check that a label means one model, up to its seed.

    Raises InputError if two models share a label.
    """
    meaning = {}
    for evaluation in evaluations:
        family = meaning.setdefault((evaluation.label, evaluation.corpus), evaluation.model.family)
        if family != evaluation.model.family:
            raise InputError(
                f"{key}: {evaluation.label!r} is the label of {family} and of {evaluation.model.family}; "
                "allowed: a label for each"
            )


def variants(entry: ModelEntry, settings: Settings, key: str) -> list[tuple[Recipe | None, str]]:
    """(recipe, addition to the label) of every combination in an entry's sweep; without one, the recipe itself."""
    if entry.recipe is None:
        return [(None, "")]
    found = []
    for values in itertools.product(*entry.sweep.values()):
        changed = dict(zip(entry.sweep, values, strict=True))
        recipe = vary(settings.recipes[entry.recipe], changed, f"{key}.sweep")
        plain = flat(recipe.model_dump())
        found.append((recipe, "".join(f", {last_key(path)} {plain[path]}" for path in changed)))
    return found


def vary(recipe: Recipe, changed: dict[str, Any], key: str) -> Recipe:
    """The recipe with the settings at some dotted paths replaced, validated anew."""
    plain = recipe.model_dump()
    allowed = flat(plain)
    for path, value in changed.items():
        if path not in allowed:
            raise InputError(f"{key}: {path!r} is not a recipe key with a single value; allowed: {', '.join(allowed)}")
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
        words[name] = [f"_{last_key(path)}-{value}" for path, value in plain.items() if theirs.get(path) != value]
    nearest = min(words, key=lambda name: len(words[name]))
    return nearest + "".join(words[nearest])


def flat(plain: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by dotted path, without the groups around them."""
    found = {}
    for name, value in plain.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def last_key(path: str) -> str:
    """The last key of a dotted path."""
    return path.rsplit(".", 1)[-1]


def models(entry: ModelEntry, recipe: str | None, corpus: str, seeds: list[int], settings: Settings) -> list[Model]:
    """The models of one entry: one per seed where a seed decides anything, else one."""
    if recipe is not None:
        return [Model(entry.encoder, seed, entry.train_on or corpus, recipe) for seed in seeds]
    if isinstance(settings.encoders[entry.encoder], RandomEncoder):
        return [Model(entry.encoder, seed) for seed in seeds]
    return [Model(entry.encoder)]


def base_of(model: Model, settings: Settings) -> Model:
    """The model that a run starts from."""
    is_random = isinstance(settings.encoders[model.encoder], RandomEncoder)
    return Model(model.encoder, model.seed if is_random else None)


def select(poolings: list[str], layers: str | list[int], encoder) -> str:
    """Name of a selection of embeddings, `{poolings}_{layers}`: `mean_last`, `mean-cls_all`, `mean_0-6`."""
    if isinstance(encoder, BAGS_OF_WORDS):
        return "none_last"
    words = layers if isinstance(layers, str) else "-".join(str(layer) for layer in sorted(set(layers)))
    in_order = [pooling for pooling in get_args(Pooling) if pooling in poolings]
    return f"{'-'.join(in_order)}_{words}"


def augmentation_name(augmentation: Packs) -> str:
    """The type, followed by the settings that differ from its defaults: `crops`, `crops_sentences-3`."""
    defaults = type(augmentation)(type=augmentation.type).model_dump()
    changed = [f"{key}-{value}" for key, value in augmentation.model_dump().items() if value != defaults[key]]
    return "_".join([augmentation.type, *changed])


def default_label(entry: ModelEntry) -> str:
    """Encoder, recipe and training corpus, as far as the config gives them, where it gives no label."""
    label = " + ".join(filter(None, [entry.encoder, entry.recipe]))
    return f"{label} on {entry.train_on}" if entry.train_on else label
