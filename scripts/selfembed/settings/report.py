"""Settings of the report."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from selfembed.settings.base import Closed, Name, Text

Purpose = Literal["search", "grouping", "both"]
Export = Annotated[
    str, StringConstraints(pattern=r"^(dimensions_[1-9][0-9]*|int8_vectors|binary_vectors|static|onnx_int8)$")
]
# Packages that an export needs beside those of all steps. These exports use no GPU.
PACKAGES = {"static": ("model2vec", "skeletoken"), "onnx_int8": ("onnx", "onnxruntime", "onnxscript")}


class Report(Closed):
    """A report on one corpus and a model for it: `results/{folder}/report.html`.

    Candidates are all models of the experiments `search` and `grouping` that are fine-tuned on the corpus or have its
    word counts. The best one is chosen on a part of the test texts and judged on the others. If it is not better, the
    encoder before fine-tuning is kept. The result is saved in `adapted_model/`, ready to use and publish.
    """

    corpus: Name = Field(description="Corpus that the candidates are fine-tuned on.")
    purpose: Purpose = Field(
        "both",
        description="What the model is for: `search` (find texts), `grouping` (neighbours, clusters, classifiers), or "
        "`both`: better for one and not worse for the other.",
    )
    keep: Text = Field(description="Label of the encoder before fine-tuning, which every candidate is compared with.")
    search: Name | None = Field(
        None, description="Experiment with a score of retrieval: `title_pairs` or `crop_pairs` on held-out texts."
    )
    grouping: Name | None = Field(None, description="Experiment with accuracies, which need labels.")
    figures: list[Name] = Field(default_factory=list, description="Figures and interactive maps to show.")
    title: Text | None = Field(None, description="Heading; defaults to the name of the corpus.")
    exports: list[Export] = Field(
        default_factory=list,
        description="Other forms of the adapted model: `dimensions_N` (for instance `dimensions_128`), `int8_vectors`, "
        "`binary_vectors`, `static`, `onnx_int8`; see docs/exports.md.",
    )

    @property
    def evidence(self) -> dict[str, str]:
        """The experiments by purpose."""
        found = {"search": self.search, "grouping": self.grouping}
        return {purpose: name for purpose, name in found.items() if name is not None}
