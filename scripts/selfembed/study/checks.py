"""Checks across groups of settings: undefined names and invalid combinations, one line for each problem."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from selfembed.errors import InputError
from selfembed.models import interpolation, token7
from selfembed.scores import measures
from selfembed.settings.corpora import DerivedSource, RelabelledSource, SampleSource, TitlesSource
from selfembed.settings.encoders import (
    BagOfWords,
    BesideWordCounts,
    BorrowedTokenizer,
    EmbeddingLayerEncoder,
    EmbeddingsOnly,
    FetchedEncoder,
    RandomEncoder,
    TfidfEncoder,
    TrainedTokenizer,
    WithOwnModules,
)
from selfembed.settings.figures import (
    ClassesFigure,
    ComparisonFigure,
    CorporaTable,
    InteractiveMapFigure,
    Panel,
    ScoreFigure,
    ScoresTable,
)
from selfembed.settings.schema import Settings
from selfembed.settings.scores import Knn, LocalTask, Split, numbers
from selfembed.study.expansion import evaluated_on, texts_of, trained_on, variants
from selfembed.study.messages import did_you_mean

TABLE_SUFFIXES = ("_summary", "_losses", "_maps")


def check(settings: Settings) -> Iterator[str]:
    """Yield one line for every undefined name and every invalid combination."""
    for name, corpus in settings.corpora.items():
        if isinstance(corpus.source, DerivedSource):
            yield from check_derived(f"corpora.{name}", corpus, settings)
        if corpus.expect:
            yield from check_expected(name, corpus, settings)
    for name, encoder in settings.encoders.items():
        yield from check_encoder(f"encoders.{name}", encoder, settings)
        if getattr(encoder, "prompt", None) is not None and name not in with_own_modules(settings):
            yield f"encoders.{name}.prompt: no entry uses pooling 'own' with '{name}'; expected: poolings: [own]"
    for name, task in settings.tasks.items():
        if name in settings.corpora:
            yield f"tasks.{name}: is also the name of a corpus; expected: another name"
        if isinstance(task, LocalTask):
            yield from check_local_task(f"tasks.{name}", task, settings)
    for name, experiment in settings.experiments.items():
        if name.endswith(TABLE_SUFFIXES):
            endings = ", ".join(map(repr, TABLE_SUFFIXES))
            yield f"experiments.{name}: names that end in {endings} are reserved for tables; expected: another name"
        yield from check_experiment(f"experiments.{name}", experiment, settings)
    for name, score in settings.scores.items():
        for other in numbers(name, score):
            if other != name and other in settings.scores:
                yield f"scores.{other}: the name is used by a number of score '{name}'; expected: another name"
    for name, figure in settings.figures.items():
        yield from check_figure(f"figures.{name}", figure, settings)
    yield from check_precision(settings)
    yield from check_pages(settings)
    for name, table in settings.tables.items():
        yield from check_table(f"tables.{name}", table, settings)
    yield from check_markup("", settings.model_dump(mode="json"))


def check_precision(settings: Settings) -> Iterator[str]:
    """Yield one line for every precision that the set device does not have."""
    groups = {f"recipes.{name}": recipe for name, recipe in settings.recipes.items()}
    for key, group in (groups | {"embedding": settings.embedding, "mteb": settings.mteb}).items():
        if settings.device == "cpu" and group.precision == "tf32":
            yield f"{key}.precision: 'tf32' is computed by GPUs alone; expected with device: cpu: fp32 or bf16"


def check_markup(key: str, item: Any) -> Iterator[str]:
    """Yield one line for every text with script tags or comments: Snakemake's report does not escape parameters."""
    if isinstance(item, dict | list):
        for name, part in item.items() if isinstance(item, dict) else enumerate(item):
            yield from check_markup(f"{key}.{name}".removeprefix("."), part)
    elif isinstance(item, str) and re.search(r"</?script|<!--", item, flags=re.IGNORECASE):
        yield f"{key}: {item!r} contains markup; expected: text without <script, </script and <!--"


def unknown(key: str, name: str, kind: str, known: Iterable[str]) -> Iterator[str]:
    """Yield one line if `name` is not a known name."""
    known = list(known)
    if name not in known:
        allowed = ", ".join(known) or "none is defined"
        yield f"{key}: '{name}' is not {kind}; expected: {allowed}{did_you_mean(name, known)}"


def unknown_in(key: str, names: Iterable[str], kind: str, known: Iterable[str]) -> Iterator[str]:
    """Yield one line for each name in the list at `key` that is not a known name."""
    for position, name in enumerate(names):
        yield from unknown(f"{key}.{position}", name, kind, known)


# Corpora, encoders, tasks -------------------------------------------------------------------------------------


def labelled(name: str, settings: Settings) -> bool:
    """Whether a corpus, or the corpus that it is derived from, has labels."""
    found = settings.corpora.get(original(name, settings))
    return found is not None and not isinstance(found.source, DerivedSource) and found.source.labelled


def names_column(name: str, column: str, settings: Settings) -> bool:
    """Whether the source of a corpus, or of the corpus that it is derived from, names a column; also if there is none.

    Args:
        column: `title` or `group`.
    """
    found = settings.corpora.get(original(name, settings))
    return found is None or isinstance(found.source, DerivedSource) or getattr(found.source.columns, column) is not None


def check_derived(key: str, corpus, settings: Settings) -> Iterator[str]:
    """Check that the source of a derived corpus is suitable and that cleaning is not configured again."""
    originals = [name for name, other in settings.corpora.items() if not isinstance(other.source, DerivedSource)]
    if corpus.source.pairs_score:
        samples = [name for name, other in settings.corpora.items() if isinstance(other.source, SampleSource)]
        kind, allowed = "a corpus with its own source, or a sample", originals + samples
    else:
        kind, allowed = "a corpus with its own source", originals
    yield from unknown(f"{key}.source.corpus", corpus.source.corpus, kind, allowed)
    for name in ("minimum_length", "minimum_label_count", "deduplicate", "sentences", "drop_repeated"):
        if name in corpus.model_fields_set:
            yield f"{key}.{name}: '{corpus.source.corpus}' is already cleaned; remove this key"
    if (
        isinstance(corpus.source, RelabelledSource)
        and corpus.source.corpus in originals
        and not labelled(corpus.source.corpus, settings)
    ):
        yield f"{key}.source.corpus: '{corpus.source.corpus}' has no labels; expected: a corpus with labels"
    if isinstance(corpus.source, TitlesSource) and not names_column(corpus.source.corpus, "title", settings):
        yield f"{key}.source.corpus: '{corpus.source.corpus}' has no titles; expected: a corpus with titles"
    other = settings.corpora.get(corpus.source.corpus)
    most = other.expect.rows if other and other.expect else None
    if isinstance(corpus.source, SampleSource) and most is not None and corpus.source.size > most:
        expected = f"corpora.{corpus.source.corpus}.expect.rows"
        yield f"{key}.source.size: {corpus.source.size}, but {expected} is {most}; expected: at most {most}"


def check_expected(name: str, corpus, settings: Settings) -> Iterator[str]:
    """Check that expected sizes agree with the source and with those of the corpus it is derived from."""
    key, expect, source = f"corpora.{name}.expect", corpus.expect, corpus.source
    if (expect.labelled or expect.classes) and not labelled(name, settings):
        yield f"{key}: '{name}' has no labels; expected: only rows"
    if isinstance(source, SampleSource) and expect.rows not in (None, source.size):
        yield f"{key}.rows: {expect.rows} is not the sample's size; expected: {source.size}"
    other = settings.corpora.get(source.corpus) if isinstance(source, RelabelledSource | SampleSource) else None
    if other is None or other.expect is None:
        return
    for number in ("rows", "labelled", "classes"):
        found, most = getattr(expect, number), getattr(other.expect, number)
        if found is None or most is None or (isinstance(source, SampleSource) and number == "rows"):
            continue  # checked against its size
        kept = isinstance(source, RelabelledSource) and number != "classes"  # only labels differ
        if found > most or (kept and found != most):
            allowed = most if kept else f"at most {most}"
            yield f"{key}.{number}: {found}, but corpora.{source.corpus}.expect.{number} is {most}; expected: {allowed}"


def check_encoder(key: str, encoder, settings: Settings) -> Iterator[str]:
    """Check references to other encoders and to the corpus of a tokenizer."""
    pretrained, owners = (
        [name for name, other in settings.encoders.items() if isinstance(other, kinds)]
        for kinds in (FetchedEncoder, (FetchedEncoder, RandomEncoder))
    )
    if isinstance(encoder, EmbeddingsOnly):
        yield from unknown(f"{key}.of", encoder.of, "a pretrained or random encoder", owners)
    elif isinstance(encoder, BesideWordCounts):
        yield from unknown(f"{key}.of", encoder.of, "a pretrained encoder", pretrained)
        yield from unknown(f"{key}.corpus", encoder.corpus, "a corpus", settings.corpora)
    elif isinstance(encoder, RandomEncoder):
        match encoder.tokenizer:
            case TrainedTokenizer(train_on=corpus):
                yield from unknown(f"{key}.tokenizer.train_on", corpus, "a corpus", settings.corpora)
            case BorrowedTokenizer(borrow_from=lender):
                yield from unknown(f"{key}.tokenizer.borrow_from", lender, "a pretrained encoder", pretrained)


def with_own_modules(settings: Settings) -> set[str]:
    """Return the encoders that an entry scores or trains with their own modules."""
    entries = [(entry, experiment) for experiment in settings.experiments.values() for entry in experiment.models]
    return {
        entry.encoder
        for entry, experiment in entries
        if "own" in (entry.poolings or experiment.poolings)
        or (entry.recipe in settings.recipes and settings.recipes[entry.recipe].pooling == "own")
    }


def check_local_task(key: str, task: LocalTask, settings: Settings) -> Iterator[str]:
    """Check that the corpus of a task has labels and, for retrieval, titles."""
    if task.corpus is None:
        return
    yield from unknown(f"{key}.corpus", task.corpus, "a corpus", settings.corpora)
    if task.corpus not in settings.corpora:
        return
    if not labelled(task.corpus, settings):
        yield f"{key}.corpus: '{task.corpus}' has no labels; expected: a corpus with labels"
    if task.type == "retrieval" and not names_column(task.corpus, "title", settings):
        yield f"{key}.corpus: '{task.corpus}' has no titles, which retrieval needs; expected: a corpus with titles"


# Experiments --------------------------------------------------------------------------------------------------


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
    owner = original(name, settings)
    source = settings.corpora[owner].source if owner in settings.corpora else None
    setting = None if source is None or isinstance(source, DerivedSource) else source.label_setting
    return f" (set corpora.{owner}.source.{setting})" if setting else ""


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


def original(name: str, settings: Settings) -> str:
    """Return the corpus that a corpus is derived from, directly or indirectly; itself if it is not derived."""
    for _ in settings.corpora:  # an invalid config may have a cycle
        if name not in settings.corpora or not isinstance(settings.corpora[name].source, DerivedSource):
            break
        name = settings.corpora[name].source.corpus
    return name


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


# Figures and tables -------------------------------------------------------------------------------------------


# Requirements of panels: a test of an experiment, and the message after the key of the figure if it fails.
NEEDS = {
    "corpora": (
        lambda experiment: experiment.corpora,
        "{role}: '{name}' has no corpora; expected: an experiment with a corpus",
    ),
    "tasks": (lambda experiment: experiment.tasks, "{role}: '{name}' has no tasks; expected: an experiment with tasks"),
    "layers": (
        lambda experiment: experiment.layers != "last",
        "{role}: '{name}' scores only the last layer; expected: an experiment with layers: all, or several",
    ),
    "maps": (
        lambda experiment: experiment.maps,
        "{role}: '{name}' computes no maps; expected: an experiment with maps: true",
    ),
    "runs": (
        lambda experiment: any(entry.recipe for entry in experiment.models),
        "draw: experiment '{name}' fine-tunes nothing; expected: comparison, layers",
    ),
}


def check_figure(key: str, figure, settings: Settings) -> Iterator[str]:
    """Check that the experiments of a figure compute what it shows."""
    if isinstance(figure, ClassesFigure):
        yield from unknown_in(f"{key}.corpora", figure.corpora, "a corpus", settings.corpora)
        for position, name in enumerate(figure.corpora):
            if name in settings.corpora and not labelled(name, settings):
                yield f"{key}.corpora.{position}: '{name}' has no labels; expected: corpora with labels"
    for role, name in figure.experiments.items():
        yield from unknown(f"{key}.{role}", name, "an experiment", settings.experiments)
        if name in settings.experiments:
            yield from check_panel(key, role, name, figure.panels[role], settings)
    if isinstance(figure, ScoreFigure) and figure.score and figure.experiment in settings.experiments:
        yield from check_score(key, figure, settings.experiments[figure.experiment], settings)


def check_panel(key: str, role: str, name: str, panel: Panel, settings: Settings) -> Iterator[str]:
    """Check that an experiment meets the requirements of a panel."""
    experiment = settings.experiments[name]
    swept = {next(iter(entry.sweep)) for entry in experiment.models if entry.sweep}
    if panel.swept and swept != {panel.swept}:
        found = ", ".join(sorted(swept)) or "nothing"
        yield f"{key}.{role}: '{name}' sweeps {found}; expected: an experiment that sweeps {panel.swept}"
    for need in panel.needs:
        has, message = NEEDS[need]
        if not has(experiment):
            yield f"{key}.{message.format(role=role, name=name)}"
    if panel.pooling and panel.pooling not in scored_poolings(experiment, settings):
        yield f"{key}.{role}: '{name}' has no pooling '{panel.pooling}'; expected: an experiment with this pooling"


def check_score(key: str, figure: ScoreFigure, experiment, settings: Settings) -> Iterator[str]:
    """Check that an experiment computes the score of a figure with its pooling."""
    computed, others = settings.numbers(experiment), not_fractions(experiment, settings)
    if figure.score in others:
        shown = ", ".join(name for name in computed if name not in others)
        yield f"{key}.score: '{figure.score}' is not a fraction of 1, which figures show in per cent; expected: {shown}"
    if figure.score not in computed:
        yield (
            f"{key}.score: '{figure.score}' is not computed by '{figure.experiment}'; "
            f"expected: {', '.join(computed) or 'another experiment'}"
        )
    if isinstance(figure, ComparisonFigure) and isinstance(experiment.layers, list):
        for name in dict.fromkeys(entry.encoder for entry in experiment.models):
            last = settings.encoders[name].layers if name in settings.encoders else 0
            if max(experiment.layers) < last:
                yield (
                    f"{key}.draw: 'comparison' shows layer {last} of '{name}', which is not scored; "
                    "expected: layers, losses"
                )
    scored = scored_poolings(experiment, settings)
    if scored and figure.pooling not in scored:
        yield f"{key}.pooling: '{figure.pooling}' is not scored by '{figure.experiment}'; expected: {', '.join(scored)}"


def check_pages(settings: Settings) -> Iterator[str]:
    """Check that a corpus has at most one interactive map, whose file is named after it."""
    owners: dict[str, str] = {}
    for name, figure in settings.figures.items():
        if isinstance(figure, InteractiveMapFigure) and figure.experiment in settings.experiments:
            for corpus in settings.experiments[figure.experiment].corpora:
                owner = owners.setdefault(corpus, name)
                if owner != name:
                    yield (
                        f"figures.{name}.experiment: '{corpus}' already has a map, figure '{owner}'; "
                        "expected: one interactive map per corpus"
                    )


def not_fractions(experiment, settings: Settings) -> set[str]:
    """Return the scores of an experiment that are not fractions of 1."""
    return {
        name for name, number in settings.numbers(experiment).items() if not measures.MEASURES[number.measure].fraction
    }


def check_table(key: str, table, settings: Settings) -> Iterator[str]:
    """Check the names in a table and that its axes differ."""
    if isinstance(table, CorporaTable):
        yield from unknown_in(f"{key}.corpora", table.corpora, "a corpus", settings.corpora)
        return
    yield from unknown(f"{key}.experiment", table.experiment, "an experiment", settings.experiments)
    if table.experiment in settings.experiments:
        computed = settings.numbers(settings.experiments[table.experiment])
        yield from unknown_in(f"{key}.scores", table.scores, "a score of this experiment", computed)
    if isinstance(table, ScoresTable) and table.rows == table.columns:
        yield f"{key}.columns: '{table.columns}' is already in the rows; expected: another axis"


def scored_poolings(experiment, settings: Settings) -> list[str]:
    """Return the poolings that entries of an experiment are scored with; empty if all are bags of words."""
    found = {}
    for entry in experiment.models:
        if not isinstance(settings.encoders.get(entry.encoder), BagOfWords):
            found |= dict.fromkeys(entry.poolings or experiment.poolings)
    return list(found)
