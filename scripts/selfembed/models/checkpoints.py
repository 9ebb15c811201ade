"""Folders with pretrained weights: what they must hold."""

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

NEEDED = "a transformers checkpoint with tokenizer and safetensors weights that needs no code of its own"

# In the folder of an encoder from the hub: `repository`, `revision` and whether the config pins it (`pinned`).
REVISION = "revision.json"

# Files that a fast tokenizer is made from: any of these groups will do.
TOKENIZERS = (("tokenizer.json",), ("vocab.txt",), ("vocab.json", "merges.txt"))


def check(folder: Path, layers: int, sha256: str | None = None) -> None:
    """Check that a folder holds a checkpoint we can use.

    Raises InputError if config, tokenizer or safetensors weights are missing or damaged, if the checkpoint brings code
    of its own, if the weights' SHA-256 differs, or if the number of transformer layers does.
    """
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: no {name}; needed: a transformers checkpoint with safetensors weights")
    if not any(all((folder / name).is_file() for name in names) for names in TOKENIZERS):
        known = ", or ".join(" with ".join(names) for names in TOKENIZERS)
        raise InputError(f"{folder}: no {known}; needed: a tokenizer beside the weights")
    found = checksum(folder / "model.safetensors")
    if sha256 is not None and found != sha256:
        raise InputError(f"{folder}/model.safetensors: SHA-256 is {found}, but the config says {sha256}")
    with loading(folder), safe_open(folder / "model.safetensors", "pt"):
        if "auto_map" in json.loads((folder / "config.json").read_text(encoding="utf-8")):
            raise InputError(f"{folder}: its config.json names code of its own, which is not run; needed: {NEEDED}")
        found = last_layer(folder)
    if found != layers:
        raise InputError(f"{folder}: {found} transformer layers, but the config says layers: {layers}")


def last_layer(folder: Path) -> int:
    """Number of transformer layers of a checkpoint or a saved model, whatever its architecture calls them.

    Raises InputError if the folder has no config that transformers knows.
    """
    with loading(folder):
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False).num_hidden_layers


def origin(folder: Path) -> dict[str, Any]:
    """Repository and revision of an encoder that was fetched from the hub; empty for any other.

    Raises InputError if the file that says so is damaged.
    """
    return read_json(folder / REVISION, "repository", "revision") if (folder / REVISION).is_file() else {}


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Whatever the files of a checkpoint do to the libraries that load it is one InputError."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{folder}: cannot be loaded: {first_line(error)}; needed: {NEEDED}") from error


def check_complete(folder: Path) -> None:
    """Check that the weights are those of the architecture that the config names, but for a pooler, which is not used.

    Raises InputError if some are missing: transformers would make them up at random.
    """
    with loading(folder):
        local = {"local_files_only": True, "trust_remote_code": False, "use_safetensors": True}
        _, found = AutoModel.from_pretrained(folder, output_loading_info=True, **local)
    missing = sorted(name for name in found["missing_keys"] if "pooler" not in name)
    if missing:
        raise InputError(
            f"{folder}: model.safetensors lacks {len(missing)} tensors of the architecture in config.json, "
            f"such as {missing[0]}; needed: weights that fit it"
        )


def convert(weights: Path, output: Path) -> None:
    """Write the tensors of a PyTorch checkpoint as safetensors; no code in the checkpoint runs.

    Raises InputError if the checkpoint holds anything but tensors.
    """
    import torch
    from safetensors.torch import save_file

    try:
        tensors = torch.load(weights, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise InputError(
            f"{weights}: cannot be read without running code: {first_line(error)}; needed: safetensors"
        ) from error
    if not isinstance(tensors, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise InputError(f"{weights}: holds something else than tensors by name; needed: safetensors")
    # Tied tensors become copies, which safetensors needs; transformers ties them again.
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, output, {"format": "pt"})
