"""Folders with pretrained weights: checks and conversion."""

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import safe_open
from transformers import AutoConfig, AutoModel

from selfembed.errors import InputError, first_line
from selfembed.jobs.records import checksum, read_json
from selfembed.models import own_modules

NEEDED = "a transformers checkpoint with tokenizer and safetensors weights that needs no custom code"

# Written to the folder of a downloaded encoder: `repository`, `revision`, and whether the config pins it (`pinned`).
REVISION = "revision.json"

# A fast tokenizer needs one of these groups of files.
TOKENIZERS = (("tokenizer.json",), ("vocab.txt",), ("vocab.json", "merges.txt"))


def check(folder: Path, layers: int, sha256: str | None = None) -> None:
    """Check that a folder contains a supported checkpoint.

    Raises InputError if config, tokenizer or safetensors weights are missing or damaged, if the checkpoint needs custom
    code or unsupported modules, or if the SHA-256 of the weights or the number of transformer layers differs.
    """
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: no {name}; expected: a transformers checkpoint with safetensors weights")
    if not any(all((folder / name).is_file() for name in names) for names in TOKENIZERS):
        known = ", or ".join(" with ".join(names) for names in TOKENIZERS)
        raise InputError(f"{folder}: no {known}; expected: a tokenizer beside the weights")
    found = checksum(folder / "model.safetensors")
    if sha256 is not None and found != sha256:
        raise InputError(f"{folder}/model.safetensors: SHA-256 is {found}, but the config says {sha256}")
    with loading(folder), safe_open(folder / "model.safetensors", "pt"):
        if "auto_map" in json.loads((folder / "config.json").read_text(encoding="utf-8")):
            raise InputError(f"{folder}: its config.json refers to custom code, which is not run; expected: {NEEDED}")
        found = last_layer(folder)
    if found != layers:
        raise InputError(f"{folder}: {found} transformer layers, but the config says layers: {layers}")
    own_modules.check(folder)


def last_layer(folder: Path) -> int:
    """Number of transformer layers of a checkpoint or a saved model.

    Raises InputError if the folder has no config that transformers supports.
    """
    with loading(folder):
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False).num_hidden_layers


def origin(folder: Path) -> dict[str, Any]:
    """Repository and revision of a downloaded encoder; empty for other encoders.

    Raises InputError if the file with this information is damaged.
    """
    return read_json(folder / REVISION, "repository", "revision") if (folder / REVISION).is_file() else {}


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Convert all errors of loading a checkpoint to InputError."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{folder}: cannot be loaded: {first_line(error)}; expected: {NEEDED}") from error


def check_complete(folder: Path) -> None:
    """Check that the weights are complete for the architecture in the config, except for the unused pooler.

    Raises InputError if tensors are missing; transformers would initialise them randomly.
    """
    with loading(folder):
        local = {"local_files_only": True, "trust_remote_code": False, "use_safetensors": True}
        _, found = AutoModel.from_pretrained(folder, output_loading_info=True, **local)
    missing = sorted(name for name in found["missing_keys"] if "pooler" not in name)
    if missing:
        raise InputError(
            f"{folder}: model.safetensors lacks {len(missing)} tensors of the architecture in config.json, "
            f"such as {missing[0]}; expected: weights that fit it"
        )


def convert(weights: Path, output: Path) -> None:
    """Convert a PyTorch checkpoint to safetensors without running code.

    Raises InputError if the checkpoint contains anything but tensors.
    """
    import torch
    from safetensors.torch import save_file

    try:
        tensors = torch.load(weights, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise InputError(
            f"{weights}: cannot be read without running code: {first_line(error)}; expected: safetensors"
        ) from error
    if not isinstance(tensors, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise InputError(f"{weights}: contains objects other than named tensors; expected: safetensors")
    # safetensors needs copies of tied tensors; transformers ties them again.
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, output, {"format": "pt"})
