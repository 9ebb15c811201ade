"""Types and base classes shared by the groups of settings."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]
ScoreName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*(@[0-9]+)?$")]
Text = Annotated[str, StringConstraints(pattern=r"^[^-]")]  # a leading hyphen would be read as an option
LocalPath = Annotated[str, StringConstraints(pattern=r"^[^-{}<>][^{}<>]*$")]  # {} and <> mean something to Snakemake
Pooling = Literal["mean", "cls", "last", "token7"]


def each_once(seeds: list[int]) -> list[int]:
    """Reject duplicate seeds: one run would count as two."""
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"{seeds}: duplicate seed; expected: unique seeds")
    return seeds


Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(each_once)]


class Closed(BaseModel):
    """An immutable model that rejects unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


DISCRIMINATORS = ("type", "draw", "lay_out", "compare")  # keys that say of which kind a group is


class Kind(Closed):
    """A group of settings that comes in kinds. What is true of a kind stands on its class.

    A family of kinds declares facts: class variables without a value, and abstract methods or properties. A kind, which
    is a class with a discriminator among its keys, must have them all: one that lacks any is an error at import.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Raise TypeError if the class is a kind and lacks a fact."""
        if not set(DISCRIMINATORS) & set(cls.model_fields):
            return
        missing = {name for name in cls.__class_vars__ if not hasattr(cls, name)} | cls.__abstractmethods__
        if missing:
            declared = ((base.__name__, vars(base) | vars(base).get("__annotations__", {})) for base in cls.__mro__)
            family = next(name for name, found in declared if missing & set(found))
            raise TypeError(
                f"{cls.__name__} lacks {', '.join(sorted(missing))}; expected: what {family} says of every kind"
            )


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]


def from_name(value: Any) -> Any:
    """Allow `augmentation: crops` as short for `augmentation: {type: crops}`."""
    return {"type": value} if isinstance(value, str) else value


class Packs(Closed):
    """Packs of consecutive sentences, from which positive pairs are made."""

    sentences: int = Field(2, ge=1, description="Number of sentences in a pack.")
    minimum_length: int = Field(100, ge=0, description="Minimum length of a sentence, in characters.")
    maximum_length: int = Field(250, ge=1, description="Maximum length of a sentence, in characters.")

    @model_validator(mode="after")
    def lengths_in_order(self):
        """The minimum length cannot exceed the maximum length."""
        if self.minimum_length > self.maximum_length:
            raise ValueError(
                f"minimum_length {self.minimum_length} is above maximum_length {self.maximum_length}; "
                f"expected: at most {self.maximum_length}"
            )
        return self
