"""Settings as command-line flags, so that every printed command can be copied and run by hand."""

import shlex

from pydantic import BaseModel

from selfembed.scores.measures import Number


def flags(
    settings: BaseModel, omit: tuple[str, ...] = (), keep: tuple[str, ...] | None = None, prefix: str = ""
) -> str:
    """All settings of a group, or those to keep, as `--key value`, quoted for the shell.

    Underscores become hyphens, groups inside are flattened, lists become several values, True is the bare flag, False
    and None are `--no-key`. None, False and empty lists are left out where they are the default. A prefix tells a
    group's flags from those of another with the same keys. `jobs/options.py` reads all this back.
    """
    words = []
    for key, field in type(settings).model_fields.items():
        value = getattr(settings, key)
        without = value is None or value is False
        is_default = value == field.get_default(call_default_factory=True)
        if key in omit or (keep is not None and key not in keep) or (is_default and (without or value == [])):
            continue
        if isinstance(value, BaseModel):
            words.append(flags(value, prefix=prefix))
            continue
        words.append(f"--{'no-' * without}{prefix}{key.replace('_', '-')}")
        if value is not True and not without:
            words.extend(shlex.quote(str(item)) for item in (value if isinstance(value, list) else [value]))
    return " ".join(filter(None, words))


def measures(numbers: dict[str, Number]) -> str:
    """What scores measure and are called, by what tables call them, as flags."""
    return " ".join(
        f"--measure {shlex.join([name, number.measure, number.heading])}" for name, number in numbers.items()
    )
