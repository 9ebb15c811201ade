"""What the rules share: the checked settings, the study they expand to, and helpers. No rules here."""

import csv
import json
import os
import re
import shlex
import sys
from functools import cache
from importlib.metadata import packages_distributions
from math import ceil
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from selfembed.errors import InputError
from selfembed.models import model_paths
from selfembed.tasks import task_files
from selfembed.texts import text_files
from selfembed.study import adapted, claimed
from selfembed.workflow import code as code_files
from selfembed.study import expansion
from selfembed.study import files as config_files
from selfembed.study.expansion import Model
from selfembed.study.checks import labelled
from selfembed.workflow.flags import flags, measures
from selfembed.workflow.paths import braced
from selfembed.settings.corpora import (
    CropsSource,
    DerivedSource,
    FolderSource,
    HubSource,
    IclrSource,
    PythonDocsSource,
    RelabelledSource,
    SampleSource,
    UrlSource,
)
from selfembed.settings.encoders import (
    BagOfWords,
    EmbeddingLayerEncoder,
    EmbeddingsAlone,
    FolderEncoder,
    HubEncoder,
    PackageEncoder,
    RandomEncoder,
    TrainedTokenizer,
)
from selfembed.settings.scores import CropPairs, Knn, Linear, Mteb, RegistryTask, Split
from selfembed.settings.figures import DifferencesTable
from selfembed.jobs.options import defaults
from selfembed.jobs.packages import installed_version
from selfembed.study.validation import check_target_names, load, missing_sources

# Only download_* rules use the network; jobs inherit this.
os.environ.update(HF_HUB_OFFLINE="1")

try:
    config_files.check(workflow.configfiles)
    settings = load(config)
    study = expansion.expand(settings)
    check_target_names(
        settings,
        taken={"adapt", "all", "claims", "download", "published"}
        | {path.stem for path in Path(workflow.basedir, "scripts").glob("*.py")},
    )
    missing_sources(settings)
except InputError as error:
    sys.exit("\n".join(f"config error: {line}" for line in str(error).splitlines()))


wildcard_constraints:
    corpus="|".join(settings.corpora),
    encoder="|".join(settings.encoders),
    experiment="|".join(settings.experiments),
    augmentation="|".join(map(re.escape, study.pairs)) or "none-of-this-kind",
    recipe="|".join(map(re.escape, study.recipes)) or "none-of-this-kind",
    selection=r"[^/]+",
    step=r"\d+|epoch-\d+|final",
    task="|".join(settings.tasks) or "none-of-this-kind",
    pooling=r"mean|cls|last",
    layer=r"\d+",
    seed=r"\d+",
    epochs=r"\d+",
    model=r"base/[a-z0-9_]+(/seed-\d+)?|tuned/[a-z0-9_]+/[a-z0-9_]+/[^/]+/seed-\d+",


def subfolder(top):
    """A generated top-level folder, or this config's part of it."""
    return f"{top}/{settings.folder}" if settings.folder else top


def code(script):
    """An input function: a script and what it runs, so that an edit reruns what it can change.

    A function, because every job of a cluster starts snakemake: it reads the code of its rule, not of all rules.
    """
    return lambda wildcards: code_of(script)


@cache
def code_of(script):
    """The script and the library files it imports."""
    return [os.path.relpath(path) for path in code_files.code(Path(workflow.basedir, "scripts", script))]


def gpus_for_encoder(wildcards):
    """GPUs that a job with a model asks for: none for bags of words."""
    name = wildcards.get("encoder") or model_paths.identity(wildcards.model)["encoder"]
    return 0 if settings.device == "cpu" or isinstance(settings.encoders[name], BagOfWords) else 1


def gpus_of_run(wildcards):
    """GPUs that a run asks for."""
    return settings.devices_per_run * gpus_for_encoder(wildcards)


def memory(least, **factors):
    """A resource: MB that a job asks for, a least number and some per MB of named inputs; more at every attempt.

    `layer` stands for one layer of embeddings, of which scores and maps hold one at a time.
    """
    return lambda wildcards, input, attempt: growing(least, factors, wildcards, input, attempt)


def memory_of_run(least, **factors):
    """A resource: MB as by `memory`, for every device of a run."""
    return lambda wildcards, input, attempt: settings.devices_per_run * growing(
        least, factors, wildcards, input, attempt
    )


def minutes(least, **factors):
    """A resource: minutes that a job asks for, a least number and some per MB of named inputs; more at every attempt."""
    return lambda wildcards, input, attempt: growing(least, factors, wildcards, input, attempt)


def growing(least, factors, wildcards, input, attempt):
    """A least number and some per MB of named inputs, times the number of attempts."""
    needed = least
    for name, factor in factors.items():
        size = megabytes(input.embeddings if name == "layer" else input[name])
        needed += factor * (size / embedded_layers(wildcards) if name == "layer" else size)
    return attempt * ceil(needed)


def megabytes(paths):
    """Size of files, and of all files in folders."""
    found = [Path(path) for path in ([paths] if isinstance(paths, str) else paths)]
    files = [file for path in found for file in (path.rglob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files) / 1e6


def embedded_layers(wildcards):
    """How many layers, of all poolings, are in the embeddings of a model."""
    encoder = settings.encoders[model_paths.identity(wildcards.model)["encoder"]]
    if isinstance(encoder, BagOfWords):
        return 1
    poolings, layers = expansion.selected(wildcards.selection, encoder.layers)
    return len(poolings) * len(layers)


def named(group, *kinds):
    """A pattern of the names in a group of settings that are of some kinds."""
    return "|".join(name for name, item in group.items() if isinstance(item, kinds)) or "none-of-this-kind"


def corpora_from(*kinds):
    """A pattern of the names of all corpora with some kinds of source."""
    return named({name: corpus.source for name, corpus in settings.corpora.items()}, *kinds)


def cleaned_corpora():
    """A pattern of the names of all corpora that are not derived from another."""
    return "|".join(name for name, corpus in settings.corpora.items() if not isinstance(corpus.source, DerivedSource))


def encoders_of(*kinds):
    """A pattern of the names of all encoders of some kinds."""
    return named(settings.encoders, *kinds)


# Corpora and tasks


def url_source(wildcards):
    """Address and checksum of a corpus on the web."""
    source = settings.corpora[wildcards.corpus].source
    return source.resolved if isinstance(source, IclrSource) else source


def corpus_source(wildcards):
    """The raw file of a corpus."""
    return settings.corpora[wildcards.corpus].source.raw_file(wildcards.corpus)


def corpus_flags(wildcards):
    """How a raw file is read and cleaned."""
    corpus = settings.corpora[wildcards.corpus]
    columns = flags(corpus.source.columns, omit=("type", "path", "url", "sha256", "git_blob"))
    return f"{columns} {flags(corpus, omit=('source', 'expect', 'seeds'))}"


def expected(wildcards):
    """What a corpus must have, as flags."""
    expect = settings.corpora[wildcards.corpus].expect
    numbers = {} if expect is None else expect.model_dump(exclude_none=True)
    return " ".join(f"--expect-{name} {number}" for name, number in numbers.items())


def expected_of_made(wildcards, output):
    """What a corpus that is made must have, as flags.

    A function of `output`, whose changes rerun nothing: what is expected changes no corpus. Where a corpus exists
    already, its description is made anew, and checks it.
    """
    return expected(wildcards)


def corpus_origin(wildcards):
    """The file that says which revision a corpus of the hub is of."""
    source = settings.corpora[wildcards.corpus].source
    return f"<results>/sources/{wildcards.corpus}.json" if isinstance(source, HubSource) else []


def origin_flag(wildcards, input):
    """Which revision a corpus is of, as a flag."""
    return f"--origin {input.origin}" if input.origin else ""


def folder_state(wildcards):
    """What changes when a text file in a folder of texts does: thousands of files would be too many inputs."""
    return text_files.state(Path(settings.corpora[wildcards.corpus].source.path))


def keyword_classes(wildcards):
    """The table of keywords that a corpus is labelled by."""
    return getattr(settings.corpora[wildcards.corpus].source, "keyword_classes", None) or []


def original_corpus(wildcards):
    """The corpus that another is derived from."""
    return f"<results>/corpora/{settings.corpora[wildcards.corpus].source.corpus}.parquet"


def package_versions(wildcards):
    """Versions of the packages whose docstrings are a corpus, so that it is made anew when they change."""
    distributions = packages_distributions()
    names = {distributions.get(package, [package])[0] for package in settings.corpora[wildcards.corpus].source.packages}
    return {name: installed_version(name) for name in sorted(names)}


def knn_split():
    """How the first kNN score of the config splits texts, as flags; as by default if it has no such score."""
    scores = [score for score in settings.scores.values() if isinstance(score, Knn)]
    return flags(scores[0] if scores else Split(), keep=tuple(Split.model_fields))


def downloads():
    """Everything that the config names from the network."""
    sources = {name: corpus.source for name, corpus in settings.corpora.items()}
    own = {name: source for name, source in sources.items() if not isinstance(source, DerivedSource)}
    encoders = [name for name, encoder in settings.encoders.items() if isinstance(encoder, HubEncoder)]
    tasks = [name for name, task in settings.tasks.items() if isinstance(task, RegistryTask)]
    return [
        [source.raw_file(name) for name, source in own.items() if source.downloaded],
        expand("<results>/encoders/{encoder}", encoder=encoders),
        expand("<results>/tasks/{task}", task=tasks),
    ]


def task_data(wildcards):
    """What an MTEB task is made of: its downloaded data, a corpus, or files."""
    task = settings.tasks[wildcards.task]
    if isinstance(task, RegistryTask):
        return f"<results>/tasks/{wildcards.task}"
    return f"<results>/corpora/{task.corpus}.parquet" if task.corpus else local_task_files(task)


def local_task_files(task):
    """The files of a task, so that it is scored anew when they change."""
    return [str(task_files.find(Path(task.files), name)) for name in task_files.FILES[task.type]]


def task_flags(wildcards, input):
    """What an MTEB task is, and how a model is scored by it."""
    task = settings.tasks[wildcards.task]
    if isinstance(task, RegistryTask):
        made_of = f"--data {input.data}"
    else:
        source = f"--corpus {input.data}" if task.corpus else f"--files {shlex.quote(task.files)}"
        made_of = f"--kind {task.type} {source}"
    scaling = "--normalise" if wildcards.scaling == "unit" else "--no-normalise"
    return f"{made_of} --block {task.block} --max-length {wildcards.max_length} {scaling}"


# Models


def encoder_source(wildcards):
    """The files of an encoder in a local folder and of its adapter, so that it is imported anew when they change."""
    encoder = settings.encoders[wildcards.encoder]
    if not isinstance(encoder, FolderEncoder):
        return []
    files = [path for path in Path(encoder.path).iterdir() if path.suffix in {".json", ".txt", ".safetensors"}]
    if encoder.adapter is not None:
        files += [path for path in Path(encoder.adapter).iterdir() if path.suffix in {".json", ".bin", ".safetensors"}]
    return sorted(map(str, files))


def hub_encoder_flags(wildcards):
    """Which encoder of the hub is fetched, and which adapter with it."""
    encoder = settings.encoders[wildcards.encoder]
    words = flags(encoder, omit=("type", "max_length", "adapter"))
    return words if encoder.adapter is None else f"{words} {flags(encoder.adapter, prefix='adapter-')}"


def tokenizer_folder(wildcards):
    """Where the tokenizer of a random encoder lies."""
    tokenizer = settings.encoders[wildcards.encoder].tokenizer
    if isinstance(tokenizer, TrainedTokenizer):
        return f"<results>/tokenizers/{wildcards.encoder}"
    return f"<results>/encoders/{tokenizer.borrow_from}"


def tokenizer_corpus(wildcards):
    """The corpus that a tokenizer is trained on."""
    return f"<results>/corpora/{settings.encoders[wildcards.encoder].tokenizer.train_on}.parquet"


def embeddings_owner(wildcards):
    """The base model whose embedding layer or module is a model of its own."""
    owner = settings.encoders[wildcards.encoder].of
    return f"<results>/models/base/{owner}{wildcards.seed_folder}"


def embeddings_flags(wildcards):
    """Which part of a base model is a model of its own."""
    encoder = settings.encoders[wildcards.encoder]
    part = "layer" if isinstance(encoder, EmbeddingLayerEncoder) else "module"
    return f"--part {part} --max-length {encoder.max_length}"


def run(wildcards):
    """The run that a path means."""
    return Model(wildcards.encoder, int(wildcards.seed), wildcards.corpus, wildcards.recipe)


def run_base(wildcards):
    """The base model that a run starts from."""
    return f"<results>/models/{expansion.base_of(run(wildcards), settings).path}"


def run_pairs(wildcards):
    """The pairs that a run sees."""
    recipe = study.recipes[wildcards.recipe]
    name = expansion.pairs_name(recipe)
    return f"<results>/pairs/{wildcards.corpus}/{name}/epochs-{recipe.epochs}/seed-{wildcards.seed}.parquet"


def run_pairs_settings(wildcards):
    """How the pairs that a run sees were made."""
    return run_pairs(wildcards).removesuffix(".parquet") + ".json"


def run_flags(wildcards):
    """What decides a run, besides its pairs and its seed."""
    recipe = study.recipes[wildcards.recipe]
    words = [flags(recipe, omit=("augmentation", "epochs", "held_out"))]
    words += [flags(recipe.augmentation, keep=("mask_fraction",))]
    kept = study.kept_steps.get(run(wildcards).path)
    words += [f"--keep {' '.join(kept)}"] if kept else []
    return " ".join(words)


def run_may_diverge(wildcards):
    """1 if a run that diverges is a result, since sweeps alone ask for it; 0 if it is an error."""
    return int(run(wildcards).path in study.may_diverge)


def pairs_flags(wildcards):
    """How pairs are made."""
    recipe = study.pairs[wildcards.augmentation]
    return f"{flags(recipe.augmentation, omit=('mask_fraction',))} --held-out {recipe.held_out}"


# Embeddings and scores


def corpus_with_texts(wildcards):
    """The corpus whose texts were embedded for a corpus: itself, unless it only has other labels."""
    return expansion.texts_of(wildcards.corpus, settings)


def embeddings(wildcards):
    """The embeddings of a corpus by a model."""
    where = f"{corpus_with_texts(wildcards)}/{wildcards.model}/{wildcards.step}/{wildcards.selection}"
    return f"<results>/embeddings/{where}"


def embedding_flags(wildcards):
    """What is embedded of a model: the poolings and layers that a selection names, and how long texts may be."""
    encoder = settings.encoders[model_paths.identity(wildcards.model)["encoder"]]
    if isinstance(encoder, BagOfWords):
        return ""
    poolings, layers = (words.split("-") for words in wildcards.selection.split("_"))
    words = ["--layers", *layers, "--poolings", *poolings, "--max-length", str(encoder.max_length)]
    return (
        f"{shlex.join(words)} {flags(settings.embedding)} --device {settings.device} --threads {settings.threads.embed}"
    )


def score_flags(wildcards):
    """Name and settings of a score on a corpus."""
    score = flags(settings.scores[wildcards.score], omit=("type",))
    return f"--score {wildcards.score} {score} --threads {settings.threads.score}"


def scored_experiments():
    """The experiments that have scores; others are for maps alone."""
    return [name for name in settings.experiments if scored(name)]


def scored(experiment):
    """The evaluations of an experiment that are scores."""
    return [evaluation for evaluation in study.experiments[experiment] if evaluation.score]


def score_files(wildcards):
    """The score files of an experiment."""
    return [f"<results>/scores/{evaluation.path}.csv" for evaluation in scored(wildcards.experiment)]


def score_entries(wildcards, input):
    """Every label of an experiment with what it is made of and its score files, as flags."""
    return line_entries(scored(wildcards.experiment), input.scores)


def line_entries(evaluations, paths):
    """Every label with what it is made of and the files of its evaluations, as flags."""
    files = {}
    for evaluation, path in zip(evaluations, paths, strict=True):
        files.setdefault(evaluation.line, []).append(path)
    entries = []
    for line, paths in files.items():
        x = "" if line.x is None else expansion.spelled(line.x)
        words = shlex.join([line.label, line.series, x, line.group or ""])
        entries.append(f"--entry {words} {' '.join(braced(paths))}")
    return " ".join(entries)


def labelled_runs(wildcards):
    """(label, model path) of every run of an experiment, each once."""
    evaluations = study.experiments[wildcards.experiment]
    return list(dict.fromkeys((item.line.label, item.model.path) for item in evaluations if item.model.recipe))


def run_folders(wildcards):
    """The folders of an experiment's runs, label by label."""
    return [f"<results>/models/{path}" for _, path in labelled_runs(wildcards)]


def run_entries(wildcards, input):
    """Every label of an experiment with its run folders, as flags."""
    folders = {}
    for (label, _), folder in zip(labelled_runs(wildcards), input.runs, strict=True):
        folders.setdefault(label, []).append(folder)
    return " ".join(f"--entry {shlex.quote(label)} {' '.join(braced(runs))}" for label, runs in folders.items())


def mapped(wildcards):
    """The evaluations of an experiment whose embeddings are mapped."""
    return expansion.mapped(study.experiments[wildcards.experiment], settings)


def map_files(wildcards):
    """The maps of an experiment."""
    return [map_file(item) for item in mapped(wildcards)]


def map_file(item):
    """The map of an evaluation's embeddings."""
    return f"<results>/maps/{item.on}/{item.model.path}/{item.step}/{item.selection}.parquet"


def map_names(wildcards):
    """Label and corpus of every map of an experiment, as flags."""
    items = mapped(wildcards)
    series, corpora = [item.line.series for item in items], [item.on for item in items]
    return f"--series {shlex.join(series)} --corpora {shlex.join(corpora)}"


# Figures and tables. A figure called `published/…` is drawn from the published numbers.


def figures_drawn_as(kind):
    """A pattern of the names of all figures of a kind, and of their published counterparts."""
    names = [name for name, figure in settings.figures.items() if figure.draw == kind]
    return f"(published/)?({'|'.join(names) or 'none-of-this-kind'})"


def tables_laid_out_as(kind):
    """A pattern of the names of all tables of a kind."""
    return "|".join(name for name, table in settings.tables.items() if table.lay_out == kind) or "none-of-this-kind"


def figure_files(figure):
    """The files of a figure."""
    shown = settings.figures.get(figure)
    if shown and shown.draw == "interactive_map":
        return [f"<figures>/maps/{corpus}.html" for corpus, owner in interactive_maps().items() if owner is shown]
    return [f"<figures>/{figure}.png", f"<figures>/{figure}.pdf"]


def table_files(table):
    """The files of a table."""
    return [f"<figures>/{table}.csv", f"<figures>/{table}.tex"]


def figure_settings(wildcards):
    """The settings of a figure."""
    return settings.figures[wildcards.figure.removeprefix("published/")]


def experiment_table(key="experiment", suffix=""):
    """An input function: the table of the experiment that a figure names under a key; nothing if it names none."""

    def path(wildcards):
        name = getattr(figure_settings(wildcards), key)
        folder = "published" if wildcards.figure.startswith("published/") else "tables"
        return f"<results>/{folder}/{name}{suffix}.csv" if name else []

    return path


def published_table(key="experiment"):
    """An input function: the published numbers to mark in a figure; nothing if there are none."""

    def path(wildcards):
        name = getattr(figure_settings(wildcards), key)
        wanted = settings.published and name and not wildcards.figure.startswith("published/")
        return f"<results>/published/{name}.csv" if wanted else []

    return path


def published_flag(wildcards, input):
    """The published numbers to mark in a figure or table, as a flag."""
    return f"--published {input.published}" if input.published else ""


def table_flags_of_roles(wildcards, input):
    """The tables that a figure of several experiments reads, ours and published, as flags."""
    names = [name for role in figure_settings(wildcards).experiments for name in (role, f"published_{role}")]
    return " ".join(f"--{name.replace('_', '-')} {input[name]}" for name in names if input[name])


def experiment_maps(wildcards):
    """The maps that a figure shows."""
    return f"<results>/tables/{figure_settings(wildcards).experiment}_maps.parquet"


def interactive_maps():
    """Every corpus with an interactive map, and the figure that it is of."""
    figures = [figure for figure in settings.figures.values() if figure.draw == "interactive_map"]
    return {
        item.on: figure
        for figure in figures
        for item in expansion.mapped(study.experiments[figure.experiment], settings)
    }


def shown_maps(wildcards):
    """The evaluations that the interactive map of a corpus shows, in the order of the models."""
    experiment = interactive_maps()[wildcards.corpus].experiment
    return [item for item in expansion.mapped(study.experiments[experiment], settings) if item.on == wildcards.corpus]


def shown_map_files(wildcards):
    """The t-SNE positions that the interactive map of a corpus shows."""
    return [map_file(item) for item in shown_maps(wildcards)]


def shown_map_names(wildcards):
    """What the interactive map of a corpus calls its models, as a flag: labels, and the step where a label has several."""
    items = shown_maps(wildcards)
    labels = [item.line.label for item in items]
    names = [
        f"{item.line.label}, step {item.step}" if labels.count(item.line.label) > 1 else item.line.label
        for item in items
    ]
    return f"--models {shlex.join(names)}"


def cluster_files(evaluation):
    """The clusters of the texts of an evaluation, and their names."""
    where = f"{evaluation.on}/{evaluation.model.path}/{evaluation.step}/{evaluation.selection}"
    return [f"<results>/clusters/{where}{ending}" for ending in (".parquet", ".csv")]


def shown_clusters(wildcards):
    """The clusters that the interactive map of a corpus shows, and their names: those of the last model."""
    return cluster_files(shown_maps(wildcards)[-1])


def mapped_without_labels(wildcards):
    """The last evaluation of every corpus that a figure of maps shows and that has no labels."""
    experiment = study.experiments[figure_settings(wildcards).experiment]
    last = {item.on: item for item in expansion.mapped(experiment, settings)}
    return {corpus: item for corpus, item in last.items() if not labelled(corpus, settings)}


def clusters_without_labels(wildcards):
    """The clusters that a figure of maps shows instead of labels, and their names."""
    return [path for item in mapped_without_labels(wildcards).values() for path in cluster_files(item)]


def cluster_entries(wildcards, input):
    """Every corpus with its clusters and their names, as flags."""
    paths = iter(input.clusters)
    return " ".join(f"--entry {corpus} {next(paths)} {next(paths)}" for corpus in mapped_without_labels(wildcards))


def corner_table(wildcards):
    """The table with the scores in the corners of maps; nothing if there are none."""
    return experiment_table()(wildcards) if figure_settings(wildcards).score else []


def cluster_flags(wildcards):
    """How many clusters are looked for, if a figure says it."""
    figure = interactive_maps().get(wildcards.corpus)
    return flags(figure, keep=("clusters",)) if figure else ""


def figures_and_tables():
    """Everything that a config shows."""
    experiments = expand("<results>/tables/{experiment}_summary.csv", experiment=scored_experiments())
    shown = [*map(figure_files, settings.figures), *map(table_files, settings.tables), claim_pages(), experiments]
    return [*shown, figure_files("paper_comparison")] if settings.published else shown


def published_figures():
    """Figures that can be drawn from published numbers."""
    with_numbers, enough = published_experiments(), {"all": all, "any": any, "never": lambda known: False}
    return [
        name
        for name, figure in settings.figures.items()
        if enough[figure.published](experiment in with_numbers for experiment in figure.experiments.values())
    ]


def published_experiments():
    """Experiments with published numbers."""
    if not settings.published:
        return set()
    with open(settings.published, newline="", encoding="utf-8") as file:
        return {row["experiment"] for row in csv.DictReader(file)}


def figure_flags(*keys):
    """A params function: settings of a figure as flags."""
    return lambda wildcards: flags(figure_settings(wildcards), keep=keys)


def figure_measures(wildcards):
    """What the scores of the experiments of a figure measure, as flags."""
    return measures_of(*figure_settings(wildcards).experiments.values())


def table_measures(wildcards):
    """What the scores of the experiment of a table measure, as flags."""
    return measures_of(settings.tables[wildcards.table].experiment)


def measures_of(*experiments):
    """What the scores of experiments measure, as flags."""
    found = {}
    for name in experiments:
        found |= settings.numbers(settings.experiments[name])
    return measures(found)


def figure_measured(wildcards):
    """What the score of a figure is called, and what it is."""
    figure = figure_settings(wildcards)
    number = settings.numbers(settings.experiments[figure.experiment])[figure.score]
    return [number.heading, number.explained]


def figure_colors(wildcards):
    """Colours of the labels of a figure, as flags."""
    entries = settings.experiments[figure_settings(wildcards).experiment].models
    colors = [f"{entry.label or expansion.default_label(entry)}={entry.color}" for entry in entries if entry.color]
    return f"--colors {shlex.join(colors)}" if colors else ""


def figure_title(wildcards):
    """Heading of a figure in the report."""
    return figure_settings(wildcards).title or wildcards.figure


def figure_caption(wildcards):
    """What to see in a figure."""
    return " ".join(figure_settings(wildcards).caption.split())  # a line of its own could be a directive


def descriptions(wildcards):
    """Descriptions of the corpora that a table shows."""
    return [f"<results>/descriptions/{corpus}.csv" for corpus in settings.tables[wildcards.table].corpora]


def class_sizes(wildcards):
    """Class sizes of the corpora that a figure shows."""
    return [f"<results>/descriptions/{corpus}_classes.csv" for corpus in figure_settings(wildcards).corpora]


def compared(wildcards):
    """The scores on corpora of the experiment that a table of differences lays out."""
    found = scored(settings.tables[wildcards.table].experiment)
    return [evaluation for evaluation in found if evaluation.on in settings.corpora]


def compared_files(suffix):
    """An input function: files of the scores that a table of differences lays out."""
    return lambda wildcards: [f"<results>/scores/{evaluation.path}{suffix}" for evaluation in compared(wildcards)]


def compared_entries(wildcards, input):
    """Every label of a table of differences with its score files, as flags."""
    return line_entries(compared(wildcards), input.scores)


def table_source(wildcards):
    """The scores that a table lays out."""
    return f"<results>/tables/{settings.tables[wildcards.table].experiment}.csv"


def table_published(wildcards):
    """The published numbers that a table shows beside ours; nothing if there are none."""
    return f"<results>/published/{settings.tables[wildcards.table].experiment}.csv" if settings.published else []


def table_flags(wildcards):
    """How a table is laid out."""
    table = settings.tables[wildcards.table]
    return flags(table, omit=("title", "lay_out", "experiment"))


def repeated_corpora(wildcards):
    """Corpora that are in no mean of a table, because their texts are those of another, as a flag."""
    table = settings.tables[wildcards.table]
    corpora = settings.experiments[table.experiment].corpora if table.means else []
    words = expansion.repeated(corpora, settings)
    return f"--repeated {' '.join(words)}" if words else ""


def table_title(wildcards):
    """Heading of a table in the report."""
    return settings.tables[wildcards.table].title or wildcards.table


# Claims


def described_claims():
    """The claims of the config, as JSON."""
    return json.dumps(claimed.described(settings, study), ensure_ascii=False)


def claim_evaluations(wildcards):
    """The evaluations that claims are judged by, by experiment; none from published numbers alone."""
    return {} if wildcards.claims.startswith("published/") else claimed.needed(settings, study)


def claim_scores(wildcards):
    """The score files that claims are judged by."""
    found = claim_evaluations(wildcards).values()
    return [f"<results>/scores/{item.path}.csv" for items in found for item in items]


def claim_outcomes(wildcards):
    """What every text adds to the scores on corpora that claims are judged by."""
    found = claim_evaluations(wildcards).values()
    return [f"<results>/scores/{item.path}.parquet" for items in found for item in items if item.on in settings.corpora]


def claim_entries(wildcards, input):
    """Every experiment and label with the score files that claims are judged by, as flags."""
    paths = iter(input.scores)
    files = {}
    for experiment, items in claim_evaluations(wildcards).items():
        for item in items:
            files.setdefault((experiment, item.line.label), []).append(next(paths))
    return " ".join(f"--entry {shlex.join(names)} {' '.join(braced(found))}" for names, found in files.items())


def bootstrap_flags():
    """How intervals of claims are computed: as those of tables of differences by default."""
    return " ".join(f"--{key} {value}" for key, value in defaults(DifferencesTable, "resamples", "seed").items())


def claim_pages(claims="claims"):
    """The files with the judged claims; none if the config has no claims."""
    return [f"<figures>/{claims}.{ending}" for ending in ("csv", "md", "tex", "html")] if settings.claims else []


# The report


def reported():
    """The settings of the report."""
    if settings.report is None:
        sys.exit("config error: report: missing; this key is needed for a report and an adapted model")
    return settings.report


def adapted_model():
    """The model that the report is about, as its first seed's evaluation."""
    reported()
    return adapted.evaluations(settings, study)[0]


def account_files(wildcards):
    """What is told of the corpus and the model, as named inputs."""
    model = adapted_model().model
    recipe = study.recipes[model.recipe]
    pairs = f"{model.corpus}/{expansion.pairs_name(recipe)}/epochs-{recipe.epochs}/seed-{model.seed}"
    encoder = settings.encoders[model.encoder]
    # The config tells the revision of a pinned encoder; the base model that of another.
    unpinned = isinstance(encoder, HubEncoder) and encoder.revision is None
    base = {"base": f"<results>/models/{expansion.base_of(model, settings).path}"} if unpinned else {}
    return base | {
        "counts": f"<results>/corpora/{adapted.cleaned(settings)}.json",
        "description": f"<results>/descriptions/{model.corpus}.csv",
        "run": f"<results>/models/{model.path}",
        "pairs_settings": f"<results>/pairs/{pairs}.json",
        "differences": [f"<figures>/{table}.csv" for table in reported().differences],
    }


def account_flags(wildcards, input):
    """What is told of the corpus and the model, what they are called, and which step of the run it is."""
    item = adapted_model()
    files = [f"--{name.replace('_', '-')} {input[name]}" for name in account_files(wildcards)]
    encoder = settings.encoders[item.model.encoder]
    words = ["--corpus", item.model.corpus, "--label", item.line.label, "--step", item.step]
    words += ["--encoder", encoder.in_words, "--max-length", str(encoder.max_length)]
    before = adapted.base_label(settings, study)
    words += [] if before is None else ["--base-label", before]
    words += ["--corpora", *adapted.scored_on(settings, study)]
    return " ".join([*files, shlex.join(words)])


def base_model_flag(wildcards):
    """The repository on the hub that the adapted model started from, as a flag; nothing if it is from elsewhere."""
    encoder = settings.encoders[adapted_model().model.encoder]
    return f"--base-model {shlex.quote(encoder.id)}" if isinstance(encoder, HubEncoder) else ""


def report_crops(wildcards):
    """Where the texts of the corpora of crops that the adapted model is scored on went."""
    crops = [
        name for name in adapted.scored_on(settings, study) if isinstance(settings.corpora[name].source, CropsSource)
    ]
    return [f"<results>/corpora/{name}.json" for name in crops]


def report_pictures(wildcards):
    """The figures in the report."""
    return [f"<figures>/{name}.png" for name in pictures()]


def pictures():
    """Names of the figures in the report that are no interactive maps."""
    return [name for name in reported().figures if settings.figures[name].draw != "interactive_map"]


def report_maps(wildcards):
    """The interactive maps that the report links."""
    return [path for name in reported().figures if name not in pictures() for path in figure_files(name)]


def report_entries(wildcards, input):
    """Every figure of the report with its title, what it shows and its caption, as flags."""
    entries = []
    for name, path in zip(pictures(), input.figures, strict=True):
        figure = settings.figures[name]
        shows = type(figure).__doc__.splitlines()[0]
        entries.append(f"--entry {shlex.join([figure.title or name, shows, figure.caption, path])}")
    return " ".join(entries)


def report_files():
    """The report and the adapted model, if the config asks for them."""
    return ["<results>/report.html", "<results>/adapted_model"] if settings.report else []
