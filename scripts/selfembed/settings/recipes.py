"""Settings of fine-tuning: augmentations and recipes."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from selfembed.models import token7
from selfembed.settings.base import Closed, Kind, Packs, Pooling, Precision, Text, short_for


class Masked(Kind):
    """Masked tokens, available for every augmentation.

    Attributes:
        same_text_twice: whether both texts of a pair are the same.
        column: column that the source of the corpus must name; None if the texts suffice.
    """

    same_text_twice: ClassVar[bool]
    column: ClassVar[str | None] = None

    mask_fraction: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Fraction of tokens replaced by the encoder's mask token, independently for both texts of a pair.",
    )


class Crops(Packs, Masked):
    """Positive pair: two different packs of the same text."""

    same_text_twice = False

    type: Literal["crops"]


class Dropout(Packs, Masked):
    """Positive pair: one pack twice; the embeddings differ only by the encoder's dropout."""

    same_text_twice = True

    type: Literal["dropout"]


class Halves(Masked):
    """Positive pair: the first and the second half of a text's sentences, independent of their length."""

    same_text_twice = False

    type: Literal["halves"]


class WholeText(Masked):
    """Positive pair: the whole text twice; the embeddings differ by dropout and by masks, if any."""

    same_text_twice = True

    type: Literal["whole_text"]


class Titles(Masked):
    """Positive pair: the title of a text (or another column named as title), and the text without it."""

    same_text_twice = False
    column = "title"

    type: Literal["titles"]


class Groups(Masked):
    """Positive pair: a text, and another text with the same value of the column named as group."""

    same_text_twice = False
    column = "group"

    type: Literal["groups"]


Augmentation = Annotated[
    Crops | Dropout | Halves | WholeText | Titles | Groups, Field(discriminator="type"), short_for("type")
]


class Lora(Closed):
    """Low-rank changes of linear layers, which are trained instead of their weights (LoRA)."""

    rank: int = Field(16, ge=1, description="Rank of the change of a layer.")
    alpha: int = Field(32, ge=1, description="The change of a layer is multiplied by alpha / rank.")
    target_modules: list[Text] | None = Field(
        None,
        min_length=1,
        description="Layers of the transformer, by the endings of their names, e.g. `[query, value]` for BERT. "
        "Defaults to all linear layers.",
    )


def ascending(dimensions: list[int]) -> list[int]:
    """Sort numbers of dimensions, so that the order does not name another run; reject duplicates."""
    if len(set(dimensions)) < len(dimensions):
        raise ValueError(f"{dimensions}: duplicate number; expected: each number once")
    return sorted(dimensions)


class Recipe(Closed):
    """The augmentation and all hyperparameters of a fine-tuning; the defaults are those of the paper."""

    augmentation: Augmentation = Field(
        description="Method of making positive pairs: a name, or a `type` with its settings."
    )
    pooling: Pooling = Field(
        "mean",
        description="Pooling of token vectors into the text vector that is trained; `own` trains the encoder's own "
        "modules after the transformer, from a sentence-transformers folder, with its prompt.",
    )
    temperature: float = Field(
        0.05, gt=0, description="Temperature of the contrastive loss, which divides the cosine similarities."
    )
    learning_rate: float = Field(2e-5, gt=0, description="Peak learning rate of Adam.")
    batch_size: int = Field(
        64, ge=2, description="Pairs per optimiser step; the other pairs in the batch provide the negatives."
    )
    epochs: int = Field(1, ge=1, description="Number of epochs, with one pair per text in each.")
    warmup: float = Field(0.1, ge=0, le=1, description="Fraction of the first epoch used for learning-rate warm-up.")
    guide: bool = Field(
        False,
        description="Leave out false negatives: texts of a batch that the encoder before fine-tuning finds more "
        "similar to the anchor than the anchor's own positive (GISTEmbed, Solatorio 2024, arXiv:2402.16829).",
    )
    matryoshka: Annotated[list[Annotated[int, Field(ge=1)]], AfterValidator(ascending)] | None = Field(
        None,
        min_length=1,
        description="Numbers of dimensions, e.g. `[64, 128]`, that vectors can be cut to afterwards: the loss is the "
        "mean of those of all dimensions and of the first 64 and 128 (Matryoshka, Kusupati et al. 2022, "
        "arXiv:2205.13147).",
    )
    early_stopping: bool = Field(
        False,
        description="Stop when the loss of validation pairs no longer falls. A twentieth of the texts, at most 128, is "
        "then not trained on.",
    )
    max_length: int = Field(
        512, ge=3, description="Maximum number of tokens of anchors and positives; longer ones are truncated."
    )
    projection: list[Annotated[int, Field(ge=1)]] | None = Field(
        None,
        min_length=1,
        description="Layer widths of a projection head between the pooled vector and the loss, e.g. `[512, 128]` for "
        "linear, ReLU, linear. The head is not saved.",
    )
    unfrozen_layers: int | None = Field(
        None,
        ge=0,
        description="Number of top layers to train; 0 keeps the base model. Defaults to training all parameters.",
    )
    lora: Lora | None = Field(
        None,
        description="Train low-rank changes of linear layers instead of all parameters (LoRA, Hu et al. 2022, "
        "arXiv:2106.09685), for encoders whose training does not fit into memory otherwise. Saved models have the "
        "changed weights.",
    )
    held_out: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Fraction of the corpus held out of training: the test texts of scores with `split: all` and the "
        "same `test_fraction`.",
    )
    precision: Precision = Field(
        "fp32",
        description="Precision of the encoder in training (pooling, loss and weights are fp32). Defaults to the "
        "study's `precision`.",
    )

    @model_validator(mode="after")
    def saved_vectors_are_cut(self):
        """Dimensions of a projection head are not those of the saved model."""
        if self.matryoshka and self.projection:
            raise ValueError("matryoshka and projection: the head is not saved; expected: one of the two")
        return self

    @model_validator(mode="after")
    def one_choice_of_parameters(self):
        """Low-rank changes freeze everything else."""
        if self.lora and self.unfrozen_layers is not None:
            raise ValueError("lora and unfrozen_layers: both choose what is trained; expected: one of the two")
        return self

    @model_validator(mode="after")
    def token7_exists(self):
        """The pooled token must not be truncated."""
        if self.pooling == "token7" and self.max_length < token7.SHORTEST:
            raise ValueError(
                f"pooling 'token7' does not exist in max_length {self.max_length}; "
                f"expected: mean, cls, last, or a max_length of at least {token7.SHORTEST}"
            )
        return self
