"""Rendering of a proposal as a commented config.

`config/own_texts.yaml` is rendered from the same template for a fictitious file.
"""

import math
import re
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from selfembed.errors import reword_errors
from selfembed.proposals.crop_limits import REPEATED
from selfembed.proposals.proposals import LEAST_IN_CLASS, LONGEST_TRAINED, MOST_SEARCHED, SAMPLE_SEED, Proposal
from selfembed.study import files
from selfembed.study.validation import load

# Numbers and truth values for some readers of YAML, but not for PyYAML, which writes the config.
AMBIGUOUS = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|0o[0-7]+|[yYnN]")


def render(proposal: Proposal, command: str) -> str:
    """Render and validate the config that `command` runs.

    Raises InputError if a name or path in it is invalid.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"scalar": scalar, "number": "{:,}".format}
    limits = "".join(f", {key}: {value}" for key, value in proposal.limits.model_dump(exclude_defaults=True).items())
    known = {"least_in_class": LEAST_IN_CLASS, "sample_seed": SAMPLE_SEED, "repeated_in": REPEATED}
    known |= {"most_searched": MOST_SEARCHED, "longest_trained": LONGEST_TRAINED}
    config = environment.get_template("config.yaml.j2").render(
        proposal=proposal, command=command, limits=limits, **known
    )
    with reword_errors("a name or path cannot be written in a config", yaml.YAMLError):
        load(yaml.safe_load(config))
    return config


def scalar(value: Any) -> str:
    """Format a value as YAML in one line; text is quoted unless every reader of YAML takes it for text."""
    style = None
    if isinstance(value, str):
        style = '"' if not value.isprintable() else "'" if AMBIGUOUS.fullmatch(value) else None
    text = yaml.safe_dump(value, default_style=style, default_flow_style=True, allow_unicode=True, width=math.inf)
    return text.removesuffix("\n").removesuffix("\n...")


def example() -> tuple[Path, str]:
    """Return path and content of `config/own_texts.yaml`, a proposal for a fictitious file."""
    path = Path("config", "own_texts.yaml")
    source = {"type": "file", "path": "data/texts.csv", "text": "text", "title": "title"}
    proposal = Proposal("own_texts", source, 5000, 4500, 450, held_out=0.1, titled=True)
    return path, render(proposal, files.adapt_command(path, files.CHECKOUT))
