"""What types alone cannot say: names that must exist, and combinations that cannot work; one line for each problem."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from selfembed.errors import InputError
from selfembed.models import token7
from selfembed.scores import measures
from selfembed.settings.corpora import DERIVED, CropsSource, RelabelledSource, SampleSource
from selfembed.settings.encoders import (
    BAGS_OF_WORDS,
    EMBEDDINGS_ALONE,
    FETCHED,
    BorrowedTokenizer,
    EmbeddingLayerEncoder,
    RandomEncoder,
    TfidfEncoder,
    TrainedTokenizer,
)
from selfembed.settings.recipes import Dropout, WholeText
from selfembed.settings.schema import Settings
from selfembed.settings.scores import CropPairs, Knn, LocalTask, Split, score_names
from selfembed.study.expansion import texts_of, trained_on, variants
from selfembed.study.messages import did_you_mean

SWEPT = {
    "freezing": "unfrozen_layers",
    "temperature": "temperature",
    "sentences": "augmentation.sentences",
    "masking": "augmentation.mask_fraction",
    "learning_rate": "learning_rate",
}
TABLE_SUFFIXES = ("_summary", "_losses", "_maps")


def check(settings: Settings) -> Iterator[str]:
    """Yield one line for every name that does not exist and every combination that cannot work."""
    for name, corpus in settings.corpora.items():
        if isinstance(corpus.source, DERIVED):
            yield from check_derived(f"corpora.{name}", corpus, settings)
        if isinstance(corpus.source, SampleSource):
            yield from check_sample_size(f"corpora.{name}", corpus.source, settings)
        if corpus.expect:
            yield from check_expected(name, corpus, settings)
    for name, encoder in settings.encoders.items():
        yield from check_encoder(f"encoders.{name}", encoder, settings)
    for name, task in settings.tasks.items():
        if name in settings.corpora:
            yield f"tasks.{name}: is a corpus, too; allowed: another name"
        if isinstance(task, LocalTask):
            yield from check_local_task(f"tasks.{name}", task, settings)
    for name, experiment in settings.experiments.items():
        if name.endswith(TABLE_SUFFIXES):
            endings = ", ".join(map(repr, TABLE_SUFFIXES))
            yield f"experiments.{name}: names that end in {endings} are tables'; allowed: another name"
        yield from check_experiment(f"experiments.{name}", experiment, settings)
    for name, score in settings.scores.items():
        for other in score_names(name, score):
            if other != name and other in settings.scores:
                yield f"scores.{other}: the name is that of a number of score '{name}'; allowed: another name"
    for name, figure in settings.figures.items():
        yield from check_figure(f"figures.{name}", figure, settings)
    yield from check_pages(settings)
    for name, table in settings.tables.items():
        yield from check_table(f"tables.{name}", table, settings)
    yield from check_markup("", settings.model_dump(mode="json"))


def check_markup(key: str, item: Any) -> Iterator[str]:
    """One line for every text that would end or begin a script in the report: Snakemake does not escape parameters."""
    if isinstance(item, dict | list):
        for name, part in item.items() if isinstance(item, dict) else enumerate(item):
            yield from check_markup(f"{key}.{name}".removeprefix("."), part)
    elif isinstance(item, str) and re.search(r"</?script|<!--", item, flags=re.IGNORECASE):
        yield f"{key}: {item!r} has markup; allowed: text without <script, </script and <!--"


def unknown(key: str, name: str, kind: str, known: Iterable[str]) -> Iterator[str]:
    """One line if `name` is not among the known names."""
    known = list(known)
    if name not in known:
        allowed = ", ".join(known) or "none is defined"
        yield f"{key}: '{name}' is not {kind}; allowed: {allowed}{did_you_mean(name, known)}"


# Corpora, encoders, tasks -------------------------------------------------------------------------------------


def labelled(name: str, settings: Settings) -> bool:
    """Whether a corpus has labels; a derived one has those of the corpus it is made from."""
    found = settings.corpora.get(original(name, settings))
    return found is not None and getattr(found.source, "labelled", False)


def check_derived(key: str, corpus, settings: Settings) -> Iterator[str]:
    """A derived corpus is made from one that is not, crops also from a sample, and cleaned like it."""
    originals = [name for name, other in settings.corpora.items() if not isinstance(other.source, DERIVED)]
    if isinstance(corpus.source, CropsSource):
        samples = [name for name, other in settings.corpora.items() if isinstance(other.source, SampleSource)]
        kind, allowed = "a corpus with a source of its own, or a sample", originals + samples
    else:
        kind, allowed = "a corpus with a source of its own", originals
    yield from unknown(f"{key}.source.corpus", corpus.source.corpus, kind, allowed)
    for name in ("minimum_length", "minimum_label_count", "deduplicate"):
        if name in corpus.model_fields_set:
            yield f"{key}.{name}: '{corpus.source.corpus}' is cleaned already; allowed: drop this key"
    if (
        isinstance(corpus.source, RelabelledSource)
        and corpus.source.corpus in originals
        and not labelled(corpus.source.corpus, settings)
    ):
        yield f"{key}.source.corpus: '{corpus.source.corpus}' has no labels; allowed: a corpus with labels"


def check_sample_size(key: str, source: SampleSource, settings: Settings) -> Iterator[str]:
    """A sample is no larger than what is expected of the corpus it is drawn from."""
    other = settings.corpora.get(source.corpus)
    most = other.expect.rows if other and other.expect else None
    if most is not None and source.size > most:
        expected = f"corpora.{source.corpus}.expect.rows"
        yield f"{key}.source.size: {source.size}, but {expected} is {most}; allowed: at most {most}"


def check_expected(name: str, corpus, settings: Settings) -> Iterator[str]:
    """What is expected of a corpus fits its source, and what is expected of the corpus it is made from."""
    key, expect, source = f"corpora.{name}.expect", corpus.expect, corpus.source
    if (expect.labelled or expect.classes) and not labelled(name, settings):
        yield f"{key}: '{name}' has no labels; allowed: rows alone"
    if isinstance(source, SampleSource) and expect.rows not in (None, source.size):
        yield f"{key}.rows: {expect.rows} is not the sample's size; allowed: {source.size}"
    other = settings.corpora.get(source.corpus) if isinstance(source, RelabelledSource | SampleSource) else None
    if other is None or other.expect is None:
        return
    for number in ("rows", "labelled", "classes"):
        found, most = getattr(expect, number), getattr(other.expect, number)
        if found is None or most is None or (isinstance(source, SampleSource) and number == "rows"):
            continue  # the rows of a sample are its size
        kept = isinstance(source, RelabelledSource) and number != "classes"  # other labels, the same texts
        if found > most or (kept and found != most):
            allowed = most if kept else f"at most {most}"
            yield f"{key}.{number}: {found}, but corpora.{source.corpus}.expect.{number} is {most}; allowed: {allowed}"


def check_encoder(key: str, encoder, settings: Settings) -> Iterator[str]:
    """Tokenizers and embeddings come from what has them."""
    with_tokenizer = [name for name, other in settings.encoders.items() if isinstance(other, FETCHED)]
    if isinstance(encoder, EMBEDDINGS_ALONE):
        owners = [name for name, other in settings.encoders.items() if isinstance(other, (*FETCHED, RandomEncoder))]
        yield from unknown(f"{key}.of", encoder.of, "a pretrained or random encoder", owners)
    elif isinstance(encoder, RandomEncoder):
        match encoder.tokenizer:
            case TrainedTokenizer(train_on=corpus):
                yield from unknown(f"{key}.tokenizer.train_on", corpus, "a corpus", settings.corpora)
            case BorrowedTokenizer(borrow_from=lender):
                yield from unknown(f"{key}.tokenizer.borrow_from", lender, "a pretrained encoder", with_tokenizer)


def check_local_task(key: str, task: LocalTask, settings: Settings) -> Iterator[str]:
    """A task is made from a labelled corpus; retrieval from one with titles."""
    if task.corpus is None:
        return
    yield from unknown(f"{key}.corpus", task.corpus, "a corpus", settings.corpora)
    if task.corpus not in settings.corpora:
        return
    if not labelled(task.corpus, settings):
        yield f"{key}.corpus: '{task.corpus}' has no labels; allowed: a corpus with labels"
    if task.type == "retrieval" and getattr(settings.corpora[task.corpus].source, "title", "title") is None:
        yield f"{key}.corpus: '{task.corpus}' has no titles, which retrieval needs; allowed: a corpus with titles"


# Experiments --------------------------------------------------------------------------------------------------


def check_experiment(key: str, experiment, settings: Settings) -> Iterator[str]:
    """Corpora, tasks and scores exist; entries name encoders, recipes, layers and poolings that fit together."""
    for position, corpus in enumerate(experiment.corpora):
        yield from unknown(f"{key}.corpora.{position}", corpus, "a corpus", settings.corpora)
        if corpus in settings.corpora:
            yield from check_suited(f"{key}.corpora.{position}", corpus, experiment, settings)
    for position, task in enumerate(experiment.tasks):
        yield from unknown(f"{key}.tasks.{position}", task, "a task", settings.tasks)
    for position, score in enumerate(experiment.scores):
        yield from unknown(f"{key}.scores.{position}", score, "a score", settings.scores)
    for position, entry in enumerate(experiment.models):
        yield from check_entry(key, position, entry, experiment, settings)


def check_suited(key: str, name: str, experiment, settings: Settings) -> Iterator[str]:
    """A corpus is one that all scores of an experiment can be computed on; one line if it is not."""
    scores = {score: settings.scores[score] for score in experiment.scores if score in settings.scores}
    of_crops = isinstance(settings.corpora[name].source, CropsSource)
    of_pairs = [score for score, found in scores.items() if isinstance(found, CropPairs)]
    of_labels = [score for score, found in scores.items() if isinstance(found, Split)]
    if of_pairs and not of_crops:
        yield f"{key}: corpus '{name}' has no crops, which '{of_pairs[0]}' looks for; allowed: corpora of type crops"
    if of_labels and of_crops:
        yield (
            f"{key}: corpus '{name}' has two crops of every text, which would vote for each other in '{of_labels[0]}'; "
            "allowed: scores of type crop_pairs"
        )
    elif of_labels and not labelled(name, settings):
        yield (
            f"{key}: corpus '{name}' has no labels, which kNN accuracy needs; allowed: a corpus with labels (set "
            f"corpora.{name}.source.label), or one of type crops made of it, with a score of type crop_pairs"
        )


def check_entry(experiment_key: str, position: int, entry, experiment, settings: Settings) -> Iterator[str]:
    """One model entry of an experiment; what the experiment sets for all its entries is reported at its own key."""
    key = f"{experiment_key}.models.{position}"
    yield from unknown(f"{key}.encoder", entry.encoder, "an encoder", settings.encoders)
    if entry.recipe is not None:
        yield from unknown(f"{key}.recipe", entry.recipe, "a recipe", settings.recipes)
    if entry.train_on is not None:
        yield from unknown(f"{key}.train_on", entry.train_on, "a corpus", settings.corpora)
    for place, corpus in enumerate(entry.corpora or []):
        yield from unknown(f"{key}.corpora.{place}", corpus, "a corpus of the experiment", experiment.corpora)
    for setting in ("train_on", "steps", "sweep"):
        if getattr(entry, setting) and entry.recipe is None:
            yield f"{key}.{setting}: needs a recipe; allowed: add '{key}.recipe' or drop this key"
    if entry.mteb and not experiment.tasks:
        yield f"{key}.mteb: the experiment has no tasks; allowed: drop this key"
    if entry.color and entry.sweep:
        yield f"{key}.color: one colour for a sweep; allowed: drop this key, every combination gets its own colour"
    if experiment.maps and len(set(entry.poolings or experiment.poolings)) > 1:
        holder = key if entry.poolings else experiment_key
        yield f"{holder}.poolings: maps are of one pooling; allowed: one, or maps: false"
    if experiment.tasks and entry.recipe is not None and entry.train_on is None:
        yield f"{key}.train_on: missing; tasks have no training texts; allowed: a corpus to fine-tune on"
    if entry.encoder not in settings.encoders:
        return
    encoder = settings.encoders[entry.encoder]
    if isinstance(encoder, BAGS_OF_WORDS):
        yield from check_bag_of_words(key, entry, encoder, experiment, settings)
        return
    if entry.recipe in settings.recipes:
        try:
            for recipe, _, _ in variants(entry, settings, key):
                yield from check_shares(key, recipe, settings)
                yield from check_recipe(key, entry, recipe, encoder, experiment, settings)
        except InputError as error:
            yield str(error)
    yield from check_layers_and_poolings(experiment_key, key, entry, encoder, experiment)


def check_shares(key: str, recipe, settings: Settings) -> Iterator[str]:
    """The devices of a run have equal parts of every batch."""
    if recipe.batch_size % settings.devices_per_run:
        yield (
            f"{key}.recipe: batch_size {recipe.batch_size} cannot be shared equally; allowed with devices_per_run "
            f"{settings.devices_per_run}: its multiples"
        )


def check_bag_of_words(key: str, entry, encoder, experiment, settings: Settings) -> Iterator[str]:
    """A bag of words has no weights, no tokens and, as TF-IDF, only sparse vectors."""
    name = entry.encoder
    if entry.recipe is not None:
        yield f"{key}.recipe: bag of words '{name}' cannot be fine-tuned; allowed: no recipe"
    if entry.poolings is not None:
        yield f"{key}.poolings: bag of words '{name}' has no token vectors to pool; allowed: drop this key"
    if experiment.tasks:
        yield f"{key}.encoder: bag of words '{name}' cannot be scored on tasks; allowed: other encoders"
    if isinstance(encoder, TfidfEncoder):
        if experiment.maps:
            yield f"{key}.encoder: TF-IDF vectors are too many-dimensional for maps; allowed: an encoder of type svd"
        for score in experiment.scores:
            if isinstance(found := settings.scores.get(score), Knn) and found.transform != "none":
                yield f"{key}.encoder: TF-IDF vectors cannot be {found.transform} ('{score}'); allowed: type svd"


def check_recipe(key: str, entry, recipe, encoder, experiment, settings: Settings) -> Iterator[str]:
    """A recipe, or one of a sweep, makes pairs that differ, has layers to train, is scored on what it has not seen."""
    where = f"{key}.sweep" if entry.sweep else f"{key}.recipe"
    augmentation = recipe.augmentation
    relies_on_dropout = isinstance(augmentation, Dropout | WholeText) and augmentation.mask_fraction == 0
    if relies_on_dropout and without_dropout(encoder, settings):
        yield f"{where}: encoder '{entry.encoder}' has no dropout, so its pairs would not differ; allowed: crops"
    if recipe.unfrozen_layers is not None and recipe.unfrozen_layers > encoder.layers:
        yield (
            f"{where}: encoder '{entry.encoder}' has no {recipe.unfrozen_layers} layers to unfreeze; "
            f"allowed: 0 to {encoder.layers}"
        )
    for corpus in entry.corpora or experiment.corpora:
        source = settings.corpora[corpus].source if corpus in settings.corpora else None
        if isinstance(source, CropsSource):
            yield from check_unseen(where, key, entry, recipe, corpus, settings)
        elif recipe.held_out:
            yield from check_held_out(where, key, entry, recipe, corpus, experiment, settings)


def check_unseen(where: str, key: str, entry, recipe, name: str, settings: Settings) -> Iterator[str]:
    """Crops are of texts that a recipe does not train on: those that it holds out, or of another corpus."""
    source = settings.corpora[name].source
    trained = trained_on(entry, name, settings)
    if original(trained, settings) != original(source.corpus, settings):
        return
    if texts_of(trained, settings) != source.corpus:
        yield (
            f"{key}.train_on: '{trained}' has texts of '{source.corpus}', whose texts the crops of '{name}' may be of; "
            "allowed: drop this key"
        )
    elif recipe.held_out != source.held_out or not source.held_out:
        needed = source.held_out or 0.1
        problem = f"'{entry.recipe}' trains on texts of '{source.corpus}' that the crops of '{name}' are of"
        also = "" if source.held_out else f" and in corpora.{name}.source"
        yield f"{where}: {problem}; allowed: held_out: {needed} in the recipe{also}"


def original(name: str, settings: Settings) -> str:
    """The corpus that a derived one is made from, by way of another or not; itself, if it is not derived."""
    for _ in settings.corpora:  # a wrong config may go round in circles
        if name not in settings.corpora or not isinstance(settings.corpora[name].source, DERIVED):
            break
        name = settings.corpora[name].source.corpus
    return name


def check_held_out(where: str, key: str, entry, recipe, corpus: str, experiment, settings: Settings) -> Iterator[str]:
    """What a recipe holds out is what every score tests: a part of the same texts, split in the same way."""
    for name in experiment.scores:
        score = settings.scores.get(name)
        if not isinstance(score, Split):
            continue
        if (score.split, score.test_fraction, score.split_seed) != ("all", recipe.held_out, 42):
            yield (
                f"{where}: '{entry.recipe}' holds out {recipe.held_out} of all texts, but score '{name}' tests "
                f"others; allowed: a score with split: all, test_fraction: {recipe.held_out}, split_seed: 42"
            )
    if texts_of(trained_on(entry, corpus, settings), settings) != texts_of(corpus, settings):
        yield (
            f"{key}.train_on: what '{entry.recipe}' holds out of '{entry.train_on}' is not what scores on "
            f"'{corpus}' test; allowed: drop this key, or a recipe without held_out"
        )


def without_dropout(encoder, settings: Settings) -> bool:
    """Whether an encoder embeds a text the same way every time, in training too."""
    if isinstance(encoder, EmbeddingLayerEncoder):
        return True
    owner = settings.encoders.get(encoder.of) if isinstance(encoder, EMBEDDINGS_ALONE) else encoder
    return isinstance(owner, RandomEncoder) and owner.architecture.dropout == 0


def check_layers_and_poolings(experiment_key: str, key: str, entry, encoder, experiment) -> Iterator[str]:
    """An encoder has the layers and tokens that are asked for."""
    poolings = entry.poolings or experiment.poolings
    holder = key if entry.poolings else experiment_key
    if "token7" in poolings and encoder.max_length < token7.SHORTEST:
        yield (
            f"{holder}.poolings: encoder '{entry.encoder}' has no 'token7' (its max_length is {encoder.max_length}); "
            "allowed: mean, cls, last"
        )
    if "token7" in poolings and experiment.tasks:
        yield f"{holder}.poolings: tasks are not scored with 'token7'; allowed: mean, cls, last"
    if isinstance(experiment.layers, list):
        for layer in experiment.layers:
            if layer > encoder.layers:
                yield (
                    f"{experiment_key}.layers: encoder '{entry.encoder}' has no layer {layer}; "
                    f"allowed: 0 to {encoder.layers}"
                )


# Figures and tables -------------------------------------------------------------------------------------------


def check_figure(key: str, figure, settings: Settings) -> Iterator[str]:
    """A figure shows what its experiments compute."""
    if figure.draw == "classes":
        yield from check_corpora(key, figure.corpora, settings)
        for position, name in enumerate(figure.corpora):
            if name in settings.corpora and not labelled(name, settings):
                yield f"{key}.corpora.{position}: '{name}' has no labels; allowed: corpora with labels"
    for role, name in figure.experiments.items():
        yield from unknown(f"{key}.{role}", name, "an experiment", settings.experiments)
        if name in settings.experiments and role == "experiment":
            yield from check_shown(key, figure, settings.experiments[name], settings)
        elif name in settings.experiments:
            yield from check_role(f"{key}.{role}", role, name, settings.experiments[name], settings)


def check_role(key: str, role: str, name: str, experiment, settings: Settings) -> Iterator[str]:
    """An experiment varies what its panel shows."""
    if role in SWEPT:
        swept = {next(iter(entry.sweep)) for entry in experiment.models if entry.sweep}
        if swept != {SWEPT[role]}:
            found = ", ".join(sorted(swept)) or "nothing"
            yield f"{key}: '{name}' sweeps {found}; allowed: an experiment that sweeps {SWEPT[role]}"
    elif experiment.layers == "last":
        yield f"{key}: '{name}' scores last layers alone; allowed: an experiment with layers: all, or several"
    if role == "benchmark" and not experiment.tasks:
        yield f"{key}: '{name}' has no tasks; allowed: an experiment with tasks"
    if role != "benchmark" and not experiment.corpora:
        yield f"{key}: '{name}' has no corpora; allowed: an experiment with a corpus"
    if role in ("freezing", "layers", "benchmark") and "mean" not in scored_poolings(experiment, settings):
        yield f"{key}: '{name}' has no pooling 'mean', which is shown; allowed: an experiment with it"


def check_shown(key: str, figure, experiment, settings: Settings) -> Iterator[str]:
    """A figure of one experiment shows what that experiment computes."""
    if figure.draw == "losses":
        if not any(entry.recipe for entry in experiment.models):
            yield f"{key}.draw: experiment '{figure.experiment}' fine-tunes nothing; allowed: comparison, layers"
        return
    if figure.draw == "benchmark_steps":
        if not experiment.tasks:
            yield f"{key}.experiment: '{figure.experiment}' has no tasks; allowed: an experiment with tasks"
        return
    if figure.draw in ("maps", "interactive_map") and not experiment.maps:
        yield f"{key}.experiment: '{figure.experiment}' computes no maps; allowed: an experiment with maps: true"
    if figure.draw == "interactive_map" or (figure.draw == "maps" and figure.score is None):
        return
    computed = computed_scores(experiment, settings)
    if figure.score in not_fractions(experiment, settings):
        shown = ", ".join(name for name in computed if name not in not_fractions(experiment, settings))
        yield f"{key}.score: '{figure.score}' is no part of 1, which figures show in per cent; allowed: {shown}"
    if figure.score not in computed:
        yield (
            f"{key}.score: '{figure.score}' is not computed by '{figure.experiment}'; "
            f"allowed: {', '.join(computed) or 'another experiment'}"
        )
    if figure.draw == "comparison" and isinstance(experiment.layers, list):
        for name in dict.fromkeys(entry.encoder for entry in experiment.models):
            last = getattr(settings.encoders.get(name), "layers", None)
            if last is not None and max(experiment.layers) < last:
                yield f"{key}.draw: 'comparison' shows layer {last} of '{name}', not scored; allowed: layers, losses"
    scored = scored_poolings(experiment, settings)
    if scored and figure.pooling not in scored:
        yield f"{key}.pooling: '{figure.pooling}' is not scored by '{figure.experiment}'; allowed: {', '.join(scored)}"


def check_pages(settings: Settings) -> Iterator[str]:
    """A corpus has one interactive map, which is called after it."""
    owners: dict[str, str] = {}
    for name, figure in settings.figures.items():
        if figure.draw == "interactive_map" and figure.experiment in settings.experiments:
            for corpus in settings.experiments[figure.experiment].corpora:
                owner = owners.setdefault(corpus, name)
                if owner != name:
                    yield (
                        f"figures.{name}.experiment: the map of '{corpus}' is figure '{owner}'s; "
                        "allowed: one interactive map of a corpus"
                    )


def computed_scores(experiment, settings: Settings) -> list[str]:
    """What tables call the scores that an experiment computes."""
    on_corpora = experiment.scores if experiment.corpora else []
    known = [score_names(name, settings.scores[name]) for name in on_corpora if name in settings.scores]
    return [name for names in known for name in names] + (["mteb"] if experiment.tasks else [])


def not_fractions(experiment, settings: Settings) -> set[str]:
    """Those scores of an experiment that are no parts of 1."""
    others = [name for name, measure in measures.MEASURES.items() if not measure.fraction]
    crop_pairs = [name for name in experiment.scores if isinstance(settings.scores.get(name), CropPairs)]
    return {measures.score_name(name, other) for name in crop_pairs for other in others}


def check_table(key: str, table, settings: Settings) -> Iterator[str]:
    """A table shows what exists, along two different axes."""
    if table.lay_out == "corpora":
        yield from check_corpora(key, table.corpora, settings)
        return
    yield from unknown(f"{key}.experiment", table.experiment, "an experiment", settings.experiments)
    if table.experiment in settings.experiments:
        computed = computed_scores(settings.experiments[table.experiment], settings)
        for position, score in enumerate(table.scores):
            yield from unknown(f"{key}.scores.{position}", score, "a score of this experiment", computed)
    if table.lay_out == "scores" and table.rows == table.columns:
        yield f"{key}.columns: '{table.columns}' is in the rows already; allowed: another axis"


def check_corpora(key: str, names: list[str], settings: Settings) -> Iterator[str]:
    """Corpora that a figure or table describes exist."""
    for position, name in enumerate(names):
        yield from unknown(f"{key}.corpora.{position}", name, "a corpus", settings.corpora)


def scored_poolings(experiment, settings: Settings) -> list[str]:
    """Every pooling that some entry of an experiment is scored with; none if all are bags of words."""
    found = {}
    for entry in experiment.models:
        if not isinstance(settings.encoders.get(entry.encoder), BAGS_OF_WORDS):
            found |= dict.fromkeys(entry.poolings or experiment.poolings)
    return list(found)
