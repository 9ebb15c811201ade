"""A proposal as a config with comments that say why.

`config/own_texts.yaml` is what this writes for an invented file, so that there is one template.
"""

import math
from pathlib import Path
from typing import Any

import yaml

from selfembed.errors import InputError, first_line
from selfembed.proposals.proposals import LEAST_IN_CLASS, PAPER, SAMPLE_SEED, Encoder, Limits, Proposal
from selfembed.study.validation import load


def render(proposal: Proposal, file: str) -> str:
    """The config, checked, as it will be called.

    Raises InputError with one line if a name or path in it is not possible.
    """
    parts = [
        head(proposal, file),
        corpora_part(proposal),
        encoders_part(proposal.encoder),
        recipes_part(proposal),
        scores_part(proposal),
        experiments_part(proposal),
        tables_part(proposal),
        figures_part(proposal),
        report_part(proposal),
    ]
    config = "\n".join(parts)
    try:
        load(yaml.safe_load(config))
    except yaml.YAMLError as error:
        raise InputError(f"a name or path cannot be written in a config: {first_line(error)}") from error
    return config


def head(proposal: Proposal, file: str) -> str:
    """Name, seeds, and what to do with the file."""
    seeds = (
        "# Quick run: one seed, one epoch, at most 1,000 texts. For reliable scores, use [42, 23, 12]."
        if proposal.quick
        else "# Each recipe is fine-tuned once per seed, because a single seed can mislead."
    )
    return f"""\
# Adapt an encoder to your own texts, evaluate it and draw a map. To run it, also after a change:
#   snakemake adapt --configfile {scalar(file)} --cores all
# See docs/own_texts.md for a guide and docs/configuration.md for every key.

# Results are in results/{proposal.folder}/, figures in figures/{proposal.folder}/.
folder: {scalar(proposal.folder)}
{seeds}
seeds: [{", ".join(map(str, proposal.seeds))}]
"""


def corpora_part(proposal: Proposal) -> str:
    """The texts, perhaps a sample of them, and crops of those held out."""
    name = "all_texts" if proposal.sample else "texts"
    lines = ["corpora:", f"  {name}:", "    source:"]
    lines += [f"      {key}: {scalar(value)}" for key, value in proposal.source.items()]
    if "encoding" in proposal.source:
        lines += ["    # The file is not UTF-8. If special characters look wrong in the map, change `encoding`."]
    if proposal.labelled:
        lines += [
            "    # Texts of rarer classes are treated as unlabelled.",
            f"    minimum_label_count: {LEAST_IN_CLASS}",
        ]
    if proposal.sample:
        why = "a quick run" if proposal.quick else "more take hours and improve little"
        lines += [
            f"  # A random sample of the texts: {why}. To use all texts,",
            "  # delete this corpus and rename the one above to `texts`.",
            "  texts:",
            f"    source: {{type: sample, corpus: all_texts, size: {proposal.sample}, seed: {SAMPLE_SEED}}}",
        ]
    lines += [
        f"  # For evaluation: no model is trained on {100 * proposal.held_out:.0f} % of the texts. Of these, "
        f"{proposal.n_held_out:,} are long enough for two crops;",
        "  # the score counts how often one crop retrieves the other. See docs/evidence.md.",
        "  crops_of_texts:",
        f"    source: {{type: crops, corpus: texts, held_out: {proposal.held_out}{limit_keys(proposal.limits)}}}",
    ]
    return "\n".join(lines) + "\n"


def limit_keys(limits: Limits) -> str:
    """The limits of crops that are not the default, as keys of a group."""
    found = {key: getattr(limits, key) for key in ("sentences", "minimum_length", "maximum_length")}
    return "".join(f", {key}: {value}" for key, value in found.items() if value != getattr(PAPER, key))


def encoders_part(encoder: Encoder) -> str:
    """TF-IDF and the encoder."""
    settings = "\n".join(f"    {key}: {scalar(value)}" for key, value in encoder.settings.items())
    return f"""\
encoders:
  # Word counts, as a baseline.
  tfidf: {{type: tfidf}}
  # {encoder.comment}
  {encoder.name}:
{settings}
"""


def recipes_part(proposal: Proposal) -> str:
    """Crops and dropout, with epochs and batches for so many texts."""
    n_trained = proposal.n_usable - proposal.n_held_out
    steps = math.ceil(n_trained / proposal.batch_size)
    if proposal.limits == PAPER:
        why = "Sentences of 100 to 250 characters, as in the paper, which"
    else:
        why = "Shorter and fewer sentences than the paper's, because your texts are shorter; these limits"
    augmentation = {
        name: f"{{type: {name}{limit_keys(proposal.limits)}}}" if limit_keys(proposal.limits) else name
        for name in ("crops", "dropout")
    }
    shared = f"""\
    held_out: {proposal.held_out}
    epochs: {proposal.epochs}
    batch_size: {proposal.batch_size}
    max_length: {proposal.encoder.settings["max_length"]}"""
    return f"""\
# How positive pairs are made. Crops: two parts of one text. Dropout (SimCSE): one part twice, for comparison.
# {why} {proposal.n_usable:,} of {proposal.n_texts:,} texts meet.
# {n_trained:,} texts are trained on, {steps:,} steps in an epoch; small corpora are trained on for several epochs.
recipes:
  crops:
    augmentation: {augmentation["crops"]}
{shared}
  dropout:
    augmentation: {augmentation["dropout"]}
{shared}
"""


def scores_part(proposal: Proposal) -> str:
    """Crop retrieval, and accuracies where there are labels."""
    lines = ["scores:", "  crop_pairs: {type: crop_pairs}"]
    if proposal.labelled:
        split = f"split: all, test_fraction: {proposal.held_out}"
        lines += [
            "  # Accuracy on the same held-out texts, by the labels of neighbours and by logistic regression.",
            f"  knn: {{type: knn, {split}}}",
            f"  linear: {{type: linear, {split}}}",
        ]
    return "\n".join(lines) + "\n"


COLOURS = {"TF-IDF": "#333333", "Before": "#9bd39b", "After dropout": "#1f77b4", "After crops": "#ff7f0e"}


def experiments_part(proposal: Proposal) -> str:
    """The same four models everywhere; maps of the encoder before and after crops."""
    encoder = proposal.encoder.name
    models = {
        "TF-IDF": "encoder: tfidf",
        "Before": f"encoder: {encoder}",
        "After dropout": f"encoder: {encoder}, recipe: dropout",
        "After crops": f"encoder: {encoder}, recipe: crops",
    }
    entries = {
        label: f'      - {{{what}, label: {label}, color: "{COLOURS[label]}"}}' for label, what in models.items()
    }
    accuracy = f"""\
  accuracy:
    corpora: [texts]
    scores: [knn, linear]
    layers: all
    models:
{chr(10).join(entries.values())}
"""
    return f"""\
experiments:
  evidence:
    corpora: [crops_of_texts]
    scores: [crop_pairs]
    models:
{chr(10).join(entries.values())}
{accuracy if proposal.labelled else ""}\
  maps:
    corpora: [texts]
    scores: []
    maps: true
{"    layers: all  # already embedded for the accuracies" + chr(10) if proposal.labelled else ""}\
    seeds: [{proposal.seeds[0]}]
    models:
{entries["Before"]}
{entries["After crops"]}
"""


def tables_part(proposal: Proposal) -> str:
    """Differences with a verdict: every model against the encoder as it came, crops also against the others."""
    lines = ["tables:"]
    for table, (experiment, against, title) in tables_of(proposal).items():
        lines += [
            f"  {table}:",
            "    lay_out: differences",
            f"    experiment: {experiment}",
            f"    against: {against}",
            *([] if against == "Before" else ["    labels: [After crops]"]),
            f"    title: {title}",
            f'    caption: "{SEEN[experiment]}; differences with 95 % confidence intervals."',
        ]
    return "\n".join(lines) + "\n"


SEEN = {
    "evidence": "Crop retrieval on held-out texts",
    "accuracy": "Accuracy on held-out texts",
}


def tables_of(proposal: Proposal) -> dict[str, tuple[str, str, str]]:
    """Experiment, model that others are compared with, and title of every table, the most important first."""
    found = {}
    for experiment, prefix, title in (("accuracy", "accuracy_", ", by labels"), ("evidence", "", "")):
        if experiment == "accuracy" and not proposal.labelled:
            continue
        found[f"{prefix}differences"] = (experiment, "Before", f"Comparison with the encoder before fine-tuning{title}")
        found[f"{prefix}against_dropout"] = (experiment, "After dropout", f"Comparison with dropout{title}")
        found[f"{prefix}against_tfidf"] = (experiment, "TF-IDF", f"Comparison with TF-IDF{title}")
    return found


def report_part(proposal: Proposal) -> str:
    """The page that tells of the model after crops."""
    figures = ["map", "evidence", *(["accuracy", "layers"] if proposal.labelled else []), "losses", "printed_map"]
    return f"""\
# results/{proposal.folder}/report.html and the model, in adapted_model/.
report:
  corpus: texts
  model: After crops
  differences: [{", ".join(tables_of(proposal))}]
  figures: [{", ".join(figures)}]
  title: {scalar(f"Report on {proposal.folder}")}
"""


def figures_part(proposal: Proposal) -> str:
    """Evidence, losses and maps; accuracy, also by layer, where there are labels."""
    accuracy = """\
  accuracy:
    draw: comparison
    experiment: accuracy
    title: Accuracy
    caption: "How often the nearest neighbours of a held-out text give its label."
  layers:
    draw: layers
    experiment: accuracy
    title: Accuracy by layer
    caption: "Improvement of each layer by each augmentation."
"""
    return f"""\
figures:
  evidence:
    draw: comparison
    experiment: evidence
    score: crop_pairs_recall@1
    title: Evaluation without labels
    caption: "How often the other crop of a held-out text is ranked first."
{accuracy if proposal.labelled else ""}\
  losses:
    draw: losses
    experiment: evidence
    title: Training losses
    caption: "Dropout pairs soon become easy to match; crops remain more difficult."
  map:
    draw: interactive_map
    experiment: maps
    title: Map of your texts
    caption: "Texts that are close together before and after fine-tuning (keys 1 and 2)."
  printed_map:
    draw: maps
    experiment: maps
    score: null
    title: Map for print
    caption: "Groups of texts before and after fine-tuning."
"""


def scalar(value: Any) -> str:
    """A value as YAML in one line; texts that mean something to YAML are quoted."""
    quoted = isinstance(value, str) and not value.isprintable()
    text = yaml.safe_dump(value, default_style='"' if quoted else None, allow_unicode=True, width=math.inf)
    return text.removesuffix("\n").removesuffix("\n...")


def example() -> tuple[Path, str]:
    """`config/own_texts.yaml`: what is proposed for a file that does not exist."""
    path = Path("config", "own_texts.yaml")
    source = {"type": "file", "path": "data/texts.csv", "text": "text", "title": "title"}
    return path, render(Proposal("own_texts", source, 5000, 4500, 450, held_out=0.1, epochs=2), str(path))
