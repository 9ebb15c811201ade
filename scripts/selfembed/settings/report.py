"""Settings of the report: what it tells of which model."""

from pydantic import Field

from selfembed.settings.base import Closed, Name, Text


class Report(Closed):
    """A page in plain words about one corpus and a model adapted to it: `results/{folder}/report.html`.

    The model is put into a folder of its own beside it, `adapted_model/`, ready to use and to publish.
    """

    corpus: Name = Field(description="Corpus that the model is fine-tuned on.")
    model: Text = Field(description="Label of the fine-tuned model; of several seeds the first is put into the folder.")
    differences: list[Name] = Field(
        min_length=1, description="Tables of differences that hold the model, the first the most important."
    )
    figures: list[Name] = Field(default_factory=list, description="Figures shown; interactive maps are linked.")
    title: Text | None = Field(None, description="Heading; by default the name of the corpus.")
