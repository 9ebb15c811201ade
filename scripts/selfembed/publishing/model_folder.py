"""The folder of an adapted model: its files, and what its card says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfembed.errors import InputError
from selfembed.models import model_cards


@dataclass(frozen=True)
class ModelFolder:
    """A model to publish: its files, without hidden ones; the metadata and the first heading of its card."""

    path: Path
    files: list[Path]
    metadata: dict[str, Any]
    title: str

    @property
    def size(self) -> int:
        """Size of all files in bytes."""
        return sum(path.stat().st_size for path in self.files)

    @property
    def licence(self) -> str | None:
        """Name of the licence in the card; None if it has none."""
        return model_cards.name_of_licence(self.metadata)

    def scores(self) -> list[str]:
        """Scores of the card, one line each."""
        return [
            f"{metric['name']}: {metric['value']:.1%}, {one['dataset']['name']}"
            for model in self.metadata["model-index"]
            for one in model["results"]
            for metric in one["metrics"]
        ]

    def card_for(self, repository: str) -> bytes:
        """Return the card with the name of a repository in place of the path of the folder."""
        card = (self.path / model_cards.CARD).read_text(encoding="utf-8")
        return card.replace(f'"{model_cards.PLACE}"', f'"{repository}"').encode()


def read(path: Path) -> ModelFolder:
    """Read the folder of an adapted model.

    Raises InputError if it is none.
    """
    expected = "expected: the folder adapted_model of a finished study"
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; {expected}")
    card = path / model_cards.CARD
    for name in ("modules.json", card.name):
        if not (path / name).is_file():
            raise InputError(f"{path}: not an adapted model: no {name}; {expected}")
    metadata = model_cards.metadata(card)
    if "model-index" not in metadata:
        raise InputError(f"{card}: no scores (model-index) in its front matter; {expected}")
    files = sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    lines = card.read_text(encoding="utf-8").splitlines()
    title = next((line.removeprefix("# ") for line in lines if line.startswith("# ")), path.name)
    return ModelFolder(path, files, metadata, title)
