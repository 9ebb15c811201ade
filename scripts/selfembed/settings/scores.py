"""Settings of embeddings, scores, tasks and maps."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from selfembed.scores import measures
from selfembed.settings.base import Closed, LocalPath, Name, from_name


class Split(Closed):
    """One random split of a corpus into training and test texts, shared by every model, layer and pooling."""

    split: Literal["labelled", "all"] = Field(
        "labelled",
        description="What is split: the labelled texts, or all texts, of which the labelled ones are then taken "
        "(for runs with `held_out` texts).",
    )
    test_fraction: float = Field(0.1, gt=0, lt=1, description="Part of the texts that is tested.")
    split_seed: int = Field(42, ge=0, description="Seed of the split.")


class Knn(Split):
    """Nearest-neighbour accuracy of embeddings, as in the paper."""

    type: Literal["knn"]
    k: int = Field(10, ge=1, description="Neighbours that vote; ties go to the class that sorts first.")
    metric: Literal["euclidean", "cosine"] = Field("euclidean", description="Distance between embeddings.")
    transform: Literal["none", "centred", "whitened"] = Field(
        "none", description="What is done to embeddings before: subtract their mean, or PCA-whiten them."
    )


class Linear(Split):
    """Accuracy of a linear probe (logistic regression without penalty on standardised embeddings), as in the paper."""

    type: Literal["linear"]


class CropPairs(Closed):
    """From one crop of a text its other crop is looked for; needs no labels, but a corpus of type `crops`.

    Gives five numbers, called after the score and the measure: `crop_pairs_recall@1`, `…_recall@10`, `…_mrr`,
    `…_alignment` and `…_uniformity`.
    """

    type: Literal["crop_pairs"]


Score = Annotated[Knn | Linear | CropPairs, Field(discriminator="type"), BeforeValidator(from_name)]


def score_names(name: str, score: Score) -> list[str]:
    """What tables call the numbers that a score gives."""
    found = measures.OF_CROP_PAIRS if isinstance(score, CropPairs) else [measures.ACCURACY]
    return [measures.score_name(name, measure) for measure in found]


class RegistryTask(Closed):
    """A task of MTEB's registry, by its name; data at the registry's revision, English part, test split."""

    type: Literal["registry"]
    block: Name = Field(description="Block whose mean the score goes into, e.g. `clustering`.")


class LocalTask(Closed):
    """A task made from a labelled corpus (same label means similar) or read from files, and scored by mteb."""

    type: Literal["clustering", "classification", "sts", "retrieval", "reranking"]
    corpus: Name | None = Field(None, description="Corpus it is made from; retrieval needs titles.")
    files: LocalPath | None = Field(
        None, description="Instead of a corpus: folder with the task's files, in MTEB's own columns (see docs/mteb.md)."
    )
    block: Name = Field(description="Block whose mean the score goes into.")

    @model_validator(mode="after")
    def made_of_one_thing(self):
        """A task is made from a corpus, or read from files."""
        if (self.corpus is None) == (self.files is None):
            raise ValueError("one of corpus and files is needed; allowed: a corpus, or a folder of files")
        return self


TaskName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class Mteb(Closed):
    """How models are scored by MTEB; all alike, unless an entry of an experiment says otherwise."""

    max_length: int = Field(384, ge=3, description="Texts are truncated to this many tokens.")
    normalise: bool = Field(True, description="Scale every text's vector to unit length.")

    @property
    def name(self) -> str:
        """As part of a path: `384_unit`, `512_raw`."""
        return f"{self.max_length}_{'unit' if self.normalise else 'raw'}"


class Tsne(Closed):
    """How maps of corpora are computed."""

    perplexity: float = Field(30, gt=0, description="Effective number of neighbours.")
    seed: int = Field(42, ge=0, description="Seed of the layout.")


class Embedding(Closed):
    """How corpora are embedded for scoring."""

    tokens_per_batch: int | None = Field(
        None,
        ge=1,
        description="Tokens in a batch of texts of similar length; decides speed, memory and the last digits. "
        "Without it 2,048 on a processor, whose cache they fit, and 65,536 on a GPU.",
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32",
        description="`bf16` runs the encoder in bf16 (pooling stays in fp32): faster, and off in the third digit.",
    )


class Threads(Closed):
    """CPU threads per job. They are settings because last digits depend on them."""

    fine_tune: int = Field(2, ge=1, description="Fine-tuning.")
    embed: int = Field(2, ge=1, description="Embedding.")
    score: int = Field(1, ge=1, description="Scores.")
