"""Reading a config before any job starts. Every problem is one line: key path, value, what is allowed."""

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from selfembed import task_files
from selfembed.errors import InputError
from selfembed.settings.checks import check
from selfembed.settings.schema import Settings

# What pydantic's messages say around what is allowed.
AROUND_WHAT_IS_ALLOWED = re.compile(r"^\w+ should (be|have) |, (unable to|got) .*| after validation.*")


def load(config: dict[str, Any]) -> Settings:
    """Check a config, as Snakemake read it, and return its settings.

    Raises InputError with one line for every wrong key, type, name or combination.
    """
    try:
        settings = Settings.model_validate(config)
    except ValidationError as error:
        raise InputError("\n".join(dict.fromkeys(describe(problem) for problem in error.errors()))) from None
    problems = list(dict.fromkeys(check(settings)))
    if problems:
        raise InputError("\n".join(problems))
    return settings


def missing_sources(settings: Settings) -> None:
    """Check that the local files and folders a config names exist.

    Raises InputError with one line for each that does not.
    """
    named = [
        (f"corpora.{name}.source.{key}", path, "", "a file")
        for name, corpus in settings.corpora.items()
        for key in ("path", "keyword_classes")
        if (path := getattr(corpus.source, key, None)) is not None
    ] + [
        (f"encoders.{name}.path", encoder.path, "model.safetensors", "a folder with model.safetensors")
        for name, encoder in settings.encoders.items()
        if encoder.type == "folder"
    ]
    if settings.published is not None:
        named.append(("published", settings.published, "", "a file"))
    missing = [
        f"{key}: {path!r} does not exist; allowed: {kind}"
        for key, path, inside, kind in named
        if not Path(path, inside).is_file()
    ] + missing_task_files(settings)
    if missing:
        raise InputError("\n".join(missing))


def missing_task_files(settings: Settings) -> list[str]:
    """One line for each task whose files are not all there."""
    found = []
    for name, task in settings.tasks.items():
        try:
            for file in task_files.FILES[task.type] if getattr(task, "files", None) else ():
                task_files.find(Path(task.files), file)
        except InputError as error:
            found.append(f"tasks.{name}.files: {error}")
    return found


def check_target_names(settings: Settings, taken: set[str]) -> None:
    """Check that no figure or table, each a rule by its name, is called like a rule of the workflow or like another.

    Raises InputError with one line for each that is.
    """
    clashes = [
        f"{key}.{name}: the name is a rule's; allowed: another name"
        for key, group in (("figures", settings.figures), ("tables", settings.tables))
        for name in group
        if name in taken or (key == "tables" and name in settings.figures)
    ]
    if clashes:
        raise InputError("\n".join(clashes))


def describe(problem: dict[str, Any], root: type[BaseModel] = Settings, prefix: str = "") -> str:
    """One line for one problem that pydantic found in a group of settings whose key path is `prefix`."""
    keys, holder, node = locate(problem["loc"], root)
    key = ".".join(filter(None, [prefix, *keys])) or "config"
    value = shortened(problem["input"])
    context = problem.get("ctx", {})
    match problem["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key; allowed here: {', '.join(sorted(holder.get('properties', ())))}"
        case "missing":
            return f"{key}: missing; this key is needed"
        case "union_tag_invalid":
            kind = context["discriminator"].strip("'")
            return f"{key}: {kind} {context['tag']!r} is unknown; allowed: {context['expected_tags']}"
        case "union_tag_not_found":
            kinds = ", ".join(map(repr, node["discriminator"]["mapping"]))
            return f"{key}: {value} has no key '{node['discriminator']['propertyName']}'; allowed: {kinds}"
        case "value_error":
            return f"{key}: {context['error']}"
        case "string_pattern_mismatch":
            allowed = f"text that matches {context['pattern']}"
        case "literal_error":
            allowed = context["expected"]
        case "dict_type" | "model_type" | "model_attributes_type":
            allowed = "a group of keys"
        case _:
            allowed = AROUND_WHAT_IS_ALLOWED.sub("", problem["msg"])
    return f"{key}: {value} is not possible; allowed: {allowed}"


def shortened(value: Any) -> str:
    """A value as one short line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def locate(location: tuple[str | int, ...], root: type[BaseModel]) -> tuple[list[str], dict, dict]:
    """Find a problem's location in the JSON schema of `root`.

    Returns the keys that lead there, the schema of what holds the last key, and the schema of what the last key holds.
    Pydantic's locations also name the branch taken at every union, and `[key]` for a name; these are no keys.
    """
    schema = root.model_json_schema()

    def resolve(node: dict) -> dict:
        while "$ref" in node or "anyOf" in node:
            node = schema["$defs"][last_word(node["$ref"])] if "$ref" in node else node["anyOf"][0]
        return node

    keys, holder, node = [], {}, schema
    for part in location:
        if part == "[key]":
            continue
        if "oneOf" in node:
            node = resolve(branch(node, part))
        else:
            keys.append(str(part) if str(part).isprintable() else repr(part))
            holder, node = node, resolve(held(node, part))
    return keys, holder, node


def branch(node: dict, name: str | int) -> dict:
    """Branch of a union by its `type`, by the name of its group or by its JSON type."""
    mapping = node.get("discriminator", {}).get("mapping", {})
    if name in mapping:
        return {"$ref": mapping[name]}
    options = node["oneOf"]
    return next((one for one in options if name in (last_word(one.get("$ref", "")), one.get("type"))), {})


def held(node: dict, key: str | int) -> dict:
    """What a key of a group, a name or a position of a list holds; empty if the schema does not say."""
    if key in node.get("properties", {}):
        return node["properties"][key]
    by_name = [node.get("items"), node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
    return next(filter(None, by_name), {})


def last_word(reference: str) -> str:
    """Name of the group that a JSON schema refers to."""
    return reference.rsplit("/", 1)[-1]
