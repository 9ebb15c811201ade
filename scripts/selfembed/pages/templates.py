"""HTML pages of folders with a template, `page.html`, and a style, `style.css`."""

import base64
import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def filled(folder: Path, **values: Any) -> str:
    """Return the template of a folder with values, which are escaped, and its style; an unknown name is an error."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["literal"] = partial(json.dumps, ensure_ascii=False)  # a string of Python
    return environment.get_template("page.html").render(style=style(folder), **values)


def style(folder: Path) -> str:
    """Return the style of a folder."""
    return (folder / "style.css").read_text(encoding="utf-8")


def source_hash(content: str) -> str:
    """Return the hash source of a script or style for a Content-Security-Policy."""
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
