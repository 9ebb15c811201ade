"""Pydantic's problems in our words: one line each, with the key path as the config has it."""

import re
from typing import Any

from pydantic import BaseModel

# What pydantic's messages say around what is allowed.
AROUND_WHAT_IS_ALLOWED = re.compile(r"^\w+ should (be|have) |, (unable to|got) .*| after validation.*")


def describe(problem: dict[str, Any], root: type[BaseModel], prefix: str = "") -> str:
    """One line for one problem that pydantic found in a group of settings, `root`, whose key path is `prefix`."""
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
