"""Format pydantic's errors as one line each: key path in the config, value, message, suggestion."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

# Names of Python in pydantic's messages.
AROUND = re.compile(r" or (instance of \w+|object to extract fields from)| after validation")


def describe(problem: ErrorDetails, root: type[BaseModel], prefix: str = "") -> str:
    """Return one line for an error of pydantic in a group of settings, `root`, whose key path is `prefix`."""
    keys, group, node = locate(problem["loc"], root)
    key = ".".join(filter(None, [prefix, *keys])) or "config"
    value, context, choices = problem["input"], problem.get("ctx", {}), []
    words = problem["msg"][:1].lower() + AROUND.sub("", problem["msg"])[1:]
    match problem["type"]:
        case "missing":
            return f"{key}: missing; this key is required"
        case "value_error":
            return f"{key}: {context['error']}"
        case "extra_forbidden":
            allowed = sorted(group["properties"])
            return f"{key}: unknown key; expected: {', '.join(allowed)}{did_you_mean(keys[-1], allowed)}"
        case "union_tag_not_found" if "discriminator" in node:
            words = f"it has no key '{node['discriminator']['propertyName']}'"
            words += f"; expected: {', '.join(map(repr, node['discriminator']['mapping']))}"
        case "union_tag_invalid":
            kind, tag, tags = context["discriminator"].strip("'"), context["tag"], context["expected_tags"]
            return f"{key}: {kind} {tag!r} is unknown; expected: {tags}{did_you_mean(tag, quoted(tags))}"
        case "literal_error":
            choices = quoted(context["expected"])
    return f"{key}: {shortened(value)} is invalid: {words}{did_you_mean(value, choices)}"


def did_you_mean(given: Any, known: Iterable[str]) -> str:
    """Return a suggestion for an unknown name: the most similar known name, if any."""
    found = get_close_matches(str(given), known, n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


def quoted(text: str) -> list[str]:
    """Return the words in single quotes."""
    return re.findall(r"'([^']*)'", text)


def shortened(value: Any) -> str:
    """Return a value as text of at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def locate(location: tuple[str | int, ...], root: type[BaseModel]) -> tuple[list[str], dict, dict]:
    """Find an error's location in the JSON schema of `root`.

    Returns the keys of the path, the schema of the group with the last key, and the schema of its value. Pydantic's
    locations also contain the branch of every union and `[key]` for a name, which are not keys.
    """
    schema = root.model_json_schema()
    keys, group, node = [], {}, schema
    for part in location:
        if part == "[key]":
            continue
        if "oneOf" in node:
            node = branch(node, part)
        else:
            keys.append(str(part) if str(part).isprintable() else repr(part))
            group, node = node, node.get("properties", {}).get(part) or values(node)
        while "$ref" in node or "anyOf" in node:  # the second branch of `anyOf` is null
            node = schema["$defs"][node["$ref"].rsplit("/")[-1]] if "$ref" in node else node["anyOf"][0]
    return keys, group, node


def branch(node: dict, name: str | int) -> dict:
    """Return a branch of a union by the value of its discriminator, the name of its group or its JSON type."""
    mapping = node.get("discriminator", {}).get("mapping", {})
    names = (mapping.get(name), f"#/$defs/{name}", name)
    return next((one for one in node["oneOf"] if one.get("$ref", one.get("type")) in names), {})


def values(node: dict) -> dict:
    """Return the schema of the values of a dict or list; empty if the schema has none."""
    by_pattern = list(node.get("patternProperties", {}).values())
    return next(filter(None, [node.get("items"), node.get("additionalProperties"), *by_pattern]), {})
