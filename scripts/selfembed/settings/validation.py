"""Reading and checking a config before any job starts. Every problem is one line: key path, value, what is allowed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from selfembed.errors import InputError
from selfembed.settings.schema import (
    BAGS_OF_WORDS,
    FETCHED,
    SHORTEST_WITH_TOKEN7,
    BorrowedTokenizer,
    RandomEncoder,
    Settings,
    TrainedTokenizer,
)

# What pydantic's messages say around what is allowed.
AROUND_WHAT_IS_ALLOWED = re.compile(r"^\w+ should (be|have) |, (unable to|got) .*| after validation.*")


def load(config: dict[str, Any]) -> Settings:
    """Check a config, as Snakemake read it, and return its settings.

    Raises InputError with one line for every wrong key, type, name or combination.
    """
    try:
        settings = Settings.model_validate(config)
    except ValidationError as error:
        raise InputError("\n".join(dict.fromkeys(describe(problem) for problem in error.errors()))) from None
    problems = list(dict.fromkeys(check(settings)))
    if problems:
        raise InputError("\n".join(problems))
    return settings


def missing_sources(settings: Settings) -> None:
    """Check that the local files and folders a config names exist.

    Raises InputError with one line for each that does not.
    """
    named = [
        (f"corpora.{name}.source.path", corpus.source.path, "", "a file")
        for name, corpus in settings.corpora.items()
        if corpus.source.type == "file"
    ] + [
        (f"encoders.{name}.path", encoder.path, "model.safetensors", "a folder with model.safetensors")
        for name, encoder in settings.encoders.items()
        if encoder.type == "folder"
    ]
    missing = [
        f"{key}: {path!r} does not exist; allowed: {kind}"
        for key, path, inside, kind in named
        if not Path(path, inside).is_file()
    ]
    if missing:
        raise InputError("\n".join(missing))


def check_figure_names(settings: Settings, taken: set[str]) -> None:
    """Check that no figure, which is a rule by its name, is called like a rule of the workflow.

    Raises InputError with one line for each that is.
    """
    clashes = [
        f"figures.{name}: the name is a rule's; allowed: another name" for name in settings.figures if name in taken
    ]
    if clashes:
        raise InputError("\n".join(clashes))


def describe(problem: dict[str, Any], root: type[BaseModel] = Settings, prefix: str = "") -> str:
    """One line for one problem that pydantic found in a group of settings whose key path is `prefix`."""
    keys, holder, node = locate(problem["loc"], root)
    key = ".".join(filter(None, [prefix, *keys])) or "config"
    value = shortened(problem["input"])
    context = problem.get("ctx", {})
    match problem["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key; allowed here: {', '.join(sorted(holder.get('properties', ())))}"
        case "missing":
            return f"{key}: missing; this key is needed"
        case "union_tag_invalid":
            return f"{key}: type {context['tag']!r} is unknown; allowed: {context['expected_tags']}"
        case "union_tag_not_found":
            types = ", ".join(map(repr, node["discriminator"]["mapping"]))
            return f"{key}: {value} has no key 'type'; allowed: {types}"
        case "value_error":
            return f"{key}: {context['error']}"
        case "string_pattern_mismatch":
            allowed = f"text that matches {context['pattern']}"
        case "literal_error":
            allowed = context["expected"]
        case "dict_type" | "model_type" | "model_attributes_type":
            allowed = "a group of keys"
        case _:
            allowed = AROUND_WHAT_IS_ALLOWED.sub("", problem["msg"])
    return f"{key}: {value} is not possible; allowed: {allowed}"


def shortened(value: Any) -> str:
    """A value as one short line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def locate(location: tuple[str | int, ...], root: type[BaseModel]) -> tuple[list[str], dict, dict]:
    """Find a problem's location in the JSON schema of `root`.

    Returns the keys that lead there, the schema of what holds the last key, and the schema of what the last key holds.
    Pydantic's locations also name the branch taken at every union, and `[key]` for a name; these are no keys.
    """
    schema = root.model_json_schema()

    def resolve(node: dict) -> dict:
        while "$ref" in node or "anyOf" in node:
            node = schema["$defs"][last_word(node["$ref"])] if "$ref" in node else node["anyOf"][0]
        return node

    keys, holder, node = [], {}, schema
    for part in location:
        if part == "[key]":
            continue
        if "oneOf" in node:
            node = resolve(branch(node, part))
        else:
            keys.append(str(part) if str(part).isprintable() else repr(part))
            holder, node = node, resolve(held(node, part))
    return keys, holder, node


def branch(node: dict, name: str | int) -> dict:
    """Branch of a union by its `type`, by the name of its group or by its JSON type."""
    mapping = node.get("discriminator", {}).get("mapping", {})
    if name in mapping:
        return {"$ref": mapping[name]}
    options = node["oneOf"]
    return next((one for one in options if name in (last_word(one.get("$ref", "")), one.get("type"))), {})


def held(node: dict, key: str | int) -> dict:
    """What a key of a group, a name or a position of a list holds; empty if the schema does not say."""
    if key in node.get("properties", {}):
        return node["properties"][key]
    by_name = [node.get("items"), node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
    return next(filter(None, by_name), {})


def last_word(reference: str) -> str:
    """Name of the group that a JSON schema refers to."""
    return reference.rsplit("/", 1)[-1]


def check(settings: Settings) -> Iterator[str]:
    """Yield one line for every name that does not exist and every combination that cannot work."""
    for name, encoder in settings.encoders.items():
        if isinstance(encoder, RandomEncoder):
            yield from check_tokenizer(f"encoders.{name}.tokenizer", encoder, settings)
    for name, experiment in settings.experiments.items():
        if name.endswith(("_summary", "_losses")):
            yield f"experiments.{name}: names that end in '_summary' or '_losses' are tables'; allowed: another name"
        yield from check_experiment(f"experiments.{name}", experiment, settings)
    for name, figure in settings.figures.items():
        yield from check_figure(f"figures.{name}", figure, settings)


def check_tokenizer(key: str, encoder: RandomEncoder, settings: Settings) -> Iterator[str]:
    """A tokenizer is trained on a corpus that exists or borrowed from an encoder that has one."""
    match encoder.tokenizer:
        case TrainedTokenizer(train_on=corpus):
            yield from unknown(f"{key}.train_on", corpus, "a corpus", settings.corpora)
        case BorrowedTokenizer(borrow_from=lender):
            lenders = [name for name, other in settings.encoders.items() if isinstance(other, FETCHED)]
            yield from unknown(f"{key}.borrow_from", lender, "a pretrained encoder", lenders)


def check_experiment(key: str, experiment, settings: Settings) -> Iterator[str]:
    """Corpora exist and have labels; entries name encoders, recipes, layers and poolings that fit together."""
    for position, corpus in enumerate(experiment.corpora):
        yield from unknown(f"{key}.corpora.{position}", corpus, "a corpus", settings.corpora)
        if corpus in settings.corpora and not settings.corpora[corpus].labelled:
            yield (
                f"{key}.corpora.{position}: corpus '{corpus}' has no labels, which kNN accuracy needs; "
                f"allowed: a corpus with labels (set corpora.{corpus}.source.label)"
            )
    for position, entry in enumerate(experiment.models):
        yield from check_entry(key, position, entry, experiment, settings)


def check_entry(experiment_key: str, position: int, entry, experiment, settings: Settings) -> Iterator[str]:
    """One model entry of an experiment; what the experiment sets for all its entries is reported at its own key."""
    key = f"{experiment_key}.models.{position}"
    yield from unknown(f"{key}.encoder", entry.encoder, "an encoder", settings.encoders)
    if entry.recipe is not None:
        yield from unknown(f"{key}.recipe", entry.recipe, "a recipe", settings.recipes)
    if entry.train_on is not None:
        yield from unknown(f"{key}.train_on", entry.train_on, "a corpus", settings.corpora)
    for setting in ("train_on", "sweep"):
        if getattr(entry, setting) and entry.recipe is None:
            yield f"{key}.{setting}: needs a recipe; allowed: add '{key}.recipe' or drop this key"
    if entry.color and entry.sweep:
        yield f"{key}.color: one colour for a sweep; allowed: drop this key, every combination gets its own colour"
    if entry.encoder not in settings.encoders:
        return
    encoder = settings.encoders[entry.encoder]
    if isinstance(encoder, BAGS_OF_WORDS):
        if entry.recipe is not None:
            yield f"{key}.recipe: bag of words '{entry.encoder}' cannot be fine-tuned; allowed: no recipe"
        if entry.poolings is not None:
            yield f"{key}.poolings: bag of words '{entry.encoder}' has no token vectors to pool; allowed: drop this key"
        return
    recipe = settings.recipes.get(entry.recipe)
    if (
        recipe
        and recipe.augmentation.type == "dropout"
        and encoder.type == "random"
        and encoder.architecture.dropout == 0
    ):
        yield f"{key}.recipe: encoder '{entry.encoder}' has no dropout, so its pairs would not differ; allowed: crops"
    poolings = entry.poolings or experiment.poolings
    if "token7" in poolings and encoder.max_length < SHORTEST_WITH_TOKEN7:
        holder = key if entry.poolings else experiment_key
        yield (
            f"{holder}.poolings: encoder '{entry.encoder}' has no 'token7' (its max_length is {encoder.max_length}); "
            "allowed: mean, cls, last"
        )
    if isinstance(experiment.layers, list):
        for layer in experiment.layers:
            if layer > encoder.layers:
                yield (
                    f"{experiment_key}.layers: encoder '{entry.encoder}' has no layer {layer}; "
                    f"allowed: 0 to {encoder.layers}"
                )


def check_figure(key: str, figure, settings: Settings) -> Iterator[str]:
    """A figure shows what its experiment computes."""
    yield from unknown(f"{key}.experiment", figure.experiment, "an experiment", settings.experiments)
    experiment = settings.experiments.get(figure.experiment)
    if experiment is None:
        return
    if figure.draw == "losses":
        if not any(entry.recipe for entry in experiment.models):
            yield f"{key}.draw: experiment '{figure.experiment}' fine-tunes nothing; allowed: comparison, layers"
        return
    if figure.draw == "comparison" and isinstance(experiment.layers, list):
        for name in dict.fromkeys(entry.encoder for entry in experiment.models):
            last = getattr(settings.encoders.get(name), "layers", None)
            if last is not None and max(experiment.layers) < last:
                yield f"{key}.draw: 'comparison' shows layer {last} of '{name}', not scored; allowed: layers, losses"
    scored = scored_poolings(experiment, settings)
    if scored and figure.pooling not in scored:
        yield f"{key}.pooling: '{figure.pooling}' is not scored by '{figure.experiment}'; allowed: {', '.join(scored)}"


def scored_poolings(experiment, settings: Settings) -> list[str]:
    """Every pooling that some entry of an experiment is scored with; none if all are bags of words."""
    found = {}
    for entry in experiment.models:
        if not isinstance(settings.encoders.get(entry.encoder), BAGS_OF_WORDS):
            found |= dict.fromkeys(entry.poolings or experiment.poolings)
    return list(found)


def unknown(key: str, name: str, kind: str, known) -> Iterator[str]:
    """One line if `name` is not among the known names."""
    if name not in known:
        yield f"{key}: '{name}' is not {kind}; allowed: {', '.join(known) or 'none is defined'}"
