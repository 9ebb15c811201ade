"""Generate docs/configuration.md, config/schema.json and config/own_texts.yaml from the settings.

Run `python -m selfembed.study.documentation` after changes; a test fails if the files are out of date.
"""

import inspect
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

This page lists every key of a config file. It is generated from `scripts/selfembed/settings/`. Invalid keys, types,
names and combinations are rejected before any job starts; the error message names the key and the allowed values.
`config/schema.json` contains the same as a JSON schema, for editors.

To use another config instead of `config.yaml`, run `snakemake --configfile my.yaml`. To override single keys, use
`--config 'seeds=[1, 2]'`.
"""


def page() -> str:
    """Return the configuration page in Markdown: one table per group of settings, in breadth-first order."""
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
    """Return heading, description and table of one group of settings."""
    lines = [
        f"## {model.__name__}",
        "",
        inspect.cleandoc(model.__doc__ or ""),
        "",
        "| key | type | default | description |",
        "|---|---|---|---|",
    ]
    for key, info in model.model_fields.items():
        values = describe_type(info.annotation).replace("|", "\\|")
        lines.append(f"| `{key}` | {values} | {default(info)} | {info.description or ''} |")
    return "\n".join(lines) + "\n"


def groups_in(annotation: object) -> list[type[BaseModel]]:
    """Return the groups of settings in a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [group for part in typing.get_args(annotation) for group in groups_in(part)]


def describe_type(annotation: typing.Any) -> str:
    """Return a type as text, with links to groups of settings."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return describe_type(parts[0])
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in parts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(describe_type(part) for part in parts if part is not type(None))
    if origin is list:
        return f"list of {describe_type(parts[0])}"
    if origin is dict:
        return f"dict of {describe_type(parts[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return {str: "str", int: "int", float: "float", bool: "bool", typing.Any: "any"}[annotation]


def default(info: FieldInfo) -> str:
    """Return the default of a key as text."""
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined:
        return "–"
    if isinstance(value, BaseModel):
        return "its defaults"
    if isinstance(value, dict) and value:
        return ", ".join(f"`{name}` with its defaults" for name in value)
    return f"`{json.dumps(value)}`"


def files() -> dict[Path, str]:
    """Return every generated file and its content."""
    name, config = proposed_config.example()
    schema = json.dumps(Settings.model_json_schema(), indent=2, ensure_ascii=False)
    return {
        ROOT / "docs" / "configuration.md": page(),
        ROOT / "config" / "schema.json": f"{schema}\n",
        ROOT / name: config,
    }


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")
