"""What the rules share: the checked settings, the study they expand to, and helpers. No rules here."""

import os
import re
import shlex
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from selfembed.errors import InputError
from selfembed import model_paths
from selfembed.settings import code as code_files
from selfembed.settings.expansion import Model, augmentation_name, base_of, default_label, expand as expand_study
from selfembed.settings.flags import flags
from selfembed.settings.schema import BAGS_OF_WORDS, FolderEncoder, HubEncoder, PackageEncoder, RandomEncoder
from selfembed.settings.schema import TrainedTokenizer
from selfembed.versions import installed_version
from selfembed.settings.validation import check_figure_names, load, missing_sources

# Only download_* rules use the network; jobs inherit this.
os.environ.update(HF_HUB_OFFLINE="1")

try:
    settings = load(config)
    study = expand_study(settings)
    check_figure_names(settings, taken={"all"} | {path.stem for path in Path(workflow.basedir, "scripts").glob("*.py")})
    missing_sources(settings)
except InputError as error:
    sys.exit("\n".join(f"config error: {line}" for line in str(error).splitlines()))


wildcard_constraints:
    corpus="|".join(settings.corpora),
    encoder="|".join(settings.encoders),
    experiment="|".join(settings.experiments),
    figure=r"[a-z0-9_]+",
    augmentation="|".join(map(re.escape, study.augmentations)) or "none-of-this-kind",
    recipe="|".join(map(re.escape, study.recipes)) or "none-of-this-kind",
    selection=r"[^/]+",
    step=r"\d+|final",
    seed=r"\d+",
    epochs=r"\d+",
    model=r"base/[a-z0-9_]+(/seed-\d+)?|tuned/[a-z0-9_]+/[a-z0-9_]+/[^/]+/seed-\d+",


def subfolder(top):
    """A generated top-level folder, or this config's part of it."""
    return f"{top}/{settings.folder}" if settings.folder else top


def code(script):
    """The script and the library files it imports, as inputs, so that an edit reruns what it can change."""
    root = Path(workflow.basedir)
    return [os.path.relpath(path) for path in code_files.code(root / "scripts" / script)]


def gpus_for_encoder(wildcards):
    """GPUs that a job with a model asks for: none for bags of words."""
    name = wildcards.get("encoder") or model_paths.identity(wildcards.model)["encoder"]
    return 0 if settings.device == "cpu" or isinstance(settings.encoders[name], BAGS_OF_WORDS) else 1


def encoders_of(*kinds):
    """A pattern of the names of all encoders of some kinds."""
    names = [name for name, encoder in settings.encoders.items() if isinstance(encoder, kinds)]
    return "|".join(names) or "none-of-this-kind"


def figures_drawn_as(kind):
    """A pattern of the names of all figures of a kind."""
    return "|".join(name for name, figure in settings.figures.items() if figure.draw == kind) or "none-of-this-kind"


def figure_files(figure):
    """The files of a figure."""
    return [f"<figures>/{figure}.png", f"<figures>/{figure}.pdf"]


def corpus_source(wildcards):
    """The raw file of a corpus."""
    source = settings.corpora[wildcards.corpus].source
    return source.path if source.type == "file" else f"<results>/sources/{wildcards.corpus}.parquet"


def encoder_source(wildcards):
    """The files of an encoder in a local folder, so that it is imported anew when they change."""
    encoder = settings.encoders[wildcards.encoder]
    if not isinstance(encoder, FolderEncoder):
        return []
    return sorted(
        str(path) for path in Path(encoder.path).iterdir() if path.suffix in {".json", ".txt", ".safetensors"}
    )


def package_versions(wildcards):
    """Versions of the packages whose docstrings are a corpus, so that it is made anew when they change."""
    distributions = packages_distributions()
    names = {distributions.get(package, [package])[0] for package in settings.corpora[wildcards.corpus].source.packages}
    return {name: installed_version(name) for name in sorted(names)}


def corpus_flags(wildcards):
    """How a raw file is read and cleaned."""
    corpus = settings.corpora[wildcards.corpus]
    if corpus.source.type == "file":
        return f"{flags(corpus.source, omit=('type', 'path'))} {flags(corpus, omit=('source',))}"
    return f"--text text --label package --title title {flags(corpus, omit=('source',))}"


def tokenizer_folder(wildcards):
    """Where the tokenizer of a random encoder lies."""
    tokenizer = settings.encoders[wildcards.encoder].tokenizer
    if isinstance(tokenizer, TrainedTokenizer):
        return f"<results>/tokenizers/{wildcards.encoder}"
    return f"<results>/encoders/{tokenizer.borrow_from}"


def tokenizer_corpus(wildcards):
    """The corpus that a tokenizer is trained on."""
    return f"<results>/corpora/{settings.encoders[wildcards.encoder].tokenizer.train_on}.parquet"


def run_base(wildcards):
    """The base model that a run starts from."""
    run = Model(wildcards.encoder, int(wildcards.seed), wildcards.corpus, wildcards.recipe)
    return f"<results>/models/{base_of(run, settings).path}"


def run_pairs(wildcards):
    """The pairs that a run sees."""
    recipe = study.recipes[wildcards.recipe]
    name = augmentation_name(recipe.augmentation)
    return f"<results>/pairs/{wildcards.corpus}/{name}/epochs-{recipe.epochs}/seed-{wildcards.seed}.parquet"


def run_pairs_settings(wildcards):
    """How the pairs that a run sees were made."""
    return run_pairs(wildcards).removesuffix(".parquet") + ".json"


def embedding_flags(wildcards):
    """What is embedded of a model: the poolings and layers that a selection names, and how long texts may be."""
    encoder = settings.encoders[model_paths.identity(wildcards.model)["encoder"]]
    if isinstance(encoder, BAGS_OF_WORDS):
        return ""
    poolings, layers = (words.split("-") for words in wildcards.selection.split("_"))
    words = ["--layers", *layers, "--poolings", *poolings, "--max-length", str(encoder.max_length)]
    return (
        f"{shlex.join(words)} {flags(settings.embedding)} --device {settings.device} --threads {settings.threads.embed}"
    )


def score_files(wildcards):
    """The score files of an experiment."""
    return [f"<results>/scores/knn/{evaluation.path}.csv" for evaluation in study.experiments[wildcards.experiment]]


def score_labels(wildcards):
    """One label for each score file of an experiment, quoted."""
    return shlex.join(evaluation.label for evaluation in study.experiments[wildcards.experiment])


def experiment_runs(wildcards):
    """(model path, label) of every run of an experiment, each once."""
    evaluations = study.experiments[wildcards.experiment]
    return list(dict.fromkeys((item.model.path, item.label) for item in evaluations if item.model.recipe))


def run_folders(wildcards):
    """The folders of an experiment's runs."""
    return [f"<results>/models/{path}" for path, _ in experiment_runs(wildcards)]


def run_names(wildcards):
    """Model paths and labels of an experiment's runs, as flags."""
    paths, labels = zip(*experiment_runs(wildcards), strict=True)
    return f"--models {shlex.join(paths)} --labels {shlex.join(labels)}"


def figure_table(wildcards):
    """The table that a figure shows."""
    figure = settings.figures[wildcards.figure]
    suffix = "_losses" if figure.draw == "losses" else ""
    return f"<results>/tables/{figure.experiment}{suffix}.csv"


def figure_colors(wildcards):
    """Colours of the labels of a figure, as flags."""
    entries = settings.experiments[settings.figures[wildcards.figure].experiment].models
    colors = [f"{entry.label or default_label(entry)}={entry.color}" for entry in entries if entry.color]
    return f"--colors {shlex.join(colors)}" if colors else ""


def figure_title(wildcards):
    """Heading of a figure in the report."""
    return settings.figures[wildcards.figure].title or wildcards.figure


def figure_caption(wildcards):
    """What to see in a figure."""
    return settings.figures[wildcards.figure].caption
