"""The schema of `config.yaml`: every key with its type, default and description.

It is the single source of defaults, of `docs/configuration.md` and of the JSON schema (see `documentation.py`).
Unknown keys are errors. Combinations of keys are checked in `study/checks/`.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, StringConstraints, model_validator

from selfembed.scores import measures
from selfembed.settings.base import Closed, LocalPath, Name, Precision, Seeds
from selfembed.settings.claims import Claim
from selfembed.settings.corpora import Corpus
from selfembed.settings.encoders import Encoder
from selfembed.settings.experiments import Experiment
from selfembed.settings.figures import Figure, Table
from selfembed.settings.recipes import Recipe
from selfembed.settings.report import Report
from selfembed.settings.scores import (
    Embedding,
    Knn,
    LocalTask,
    Mteb,
    RegistryTask,
    Score,
    TaskName,
    Threads,
    Tsne,
    numbers,
)


class Settings(Closed):
    """The config of a study."""

    folder: Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9_-]*)?$")] = Field(
        "",
        description="Subfolder of `results/`, `figures/` and `logs/` for all outputs. "
        "Configs with different folders share no results.",
    )
    keep: Literal["everything", "results"] = Field(
        "everything",
        description="What stays on the disk. With `results`, run folders and embeddings are removed as soon as no step "
        "needs them; scores, tables, figures, loss histories and the adapted model stay.",
    )
    seeds: Seeds = Field(
        default=[42], description="Random seeds, one run each; they determine pairs, initial weights and dropout."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Device of the encoders; `auto` uses a GPU if available. A change reruns no finished job."
    )
    precision: Precision = Field(
        "fp32",
        description="Precision of the encoder in fine-tuning, embedding and MTEB; recipes, `embedding` and `mteb` can "
        "set another one. `tf32` and `bf16` are faster on GPUs from Ampere on, and `bf16` on CPUs with bf16 "
        "instructions. A GPU without both, or a CPU without `tf32`, computes in fp32, with a warning in the log; "
        "provenance states the precision used.",
    )
    devices_per_run: int = Field(
        1,
        ge=1,
        description="Number of GPUs (without a GPU: processes) that share every batch of a run. Negatives come from "
        "the whole batch; dropout masks and the last digits of results depend on this number.",
    )
    threads: Threads = Field(default_factory=Threads, description="CPU threads per job.")
    report_to: Literal["none", "tensorboard", "wandb", "trackio", "mlflow"] = Field(
        "none",
        description="Tracker that gets the loss of every step of a run. `tensorboard` writes files beside the log of "
        "the run; the others write where their own environment variables say, or send to their server. The Python "
        "package of the same name must be installed. A change reruns no finished job.",
    )
    corpora: dict[Name, Corpus] = Field(min_length=1, description="Corpora by name.")
    encoders: dict[Name, Annotated[Encoder, Field(discriminator="type")]] = Field(
        min_length=1, description="Encoders by name."
    )
    recipes: dict[Name, Recipe] = Field(default_factory=dict, description="Recipes by name.")
    embedding: Embedding = Field(default_factory=Embedding, description="Embedding of corpora.")
    scores: dict[Name, Score] = Field(
        default_factory=lambda: dict[str, Any](knn=Knn(type="knn")), description="Scores on corpora by name."
    )
    tasks: dict[TaskName, Annotated[RegistryTask | LocalTask, Field(discriminator="type")]] = Field(
        default_factory=dict, description="MTEB tasks by name; tasks of the registry have their MTEB name."
    )
    mteb: Mteb = Field(default_factory=Mteb, description="Scoring by MTEB.")
    tsne: Tsne = Field(default_factory=Tsne, description="Computation of maps.")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="Experiments by name.")
    figures: dict[Name, Annotated[Figure, Field(discriminator="draw")]] = Field(
        default_factory=dict, description="Figures by name; the name is also a target of `snakemake`."
    )
    tables: dict[Name, Annotated[Table, Field(discriminator="lay_out")]] = Field(
        default_factory=dict, description="Tables by name; the name is also a target of `snakemake`."
    )
    claims: dict[Name, Claim] = Field(
        default_factory=dict,
        description="Claims by name, decided by scores of experiments; `snakemake claims` writes the page.",
    )
    published: LocalPath | None = Field(
        None, description="Table of published numbers to compare with, such as `reference/paper.csv`."
    )
    report: Report | None = Field(None, description="A report on one corpus and a model adapted to it.")

    @model_validator(mode="before")
    @classmethod
    def one_precision(cls, found: Any) -> Any:
        """Recipes, `embedding` and `mteb` that set no precision have that of the study."""
        if not isinstance(found, dict) or found.get("precision") not in get_args(Precision):
            return found
        said = {"precision": found["precision"]}

        def with_it(group: Any) -> Any:
            return said | group if isinstance(group, dict) else group

        recipes = found.get("recipes", {})
        recipes = {name: with_it(group) for name, group in recipes.items()} if isinstance(recipes, dict) else recipes
        return found | {"recipes": recipes} | {key: with_it(found.get(key, {})) for key in ("embedding", "mteb")}

    def numbers(self, experiment: Experiment) -> dict[str, measures.Number]:
        """Return the numbers that an experiment computes, by their names in tables; ignore undefined scores."""
        found = {}
        for name in experiment.scores if experiment.corpora else ():
            found |= numbers(name, self.scores[name]) if name in self.scores else {}
        return found | ({"mteb": measures.Number("mteb", Mteb.heading, Mteb.explained)} if experiment.tasks else {})
