"""Folders with pretrained weights: checks, copies and conversion."""

import json
import pickle
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfembed.errors import InputError, first_line
from selfembed.jobs.records import checksum, checksum_of_files, read_json
from selfembed.models import own_modules
from selfembed.models.model_cards import CARD

if TYPE_CHECKING:
    import torch

NEEDED = "a transformers checkpoint with tokenizer and weights that needs no custom code"

# Written to the folder of a downloaded encoder: `repository`, `revision`, and whether the config pins it (`pinned`).
REVISION = "revision.json"

# Weights, by preference. An index lists the files of weights that are split.
WEIGHTS = "model.safetensors"
INDEX = ".index.json"
FORMATS = (WEIGHTS, WEIGHTS + INDEX, "pytorch_model.bin", "pytorch_model.bin" + INDEX)

# A fast tokenizer needs one of these groups of files.
TOKENIZERS = (("tokenizer.json",), ("vocab.txt",), ("vocab.json", "merges.txt"))


def weight_files(folder: Path) -> list[Path]:
    """Files with the weights of a checkpoint, in the preferred of its FORMATS: one, or the parts that an index lists.

    Raises InputError if there are none, if the index is damaged, or if a part is missing.
    """
    found = next((folder / name for name in FORMATS if (folder / name).is_file()), None)
    if found is None:
        problem = f"no {' or '.join(FORMATS)}" if folder.is_dir() else "no such folder"
        raise InputError(f"{folder}: {problem}; expected: a transformers checkpoint with weights")
    if not found.name.endswith(INDEX):
        return [found]
    listed = parts(found)
    if missing := [path.name for path in listed if not path.is_file()]:
        raise InputError(f"{found}: {missing[0]} is missing; expected: all files of the weights in the folder")
    return listed


def parts(index: Path) -> list[Path]:
    """Files of weights that an index lists; they belong to its folder.

    Raises InputError if the index is damaged.
    """
    try:
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        return [index.parent / Path(name).name for name in sorted(names)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{index}: damaged; expected: an index of weights with the key weight_map") from error


def files(folder: Path) -> list[Path]:
    """Files of a checkpoint that are copied: settings, tokenizer, model card (for its licence) and weights.

    The revision is omitted: it applies to the downloaded files, not to what the folder contains now.
    """
    plain = [path for path in folder.iterdir() if path.suffix in {".json", ".txt", ".jinja"} or path.name == CARD]
    return sorted(path for path in plain if path.name != REVISION and path.name not in FORMATS) + weight_files(folder)


def copy(source: Path, folder: Path) -> None:
    """Copy a checkpoint and the modules after its transformer.

    Weights in parts or in PyTorch's format become one safetensors file, without running code.
    Raises InputError if the weights contain anything but tensors.
    """
    weights = weight_files(source)
    for path in files(source):
        if path not in weights or path.name == WEIGHTS:
            shutil.copy(path, folder)
    if not (folder / WEIGHTS).is_file():
        convert(weights, folder / WEIGHTS)
    for path in own_modules.files(source):
        target = folder / path.relative_to(source)
        target.parent.mkdir(exist_ok=True)
        if path.name != own_modules.OTHER_WEIGHTS:
            shutil.copy(path, target)
        elif not path.with_name(WEIGHTS).is_file():
            convert([path], target.with_name(WEIGHTS))


def check(folder: Path, layers: int, sha256: str | None = None) -> None:
    """Check that a folder contains a supported checkpoint.

    Args:
        sha256: of the file with the weights or, if they are in parts, of the parts' names and checksums.

    Raises InputError if config, tokenizer or weights are missing or damaged, if the checkpoint needs custom code or
    unsupported modules, or if the SHA-256 of the weights or the number of transformer layers differs.
    """
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder}: no config.json; expected: a transformers checkpoint")
    weights = weight_files(folder)
    if not any(all((folder / name).is_file() for name in names) for names in TOKENIZERS):
        known = ", or ".join(" with ".join(names) for names in TOKENIZERS)
        raise InputError(f"{folder}: no {known}; expected: {tokenizer_needed(folder)}")
    if sha256 is not None:
        found = checksum(weights[0]) if len(weights) == 1 else checksum_of_files(folder, weights)
        what = weights[0] if len(weights) == 1 else f"{folder}: weights in {len(weights)} parts"
        if found != sha256:
            raise InputError(f"{what}: SHA-256 is {found}, but the config says {sha256}")
    from safetensors import safe_open

    with loading(folder):
        for path in weights:
            if path.suffix == ".safetensors":
                with safe_open(path, "pt"):
                    pass
        if "auto_map" in json.loads((folder / "config.json").read_text(encoding="utf-8")):
            raise InputError(f"{folder}: its config.json refers to custom code, which is not run; expected: {NEEDED}")
        found = last_layer(folder)
    if found != layers:
        raise InputError(f"{folder}: {found} transformer layers, but the config says layers: {layers}")
    own_modules.check(folder)


def tokenizer_needed(folder: Path) -> str:
    """What to add to a folder without a fast tokenizer."""
    model = next((path.name for path in sorted(folder.glob("*.model"))), None)
    if model is None:
        return "a tokenizer beside the weights"
    return (
        f"{model} converted to tokenizer.json, which AutoTokenizer.from_pretrained(…).save_pretrained(…) does where "
        "the packages sentencepiece and protobuf are installed"
    )


def last_layer(folder: Path) -> int:
    """Number of transformer layers of a checkpoint or a saved model.

    Raises InputError if the folder has no config that transformers supports.
    """
    with loading(folder):
        return read_config(folder).num_hidden_layers


def read_config(folder: Path) -> Any:
    """Config of a checkpoint as transformers reads it, offline and without custom code."""
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def cut(folder: Path, layers: int) -> dict[str, Any]:
    """Settings of the config of a checkpoint that are different after a cut to its first layers.

    These are the number of layers, and lists with an entry per layer, such as Longformer's `attention_window`.
    """
    config = read_config(folder)
    if layers == config.num_hidden_layers:
        return {}
    others = ("architectures", "_ids", "_id")
    lists = {
        key: value[:layers]
        for key, value in config.to_dict().items()
        if isinstance(value, list) and len(value) == config.num_hidden_layers and not key.endswith(others)
    }
    return lists | {"num_hidden_layers": layers}


def origin(folder: Path) -> dict[str, Any]:
    """Repository and revision of a downloaded encoder; empty for other encoders.

    Raises InputError if the file with this information is damaged.
    """
    return read_json(folder / REVISION, "repository", "revision") if (folder / REVISION).is_file() else {}


@contextmanager
def loading(folder: Path, needed: str = NEEDED) -> Iterator[None]:
    """Convert all errors of loading a checkpoint to InputError."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{folder}: cannot be loaded: {first_line(error)}; expected: {needed}") from error


def convert(weights: list[Path], output: Path) -> None:
    """Write the tensors of files in PyTorch's or safetensors' format to one safetensors file, without running code.

    Raises InputError if a file is damaged or contains anything but tensors.
    """
    from safetensors.torch import save_file

    tensors = {}
    for path in weights:
        # safetensors needs copies of tied tensors; transformers ties them again.
        tensors |= {name: tensor.clone().contiguous() for name, tensor in read_tensors(path).items()}
    save_file(tensors, output, {"format": "pt"})


def read_tensors(weights: Path) -> "dict[str, torch.Tensor]":
    """Named tensors of a file in PyTorch's or safetensors' format.

    Raises InputError if the file is damaged or contains anything but tensors.
    """
    import torch
    from safetensors.torch import load_file

    if weights.suffix == ".safetensors":
        with loading(weights.parent):
            return load_file(weights)
    try:
        tensors = torch.load(weights, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise InputError(
            f"{weights}: cannot be read without running code: {first_line(error)}; expected: safetensors"
        ) from error
    if not isinstance(tensors, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise InputError(f"{weights}: contains objects other than named tensors; expected: safetensors")
    return tensors
