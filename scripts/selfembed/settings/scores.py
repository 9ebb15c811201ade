"""Settings of embeddings, scores, tasks and maps."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from selfembed.scores import measures
from selfembed.settings.base import Closed, Kind, LocalPath, Name, Precision, short_for


class ScoreKind(Kind):
    """Base class of scores on corpora.

    Attributes:
        headings: axis label of each measure of the score.
        explained: explanation for captions.
        needs_labels: whether the corpus must have labels.
        needs_pairs: type that the corpus must have; None for corpora of whole texts.
    """

    headings: ClassVar[dict[str, str]]
    explained: ClassVar[str]
    needs_labels: ClassVar[bool]
    needs_pairs: ClassVar[str | None]

    @property
    def measured(self) -> dict[str, measures.Number]:
        """The numbers that are computed, by their measure."""
        return {name: measures.Number(name, heading, self.explained) for name, heading in self.headings.items()}


class Split(ScoreKind):
    """A random split of a corpus into training and test texts, shared by every model, layer and pooling."""

    needs_labels = True
    needs_pairs = None

    split: Literal["labelled", "all"] = Field(
        "labelled",
        description="Texts to split: the labelled ones, or all texts, of which the labelled ones are then used "
        "(for runs with `held_out` texts).",
    )
    test_fraction: float = Field(0.1, gt=0, lt=1, description="Fraction of test texts.")
    split_seed: int = Field(42, ge=0, description="Random seed of the split.")


class Classification(Split):
    """Accuracy of a classifier that is trained on the training texts of a split."""

    balanced: bool = Field(
        False,
        description="Also compute the balanced accuracy (mean over classes), and record the accuracy of always "
        "predicting the largest class.",
    )

    @property
    def measured(self) -> dict[str, measures.Number]:
        """The accuracy and, with `balanced`, the balanced accuracy."""
        found = super().measured
        if self.balanced:
            heading, explained = (
                f"{self.headings[measures.ACCURACY]} (balanced)",
                f"{self.explained}, averaged by class",
            )
            found[measures.BALANCED] = measures.Number(measures.BALANCED, heading, explained)
        return found


class Knn(Classification):
    """Nearest-neighbour accuracy of embeddings, as in the paper."""

    headings: ClassVar = {measures.ACCURACY: "kNN accuracy"}
    explained = "the fraction of labelled test texts whose label is predicted by their nearest neighbours"

    type: Literal["knn"]
    k: int = Field(10, ge=1, description="Number of neighbours that vote; ties go to the class that sorts first.")
    metric: Literal["euclidean", "cosine"] = Field("euclidean", description="Distance between embeddings.")
    transform: Literal["none", "centred", "whitened"] = Field(
        "none", description="Transformation of the embeddings: none, subtraction of the mean, or PCA whitening."
    )


class Linear(Classification):
    """Accuracy of a linear probe (logistic regression without penalty on standardised embeddings), as in the paper."""

    headings: ClassVar = {measures.ACCURACY: "Linear accuracy"}
    explained = "the fraction of labelled test texts whose label is predicted by logistic regression"

    type: Literal["linear"]


class CropPairs(ScoreKind):
    """Retrieval of a text's second crop from its first; requires a corpus of type `crops` and no labels.

    Computes five numbers: `crop_pairs_recall@1`, `…_recall@10`, `…_mrr`, `…_alignment` and `…_uniformity`.
    """

    headings: ClassVar = {name: measures.MEASURES[name].heading for name in measures.OF_CROP_PAIRS}
    explained = (
        "one crop of a text is used to retrieve the other: how often it is ranked first or among the first ten, or the "
        "mean reciprocal rank"
    )
    needs_labels = False
    needs_pairs = "crops"

    type: Literal["crop_pairs"]


class TitlePairs(ScoreKind):
    """Retrieval of a text by its title, and of the title by the text; requires a corpus of type `titles` and no labels.

    Computes three numbers: `title_pairs_title_recall@1`, `…_title_recall@10` and `…_title_mrr`.
    """

    headings: ClassVar = {name: measures.MEASURES[name].heading for name in measures.OF_TITLE_PAIRS}
    explained = (
        "the title of a text is used to retrieve the text, and the text to retrieve the title: how often it is ranked "
        "first or among the first ten, or the mean reciprocal rank"
    )
    needs_labels = False
    needs_pairs = "titles"

    type: Literal["title_pairs"]


Score = Annotated[Knn | Linear | CropPairs | TitlePairs, Field(discriminator="type"), short_for("type")]


def numbers(name: str, score: Score) -> dict[str, measures.Number]:
    """Return the numbers that a score computes, by their names in tables."""
    return {measures.score_name(name, measure): number for measure, number in score.measured.items()}


class RegistryTask(Closed):
    """A task of MTEB's registry; data at the registry's revision, English part, test split."""

    type: Literal["registry"]
    block: Name = Field(description="Block of tasks that is averaged, e.g. `clustering`.")


class LocalTask(Closed):
    """A task made from a labelled corpus (texts with the same label are similar) or read from files; scored by mteb."""

    type: Literal["clustering", "classification", "sts", "retrieval", "reranking"]
    corpus: Name | None = Field(None, description="Corpus that the task is made from; retrieval requires titles.")
    files: LocalPath | None = Field(
        None,
        description="Folder with the task's files, instead of a corpus, with the columns of MTEB (see docs/mteb.md).",
    )
    block: Name = Field(description="Block of tasks that is averaged.")

    @model_validator(mode="after")
    def one_source(self):
        if (self.corpus is None) == (self.files is None):
            raise ValueError("corpus and files: exactly one must be set; expected: a corpus, or a folder of files")
        return self


TaskName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class MtebVectors(Closed):
    """How MTEB gets the vectors of texts."""

    max_length: int = Field(384, ge=3, description="Texts are truncated to this many tokens.")
    normalise: bool = Field(True, description="Scale every text's vector to unit length.")

    @property
    def name(self) -> str:
        """The settings as part of a path: `384_unit`, `512_raw`."""
        return f"{self.max_length}_{'unit' if self.normalise else 'raw'}"


class Mteb(MtebVectors):
    """MTEB settings for all models; an entry of an experiment can override all but the precision."""

    heading: ClassVar[str] = "MTEB score"
    explained: ClassVar[str] = "the main score of every task, as MTEB defines it"

    precision: Precision = Field(
        "fp32", description="Precision of the encoder (pooling is in fp32). Defaults to the study's `precision`."
    )


class Tsne(Closed):
    """Computation of t-SNE maps."""

    perplexity: float = Field(30, gt=0, description="Effective number of neighbours.")
    seed: int = Field(42, ge=0, description="Random seed of the layout.")


class Embedding(Closed):
    """Embedding of corpora for scores and maps."""

    tokens_per_batch: int | None = Field(
        None,
        ge=1,
        description="Tokens in a batch of texts of similar length; affects speed, memory and the last digits of "
        "results. Defaults to 2,048 on a CPU, where they fit the cache, and 65,536 on a GPU.",
    )
    precision: Precision = Field(
        "fp32", description="Precision of the encoder (pooling is in fp32). Defaults to the study's `precision`."
    )


class Threads(Closed):
    """CPU threads per job. They are part of the config because the last digits of results depend on them."""

    fine_tune: int = Field(2, ge=1, description="Fine-tuning.")
    embed: int = Field(2, ge=1, description="Embedding.")
    score: int = Field(1, ge=1, description="Scores.")
