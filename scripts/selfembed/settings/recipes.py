"""Settings of fine-tuning: augmentations and recipes."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from selfembed.models import token7
from selfembed.settings.base import Closed, Kind, Packs, Pooling, from_name


class Masked(Kind):
    """What every augmentation can add: masked tokens.

    Attributes:
        same_text_twice: whether both texts of a pair are the same, so that they differ through dropout or masks alone.
    """

    same_text_twice: ClassVar[bool]

    mask_fraction: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Part of the tokens of each text of a pair that the encoder's mask token replaces, "
        "for both texts independently.",
    )


class Crops(Packs, Masked):
    """Positive pair: two different packs of the same text."""

    same_text_twice = False

    type: Literal["crops"]


class Dropout(Packs, Masked):
    """Positive pair: one pack twice; the two embeddings differ through the encoder's dropout alone."""

    same_text_twice = True

    type: Literal["dropout"]


class Halves(Masked):
    """Positive pair: the first and the second half of a text's sentences, whatever their length."""

    same_text_twice = False

    type: Literal["halves"]


class WholeText(Masked):
    """Positive pair: the whole text twice; the two differ through dropout, and through masks if there are any."""

    same_text_twice = True

    type: Literal["whole_text"]


Augmentation = Annotated[Crops | Dropout | Halves | WholeText, Field(discriminator="type"), BeforeValidator(from_name)]


class Recipe(Closed):
    """Augmentation plus every hyperparameter that decides a fine-tuning; the defaults are the paper's."""

    augmentation: Augmentation = Field(
        description="How a positive pair is made: a name, or a `type` with its settings."
    )
    pooling: Pooling = Field("mean", description="How token vectors become the text vector that is trained.")
    temperature: float = Field(0.05, gt=0, description="Divides the cosines in the contrastive loss.")
    learning_rate: float = Field(2e-5, gt=0, description="Peak learning rate of Adam.")
    batch_size: int = Field(
        64, ge=2, description="Pairs per optimiser step; the others in the batch are the negatives."
    )
    epochs: int = Field(1, ge=1, description="Passes over the corpus, one pair per text each.")
    warmup: float = Field(0.1, ge=0, le=1, description="Part of the first epoch over which the learning rate rises.")
    max_length: int = Field(512, ge=3, description="Anchors and positives are truncated to this many tokens.")
    projection: list[Annotated[int, Field(ge=1)]] | None = Field(
        None,
        min_length=1,
        description="Widths of a head between the pooled vector and the loss, e.g. `[512, 128]` for linear, ReLU, "
        "linear; the saved model has no head.",
    )
    unfrozen_layers: int | None = Field(
        None,
        ge=0,
        description="Train the top layers only: this many; 0 leaves the base model. By default everything is trained.",
    )
    held_out: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Part of the corpus that is not trained on: the test texts of scores with `split: all` and the "
        "same `test_fraction`.",
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="Of the encoder's forward pass; pooling, cosines, loss and weights are always fp32."
    )

    @model_validator(mode="after")
    def token7_exists(self):
        """The pooled token must survive truncation."""
        if self.pooling == "token7" and self.max_length < token7.SHORTEST:
            raise ValueError(
                f"pooling 'token7' does not exist in max_length {self.max_length}; "
                f"allowed: mean, cls, last, or a max_length of at least {token7.SHORTEST}"
            )
        return self
