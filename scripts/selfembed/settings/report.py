"""Settings of the report."""

from pydantic import Field

from selfembed.settings.base import Closed, Name, Text


class Report(Closed):
    """A report on one corpus and a model adapted to it: `results/{folder}/report.html`.

    The model is saved beside it in `adapted_model/`, ready to use and publish.
    """

    corpus: Name = Field(description="Corpus that the model is fine-tuned on.")
    model: Text = Field(
        description="Label of the fine-tuned model; with several seeds, the model of the first seed is saved."
    )
    differences: list[Name] = Field(
        min_length=1, description="Tables of differences that contain the model, most important first."
    )
    figures: list[Name] = Field(default_factory=list, description="Figures to show; interactive maps are linked.")
    title: Text | None = Field(None, description="Heading; defaults to the name of the corpus.")
