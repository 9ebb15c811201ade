"""What the groups of settings share."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]
ScoreName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*(@[0-9]+)?$")]
Text = Annotated[str, StringConstraints(pattern=r"^[^-]")]  # a leading hyphen would be read as an option
LocalPath = Annotated[str, StringConstraints(pattern=r"^[^-{}<>][^{}<>]*$")]  # {} and <> mean something to Snakemake
Pooling = Literal["mean", "cls", "last", "token7"]


def each_once(seeds: list[int]) -> list[int]:
    """Seeds of which none comes twice: one run would count as two."""
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"{seeds}: a seed comes twice; allowed: each once")
    return seeds


Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(each_once)]


class Closed(BaseModel):
    """A model that refuses unknown keys and cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]


def from_name(value: Any) -> Any:
    """Let `augmentation: crops` stand for `augmentation: {type: crops}`."""
    return {"type": value} if isinstance(value, str) else value


class Packs(Closed):
    """Packs of consecutive sentences, from which pairs are made."""

    sentences: int = Field(2, ge=1, description="Sentences in a pack.")
    minimum_length: int = Field(100, ge=0, description="Shortest eligible sentence, in characters.")
    maximum_length: int = Field(250, ge=1, description="Longest eligible sentence, in characters.")

    @model_validator(mode="after")
    def lengths_in_order(self):
        """The shortest eligible sentence cannot be longer than the longest."""
        if self.minimum_length > self.maximum_length:
            raise ValueError(
                f"minimum_length {self.minimum_length} is above maximum_length {self.maximum_length}; "
                f"allowed: at most {self.maximum_length}"
            )
        return self
