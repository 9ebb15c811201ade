"""A table as an HTML page."""

from pathlib import Path

import pandas as pd

from selfembed.pages import templates


def html(title: str, table: pd.DataFrame, caption: str = "") -> str:
    """Return the HTML page; cells are shown as text, and missing cells are empty."""
    return templates.filled(
        Path(__file__).parent,
        title=title,
        caption=caption,
        headings=list(table.columns),
        rows=table.fillna("").astype(str).to_numpy().tolist(),
    )
