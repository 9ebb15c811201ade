"""A table as an HTML page."""

from pathlib import Path

import pandas as pd

from selfembed.pages import templates

HERE = Path(__file__).parent


def html(title: str, table: pd.DataFrame, caption: str = "") -> str:
    """Return the HTML page.

    Args:
        title: heading.
        table: cells as text, which is escaped; missing cells are empty.
        caption: text below the heading.
    """
    return (
        templates.environment(HERE)
        .get_template("page.html")
        .render(
            title=title,
            caption=caption,
            headings=list(table.columns),
            rows=table.fillna("").astype(str).to_numpy().tolist(),
            style=(HERE / "style.css").read_text(encoding="utf-8"),
        )
    )
