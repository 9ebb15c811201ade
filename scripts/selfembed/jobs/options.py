"""Command-line options generated from the fields of a settings model: type, limits, default and help.

`workflow/flags.py` writes these options: `--KEY` for True, `--no-KEY` for False or None; nested groups are flattened.
"""

import re
from argparse import SUPPRESS, ArgumentTypeError, BooleanOptionalAction, Namespace
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial, reduce
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from selfembed.jobs.command_line import Parser

Keys = tuple[str, ...]

LIMITS = {"ge": "from {}", "gt": "above {}", "le": "to {}", "lt": ", below {}"}
WORDS = {str, int, float, bool, NoneType}


def add(
    parser: Parser,
    model: Any,
    to: str | None = None,
    *,
    omit: tuple[str, ...] = (),
    keep: tuple[str, ...] | None = None,
    prefix: str = "",
    names: Mapping[str, str] | None = None,
    known: Mapping[str, str] | None = None,
    optional: bool = False,
) -> None:
    """Add an option for every field of a model.

    The parser validates all values together and exits with a one-line message on the first invalid value. The parsed
    arguments contain the values of all fields, including defaults, by the names of their options.

    Args:
        model: a model, or a union of models. In a union, the field whose annotation is a single literal (`type`)
            selects the model.
        to: argument that the validated model is stored in; required if `optional`.
        omit, keep: fields to exclude, or the only fields to include. Excluded fields have their defaults in the model
            (None for required fields) and are not part of `model_dump`.
        prefix: prefix of the option names.
        names: option names by field, where they differ from the field name.
        known: excluded fields, with the names of other arguments that contain their values.
        optional: whether the model is None if no option is given.

    Raises TypeError for fields that cannot be options: mappings, lists of groups, unions of groups.
    """
    kinds, omit = alternatives(model), (*omit, *(known or {}))
    chosen = [{path: field for path, field in fields(kind) if is_chosen(path[0], omit, keep)} for kind in kinds]
    kind_of = {word: kind for kind, found in zip(kinds, chosen, strict=True) for word in tag(found).values()}
    title = (kinds[0].__doc__ or kinds[0].__name__).splitlines()[0].rstrip(".")
    group = parser.add_argument_group(title if len(kinds) == 1 else " or ".join(kind_of))
    options: dict[Keys, tuple[str, FieldInfo]] = {}
    for path, field in {path: field for found in chosen for path, field in found.items()}.items():
        name = prefix + (names or {}).get(path[-1], path[-1]).replace("_", "-")
        options[path] = f"--{name}", field
        if path[-1] in tag(chosen[0]):
            several = len(kinds) > 1
            shown = "Kind." if several else SUPPRESS
            group.add_argument(f"--{name}", choices=list(kind_of), required=several, default=SUPPRESS, help=shown)
        else:
            required = not optional and all(path in found and found[path].is_required() for found in chosen)
            add_option(group, name, field, required)

    def check(arguments: Namespace) -> None:
        dests = {path: flag.removeprefix("--").replace("-", "_") for path, (flag, _) in options.items()}
        given = {path: getattr(arguments, dest) for path, dest in dests.items() if hasattr(arguments, dest)}
        if optional and not given:
            return setattr(arguments, to, None)
        kind = kinds[0]
        values = {key: getattr(arguments, name) for key, name in (known or {}).items()}
        for key, word in tag(chosen[0]).items():
            kind = kind_of[given.setdefault((key,), word)]
        for path, value in given.items():
            holder = values.setdefault(path[0], {}) if len(path) > 1 else values
            holder[path[-1]] = unwrapped(value, options[path][1])
        try:
            found = reduced(kind, omit, keep).model_validate(values)
        except ValidationError as error:
            parser.error(problem(error, options))
        for path, dest in dests.items():
            setattr(arguments, dest, reduce(lambda holder, key: getattr(holder, key, None), path, found))
        if to is not None:
            setattr(arguments, to, found)

    parser.checks.append(check)


def defaults(model: type[BaseModel], *keys: str) -> dict[str, Any]:
    """Return the defaults of the given fields of a model, or of all fields that have one."""
    found = {key: field for key, field in model.model_fields.items() if not field.is_required()}
    return {key: found[key].get_default(call_default_factory=True) for key in keys or found}


def default_of(field: FieldInfo) -> Any:
    """Return the default of a field; None if it is required."""
    return None if field.is_required() else field.get_default(call_default_factory=True)


def is_chosen(key: str, omit: tuple[str, ...], keep: tuple[str, ...] | None) -> bool:
    """Return whether a field is included."""
    return key not in omit and (keep is None or key in keep)


def fields(model: type[BaseModel]) -> Iterator[tuple[Keys, FieldInfo]]:
    """Yield the fields of a model and of nested groups, with the tuples of keys that lead to them."""
    for key, field in model.model_fields.items():
        groups = [
            kind for kind in alternatives(field.annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)
        ]
        if len(groups) == 1:
            yield from (((key, *path), inner) for path, inner in fields(groups[0]))
        else:
            yield (key,), field


def tag(found: dict[Keys, FieldInfo]) -> dict[str, str]:
    """Return the field that identifies the type of a model, and its value; empty if there is none."""
    literals = {path[0]: field.annotation for path, field in found.items() if len(path) == 1 and field.is_required()}
    words = {key: get_args(literal) for key, literal in literals.items() if get_origin(literal) is Literal}
    return {key: values[0] for key, values in words.items() if len(values) == 1}


def reduced(model: type[BaseModel], omit: tuple[str, ...], keep: tuple[str, ...] | None) -> type[BaseModel]:
    """Return a model in which excluded fields are not validated and not dumped."""
    others: dict[str, Any] = {}
    for key, field in model.model_fields.items():
        if not is_chosen(key, omit, keep):
            others[key] = (Any, Field(default_of(field), exclude=True))
    return create_model(model.__name__, __base__=model, **others) if others else model


def alternatives(annotation: Any) -> list[Any]:
    """Return the types of a value: the members of unions, without annotations."""
    if get_origin(annotation) is Annotated:
        return alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for member in get_args(annotation) for kind in alternatives(member)]
    return [annotation]


def add_option(group: Any, name: str, field: FieldInfo, required: bool) -> None:
    """Add the option of one field, without a parser default: the model sets the default."""
    several, kinds = kinds_of(field)
    choices = words_of(kinds)
    if not all(kind in WORDS or get_origin(kind) is Literal for kind in kinds):
        raise TypeError(f"--{name}: a field of type {field.annotation} cannot be an option")
    default = default_of(field)
    shown = " ".join(map(str, default)) if isinstance(default, list) else "" if default is None else str(default)
    notes = "; ".join(filter(None, [allowed(field), shown and f"default: {shown}"]))
    told = f"{field.description or ''}{notes and f' ({notes})'}".replace("%", "%%")
    how: dict[str, Any] = {"required": required, "default": SUPPRESS, "help": told}
    if bool in kinds:
        group.add_argument(f"--{name}", action=BooleanOptionalAction, **how)
        return
    if int in kinds or float in kinds:
        how["type"] = partial(number, field)
    group.add_argument(
        f"--{name}", nargs="*" if several else None, choices=None if "type" in how else choices or None, **how
    )
    if default is not None and NoneType in alternatives(field.annotation):
        dest = name.replace("-", "_")
        group.add_argument(f"--no-{name}", action="store_const", const=None, dest=dest, default=SUPPRESS, help="none")


def kinds_of(field: FieldInfo) -> tuple[bool, list[Any]]:
    """Return whether a field can be a list, and the types of the field or of its items."""
    kinds = alternatives(field.annotation)
    items = [item for kind in kinds if get_origin(kind) is list for item in alternatives(get_args(kind)[0])]
    return bool(items), [*(kind for kind in kinds if get_origin(kind) is not list), *items]


def words_of(kinds: list[Any]) -> list[Any]:
    """Return the values of all literal types."""
    return [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]


def unwrapped(value: Any, field: FieldInfo) -> Any:
    """Return the parsed value; a list of one literal such as `all` becomes the literal."""
    instead = words_of(alternatives(field.annotation))
    return value[0] if isinstance(value, list) and len(value) == 1 and value[0] in instead else value


def number(field: FieldInfo, text: str) -> int | float | str:
    """Argument type: a number, or text where the field allows it; the model checks the limits."""
    _, kinds = kinds_of(field)
    if int in kinds and re.fullmatch(r"[+-]?\d{1,18}", text):
        return int(text)
    if str in kinds or text in words_of(kinds):
        return text
    with suppress(ValueError):
        if float in kinds:
            return float(text)
    raise ArgumentTypeError(f"{text!r} is invalid; expected: {allowed(field)}")


def allowed(field: FieldInfo) -> str:
    """Describe the range of a numeric field; empty for other fields."""
    _, kinds = kinds_of(field)
    if str in kinds or not {int, float} & set(kinds):
        return ""
    said = [*field.metadata, *annotations(field.annotation)]
    limits = [
        words.format(getattr(limit, key)) for key, words in LIMITS.items() for limit in said if hasattr(limit, key)
    ]
    return " ".join(["numbers" if float in kinds else "whole numbers", *limits]).replace(" ,", ",")


def annotations(annotation: Any) -> Iterator[Any]:
    """Yield the metadata of a type and of the types nested in it."""
    if get_origin(annotation) is Annotated:
        for said in annotation.__metadata__:
            yield from said.metadata if isinstance(said, FieldInfo) else [said]
    if get_origin(annotation) is not Literal:
        for member in get_args(annotation):
            yield from annotations(member)


def problem(error: ValidationError, options: dict[Keys, tuple[str, FieldInfo]]) -> str:
    """Describe the first validation error in one line: option, value and expected values."""
    found = error.errors(include_url=False)[0]
    message = found["msg"].removeprefix("Value error, ")
    flag, field = next((option for path, option in options.items() if found["loc"][: len(path)] == path), ("", None))
    if field is None:
        return message
    if found["type"] == "missing":
        return f"argument {flag}: missing"
    if found["type"] == "extra_forbidden":
        return f"argument {flag}: not possible with this type"
    if found["type"] == "value_error":
        return f"argument {flag}: {message}"
    is_number = isinstance(found["input"], int | float)
    words = (is_number and allowed(field)) or message.removeprefix("Input should be ")
    return f"argument {flag}: {str(found['input'])!r} is invalid; expected: {words}"
