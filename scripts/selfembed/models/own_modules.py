"""An encoder's own modules: what a sentence-transformers folder adds to its transformer.

The folder lists its modules in `modules.json`, each with a folder for its settings and weights. Prompts and the maximum
length are in JSON files beside it. Only JSON is read here; `encoders.load_whole` loads the modules.
Besides modules of sentence-transformers, a folder can have `word_counts.WordCounts`. The code saved with it is for
other programs: selfembed uses its own.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from selfembed.errors import InputError, reword_errors
from selfembed.jobs import records

MODULES = "modules.json"
PROMPTS = "config_sentence_transformers.json"
# Settings of the transformer; sentence-transformers uses the first that exists.
SETTINGS = [
    f"sentence_{name}_config.json"
    for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
]
TOKENIZER = "tokenizer_config.json"
CONFIG, WEIGHTS, OTHER_WEIGHTS = "config.json", "model.safetensors", "pytorch_model.bin"

WORD_COUNTS = "word_counts.WordCounts"
KINDS = ("Pooling", "Dense", "LayerNorm", "Normalize", "Dropout")
WITH_WEIGHTS = ("Dense", "LayerNorm", "WordCounts")
NEEDED = f"Transformer, then Pooling, then any of {', '.join(KINDS[1:])}, all of sentence-transformers"

# Names of prompts for the texts that are adapted to: those for documents, which may be empty, before that for queries.
FOR_DOCUMENTS = ("document", "passage")
FOR_QUERIES = "query"


class Module(NamedTuple):
    """A module after the transformer: its class in sentence-transformers and its folder."""

    kind: str
    folder: str


@dataclass(frozen=True)
class OwnModules:
    """What a sentence-transformers folder says.

    Attributes:
        modules: the modules after the transformer.
        words: a description of each of them.
        max_length: maximum number of tokens of a text; None if the folder does not say.
        prompts: prompts by name, without empty ones.
        empty: names of empty prompts.
        prompt: name of the prompt that precedes every text; None for no prompt.
        settings: settings of the transformer.
        others: `similarity_fn_name` and `truncate_dim`, if set.
    """

    modules: list[Module]
    words: list[str]
    max_length: int | None
    prompts: dict[str, str]
    empty: list[str]
    prompt: str | None
    settings: dict[str, Any]
    others: dict[str, Any]

    def suitable_prompt(self) -> str | None:
        """Return the prompt for the texts that are adapted to; None if there is none, or if it is empty."""
        found = next((name for name in FOR_DOCUMENTS if name in self.prompts), None)
        without = any(name in self.empty for name in FOR_DOCUMENTS)
        return found or (FOR_QUERIES if FOR_QUERIES in self.prompts and not without else None)

    def described(self) -> dict[str, Any]:
        """Return a description for `model.json`, `run.json` and the report; `prompt` is the text of the prompt."""
        said = {"modules": self.words, "max_length": self.max_length, "prompts": list(self.prompts)}
        return said | {"prompt": self.prompts.get(self.prompt) if self.prompt else None}


def read(folder: Path, prompt: str | None = None) -> OwnModules | None:
    """Read what a folder says about the modules after its transformer; None if it has no `modules.json`.

    Args:
        prompt: name of the prompt to use instead of the folder's default.

    Raises InputError if a file is damaged, a module is not supported, or the prompt does not exist.
    """
    modules = listed(folder)
    if not modules:
        if prompt is not None:
            raise InputError(f"{folder}: no {MODULES}, so there is no prompt '{prompt}'; expected: no prompt")
        return None
    config = read_json(folder / PROMPTS)
    listed_prompts = config.get("prompts") or {}
    prompts = {str(name): str(text) for name, text in listed_prompts.items() if text}
    chosen = prompt or config.get("default_prompt_name")
    # sentence-transformers adds two empty prompts, which can be the default.
    if chosen is not None and chosen not in (prompts if prompt else {"query", "document", *prompts}):
        known = ", ".join(prompts) or "no prompt, the encoder has none"
        raise InputError(f"{folder / PROMPTS}: no prompt '{chosen}'; expected: {known}")
    settings = next((read_json(folder / name) for name in SETTINGS if (folder / name).is_file()), {})
    return OwnModules(
        modules=modules,
        words=[describe(folder, module) for module in modules],
        max_length=longest(folder, settings),
        prompts=prompts,
        empty=[str(name) for name, text in listed_prompts.items() if not text],
        prompt=chosen,
        settings=settings,
        others={name: config[name] for name in ("similarity_fn_name", "truncate_dim") if config.get(name) is not None},
    )


def listed(folder: Path) -> list[Module]:
    """Return the modules after the transformer; empty if the folder has no `modules.json`.

    Raises InputError if the list is damaged, or if a module is not supported or needs code of its own.
    """
    path = folder / MODULES
    if not path.is_file():
        return []
    kinds = (OSError, ValueError, KeyError, TypeError)
    with reword_errors(f"{path}: cannot be read", kinds, expected="a list of modules"):
        found = [(str(item["type"]), str(item["path"])) for item in json.loads(path.read_text(encoding="utf-8"))]
    modules = []
    for place, (kind, subfolder) in enumerate(found):
        allowed = (("Transformer",), KINDS[:1])[place] if place < 2 else KINDS[1:]
        package, _, name = kind.rpartition(".")
        is_known = package.split(".")[0] == "sentence_transformers" and name in allowed
        if not is_known and (kind != WORD_COUNTS or place < 2):
            raise InputError(f"{path}: module '{kind}' is not supported at position {place}; expected: {NEEDED}")
        is_beside = Path(subfolder).name == subfolder and subfolder not in ("", "..")
        if not is_beside if place else subfolder:
            where = "a folder beside it" if place else "an empty path"
            raise InputError(f"{path}: path '{subfolder}' of module '{kind}' is invalid; expected: {where}")
        modules.append(Module(name, subfolder))
    if len(modules) < 2:
        raise InputError(f"{path}: {len(modules)} modules; expected: {NEEDED}")
    return modules[1:]


def describe(folder: Path, module: Module) -> str:
    """Describe a module: `cls pooling`, `Dense (32 to 16)`, `Normalize`.

    Raises InputError if its settings or weights are missing, or if they need code of their own.
    """
    path = folder / module.folder / CONFIG
    if module.kind in (*WITH_WEIGHTS, "Pooling") and not path.is_file():
        raise InputError(f"{path}: missing; expected: the settings of a module in {MODULES}, or no {MODULES}")
    config = read_json(path)
    if module.kind == "Pooling":
        # Older versions wrote `pooling_mode_cls_token: true` instead of `pooling_mode: cls`.
        older = [re.fullmatch(r"pooling_mode_(.+?)(_tokens?)?", key) for key, used in config.items() if used is True]
        modes = config.get("pooling_mode") or [found[1] for found in older if found] or ["mean"]
        return f"{modes if isinstance(modes, str) else ' and '.join(modes)} pooling"
    if module.kind == "Dense":
        activation = config.get("activation_function", "torch.nn.Tanh")
        if not str(activation).startswith("torch."):
            raise InputError(f"{path}: activation_function '{activation}' needs code; expected: a class of torch.nn")
        return f"Dense ({config.get('in_features')} to {config.get('out_features')})"
    if module.kind == "WordCounts":
        return f"word counts ({config.get('components')} components)"
    return module.kind


def longest(folder: Path, settings: dict[str, Any]) -> int | None:
    """Return the maximum number of tokens, in the order in which sentence-transformers looks for it."""
    tokenizer, config = read_json(folder / TOKENIZER), read_json(folder / CONFIG)
    fallback = [tokenizer.get("model_max_length"), config.get("max_position_embeddings")]
    said = [settings["max_seq_length"]] if settings.get("max_seq_length") else fallback
    # Tokenizers without a limit have a model_max_length of 10³⁰.
    return min((int(number) for number in said if isinstance(number, int | float) and 0 < number < 1e9), default=None)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of an encoder; empty if there is no such file.

    Raises InputError if it is damaged.
    """
    if not path.is_file():
        return {}
    with reword_errors(f"{path}: cannot be read", (OSError, ValueError, TypeError), expected="a JSON object"):
        return dict(json.loads(path.read_text(encoding="utf-8")))


def small_files(folder: Path) -> list[str]:
    """Return the names of the files that a folder with `modules.json` can have, except weights."""
    modules = listed(folder)
    return [PROMPTS, *SETTINGS, TOKENIZER, *(f"{module.folder}/{CONFIG}" for module in modules)] if modules else []


def folders_of_weights(folder: Path) -> list[str]:
    """Return the folders of the modules with weights."""
    return [module.folder for module in listed(folder) if module.kind in WITH_WEIGHTS]


def files(folder: Path) -> list[Path]:
    """Return the existing files of the modules in their own folders."""
    names = (CONFIG, WEIGHTS, OTHER_WEIGHTS)
    paths = [folder / module.folder / name for module in listed(folder) for name in names]
    return [path for path in paths if path.is_file()]


def check(folder: Path) -> None:
    """Check that the modules are supported and complete.

    Raises InputError if they are not.
    """
    read(folder)
    for name in folders_of_weights(folder):
        if not any((folder / name / file).is_file() for file in (WEIGHTS, OTHER_WEIGHTS)):
            raise InputError(f"{folder / name}: no {WEIGHTS}; expected: the weights of the module")


def checksum(folder: Path) -> str:
    """Return the SHA-256 of a model with its modules: all settings, templates and weights in the folder."""
    return records.checksum_of_files(
        folder, [path for path in folder.rglob("*") if path.suffix in (".json", ".jinja", ".safetensors")]
    )
