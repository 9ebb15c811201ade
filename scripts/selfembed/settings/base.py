"""Types and base classes shared by the groups of settings."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]
ScoreName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*(@[0-9]+)?$")]
Text = Annotated[str, StringConstraints(pattern=r"^[^-]")]  # a leading hyphen would be read as an option
LocalPath = Annotated[str, StringConstraints(pattern=r"^[^-{}<>][^{}<>]*$")]  # Snakemake interprets {} and <>
Pooling = Literal["mean", "cls", "last", "token7", "own"]
Precision = Literal["fp32", "tf32", "bf16"]


def each_once(seeds: list[int]) -> list[int]:
    """Reject duplicate seeds, which would count one run twice."""
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"{seeds}: duplicate seed; expected: unique seeds")
    return seeds


Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(each_once)]


class Closed(BaseModel):
    """An immutable model that rejects unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


DISCRIMINATORS = ("type", "draw", "lay_out", "compare")  # keys with the kind of a group


class Kind(Closed):
    """Base class of groups of settings that come in several kinds.

    A family declares class variables without a value and abstract methods or properties. Each kind, a subclass with a
    discriminator among its keys, must define all of them.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Raise TypeError if the class is a kind and does not define everything that its family declares."""
        if not set(DISCRIMINATORS) & set(cls.model_fields):
            return
        missing = {name for name in cls.__class_vars__ if not hasattr(cls, name)} | cls.__abstractmethods__
        if missing:
            declared = ((base.__name__, vars(base) | vars(base).get("__annotations__", {})) for base in cls.__mro__)
            family = next(name for name, found in declared if missing & set(found))
            raise TypeError(
                f"{cls.__name__} does not define {', '.join(sorted(missing))}; expected: all that {family} declares"
            )


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]


def short_for(key: str) -> BeforeValidator:
    """Allow a string as short for a group with one key: `augmentation: crops` for `augmentation: {type: crops}`."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


class Packs(Closed):
    """Packs of consecutive sentences, from which positive pairs are made."""

    sentences: int = Field(2, ge=1, description="Number of sentences in a pack.")
    minimum_length: int = Field(
        100, ge=0, description="Minimum length of a sentence, in characters; see `maximum_length`."
    )
    maximum_length: int = Field(
        250,
        ge=1,
        description="Maximum length of a sentence, in characters. Unless a corpus has `sentences: paper`, Han, Kana "
        "and Hangul characters count twice.",
    )

    @model_validator(mode="after")
    def lengths_in_order(self):
        if self.minimum_length > self.maximum_length:
            raise ValueError(
                f"minimum_length {self.minimum_length} is above maximum_length {self.maximum_length}; "
                f"expected: at most {self.maximum_length}"
            )
        return self
