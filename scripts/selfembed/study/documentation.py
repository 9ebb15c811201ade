"""The configuration page, the JSON schema and the example of a config for own texts, generated from the settings.

`python -m selfembed.study.documentation` writes docs/configuration.md, config/schema.json and config/own_texts.yaml;
a test fails when they are not what it would write.
"""

import json
import types
import typing
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from selfembed.proposals import proposed_config
from selfembed.settings.schema import Settings

ROOT = Path(__file__).parents[3]

INTRODUCTION = """# Configuration

Every key of a config file, generated from `scripts/selfembed/settings/`. A wrong key, type, name or
combination stops before any job, with one line that says where and what is allowed. `config/schema.json` is the same as
a JSON schema, for editors.

A config replaces `config.yaml`: `snakemake --configfile my.yaml`. Single keys change on the command line:
`--config 'seeds=[1, 2]'`.
"""


def page() -> str:
    """The whole Markdown page: one table for each group of settings, in the order in which they are met."""
    sections = [INTRODUCTION]
    waiting: list[type[BaseModel]] = [Settings]
    seen: set[type[BaseModel]] = set()
    while waiting:
        model = waiting.pop(0)
        if model in seen:
            continue
        seen.add(model)
        sections.append(section(model))
        for info in model.model_fields.values():
            waiting.extend(groups_in(info.annotation))
    return "\n".join(sections)


def section(model: type[BaseModel]) -> str:
    """Heading, description and table of one group of settings."""
    lines = [
        f"## {model.__name__}",
        "",
        (model.__doc__ or "").strip(),
        "",
        "| key | values | default | meaning |",
        "|---|---|---|---|",
    ]
    for key, info in model.model_fields.items():
        values = spelled(info.annotation).replace("|", "\\|")
        lines.append(f"| `{key}` | {values} | {default(info)} | {info.description or ''} |")
    return "\n".join(lines) + "\n"


def groups_in(annotation: object) -> list[type[BaseModel]]:
    """The groups of settings that a type mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [group for part in typing.get_args(annotation) for group in groups_in(part)]


def spelled(annotation: object) -> str:
    """A type in words, with links to the groups of settings."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return spelled(parts[0])
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in parts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(spelled(part) for part in parts if part is not type(None))
    if origin is list:
        return f"list of {spelled(parts[0])}"
    if origin is dict:
        return f"names with {spelled(parts[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return {str: "text", int: "whole number", float: "number", bool: "true, false", typing.Any: "any"}[annotation]


def default(info: FieldInfo) -> str:
    """The default in words."""
    if info.is_required():
        return "needed"
    value = info.default_factory() if info.default_factory else info.default
    if value is None or value is PydanticUndefined:
        return "–"
    if isinstance(value, BaseModel):
        return "its defaults"
    if isinstance(value, dict) and value:
        return ", ".join(f"`{name}` with its defaults" for name in value)
    return f"`{json.dumps(value)}`"


def schema() -> str:
    """The JSON schema as text."""
    return json.dumps(Settings.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def files() -> dict[Path, str]:
    """Every generated file and what must be in it."""
    name, config = proposed_config.example()
    return {
        ROOT / "docs" / "configuration.md": page(),
        ROOT / "config" / "schema.json": schema(),
        ROOT / name: config,
    }


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")
