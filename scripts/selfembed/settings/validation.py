"""Reading and checking a config before any job starts. Every problem is one line: key path, value, what is allowed."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from selfembed.errors import InputError
from selfembed.settings.schema import BAGS_OF_WORDS, FETCHED, BorrowedTokenizer, RandomEncoder, Settings, TrainedTokenizer

# token7 is the token at index 7.
SHORTEST_WITH_TOKEN7 = 8


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


def describe(problem: dict[str, Any]) -> str:
    """One line for one problem that pydantic found."""
    path = [str(part) for part in problem["loc"] if part != "[key]"]
    key = ".".join(path) or "config"
    value = problem["input"]
    context = problem.get("ctx", {})
    match problem["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key; allowed here: {', '.join(allowed_keys(problem['loc']))}"
        case "missing":
            return f"{key}: missing; this key is needed"
        case "union_tag_invalid":
            return f"{key}: type {context['tag']!r} is unknown; allowed: {context['expected_tags']}"
        case "union_tag_not_found":
            return f"{key}: {shortened(value)} has no key 'type'"
        case "value_error":
            return f"{key}: {context['error']}"
        case "string_pattern_mismatch":
            return f"{key}: {shortened(value)} is not possible; allowed: text that matches {context['pattern']}"
        case "literal_error":
            return f"{key}: {shortened(value)} is not possible; allowed: {context['expected']}"
    message = problem["msg"].removeprefix("Input should be ")
    return f"{key}: {shortened(value)} is not possible; allowed: {message[0].lower()}{message[1:]}"


def shortened(value: Any) -> str:
    """A value as one short line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def allowed_keys(location: tuple) -> list[str]:
    """The keys of the settings group that holds the key at `location`, found by walking the JSON schema."""
    schema = Settings.model_json_schema()
    definitions = schema["$defs"]

    def resolve(node: dict) -> dict:
        while "$ref" in node:
            node = definitions[node["$ref"].rsplit("/", 1)[1]]
        return node

    node = schema
    for part in location[:-1]:
        node = resolve(node)
        if "discriminator" in node and part in node["discriminator"]["mapping"]:
            node = definitions[node["discriminator"]["mapping"][part].rsplit("/", 1)[1]]
        elif isinstance(part, int):
            node = node.get("items", node)
        elif part in node.get("properties", {}):
            node = node["properties"][part]
        elif "anyOf" in node:
            options = [resolve(option) for option in node["anyOf"]]
            node = next((option for option in options if option.get("title") == part), options[0])
        else:
            node = node.get("additionalProperties") or next(iter(node.get("patternProperties", {}).values()), node)
    return sorted(resolve(node).get("properties", {}))


def check(settings: Settings) -> Iterator[str]:
    """Yield one line for every name that does not exist and every combination that cannot work."""
    for name, encoder in settings.encoders.items():
        if isinstance(encoder, RandomEncoder):
            yield from check_tokenizer(f"encoders.{name}.tokenizer", encoder, settings)
    for name, recipe in settings.recipes.items():
        if recipe.pooling == "token7" and recipe.max_length < SHORTEST_WITH_TOKEN7:
            yield f"recipes.{name}.pooling: 'token7' does not exist in {recipe.max_length} tokens; allowed: mean, cls, last"
    for name, experiment in settings.experiments.items():
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
        yield from check_entry(f"{key}.models.{position}", entry, experiment, settings)


def check_entry(key: str, entry, experiment, settings: Settings) -> Iterator[str]:
    """One model entry of an experiment."""
    yield from unknown(f"{key}.encoder", entry.encoder, "an encoder", settings.encoders)
    if entry.recipe is not None:
        yield from unknown(f"{key}.recipe", entry.recipe, "a recipe", settings.recipes)
    if entry.train_on is not None:
        yield from unknown(f"{key}.train_on", entry.train_on, "a corpus", settings.corpora)
    for setting in ("train_on", "sweep"):
        if getattr(entry, setting) and entry.recipe is None:
            yield f"{key}.{setting}: needs a recipe; allowed: add '{key}.recipe' or drop this key"
    if entry.encoder not in settings.encoders:
        return
    encoder = settings.encoders[entry.encoder]
    if isinstance(encoder, BAGS_OF_WORDS):
        if entry.recipe is not None:
            yield f"{key}.recipe: bag of words '{entry.encoder}' cannot be fine-tuned; allowed: no recipe"
        if entry.poolings is not None:
            yield f"{key}.poolings: bag of words '{entry.encoder}' has no token vectors to pool; allowed: drop this key"
        return
    poolings = entry.poolings or experiment.poolings
    if "token7" in poolings and encoder.max_length < SHORTEST_WITH_TOKEN7:
        yield (
            f"{key}: encoder '{entry.encoder}' has no pooling 'token7' (its max_length is {encoder.max_length}); "
            "allowed: mean, cls, last"
        )
    if isinstance(experiment.layers, list):
        for layer in experiment.layers:
            if layer > encoder.layers:
                yield f"{key}: encoder '{entry.encoder}' has no layer {layer}; allowed: 0 to {encoder.layers}"


def check_figure(key: str, figure, settings: Settings) -> Iterator[str]:
    """A figure shows what its experiment computes."""
    yield from unknown(f"{key}.experiment", figure.experiment, "an experiment", settings.experiments)
    experiment = settings.experiments.get(figure.experiment)
    if experiment is None:
        return
    if figure.draw == "losses":
        if not any(entry.recipe for entry in experiment.models):
            yield f"{key}.draw: experiment '{figure.experiment}' fine-tunes nothing; allowed: comparison, layers"
    elif figure.pooling not in experiment.poolings:
        yield f"{key}.pooling: '{figure.pooling}' is not scored by '{figure.experiment}'; allowed: {', '.join(experiment.poolings)}"


def unknown(key: str, name: str, kind: str, known) -> Iterator[str]:
    """One line if `name` is not among the known names."""
    if name not in known:
        yield f"{key}: '{name}' is not {kind}; allowed: {', '.join(known) or 'none is defined'}"
