"""Report on a corpus and the model that was chosen for it: one HTML page without network access or scripts.

The template escapes all values such as titles, labels and captions. A Content-Security-Policy allows only the style and
the images in the page, and frames of local files: the interactive maps beside it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from selfembed.errors import InputError
from selfembed.jobs.records import commit
from selfembed.pages import plain_words, templates
from selfembed.pages.account import Account
from selfembed.pages.examples import Example

PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Figure:
    """A figure: heading, type of content, caption (may be empty), and PNG file."""

    title: str
    shows: str
    caption: str
    path: Path

    @property
    def alternative(self) -> str:
        """Alternative text for screen readers, which read the caption separately."""
        return f"Figure: {self.title}. {self.shows}"

    @property
    def source(self) -> str:
        """The image as a data URI.

        Raises InputError if the file is not a PNG.
        """
        data = self.path.read_bytes()
        if not data.startswith(PNG):
            raise InputError(f"{self.path}: not a PNG; expected: a figure of this workflow")
        return f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"


def page(
    title: str,
    account: Account,
    model: str,
    corpus: str,
    examples: Sequence[Example],
    figures: Sequence[Figure],
    maps: dict[str, str],
    pairs: Sequence[dict[str, int]],
    table: Path,
    exports: Sequence[dict[str, Any]],
) -> str:
    """Return the HTML page.

    Args:
        model: path of the folder with the model.
        corpus: path of the corpus (Parquet).
        maps: relative paths of interactive maps, by corpus.
        pairs: row counts of corpora of crops, or of titles.
        exports: comparisons of exports with the model.

    Raises InputError if a figure is not a PNG.
    """
    folder = Path(__file__).parent
    style_source = templates.source_hash(templates.style(folder))
    policy = f"default-src 'none'; img-src data:; style-src {style_source}; frame-src 'self' file:"
    return templates.filled(
        folder,
        title=title,
        policy=f"{policy}; base-uri 'none'; form-action 'none'",
        account=account,
        words=plain_words,
        answer=plain_words.answer(account),
        scores=plain_words.score_table(account),
        model=model,
        corpus=corpus,
        examples=examples,
        figures=figures,
        # A map opens on the model that its address names.
        maps={corpus: f"{quote(path)}#{quote(account.choice.label)}" for corpus, path in maps.items()},
        pairs=pairs,
        table=table,
        exports=exports,
        commit=commit(),
    )
