"""Adapters saved by the `adapters` library, added to a BERT encoder.

One kind is supported: the sequential bottleneck (`seq_bn`, formerly `pfeiffer`), which SPECTER2 uses.
"""

import json
import math
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from selfembed.errors import InputError, reword_errors
from selfembed.models import checkpoints

if TYPE_CHECKING:
    from sentence_transformers.sentence_transformer.modules import Transformer
    from transformers import PreTrainedConfig

FOLDER = "adapter"  # in the folder of the encoder that the adapter belongs to
CONFIG = "adapter_config.json"
WEIGHTS = "adapter.safetensors"
OTHER_WEIGHTS = "pytorch_adapter.bin"

# The library's settings that `BertWithAdapter` implements. For the first group the library has other or no defaults.
STATED = {"mh_adapter": False, "output_adapter": True, "original_ln_before": True, "non_linearity": "relu"}
ASSUMED = {
    "original_ln_after": True,
    "ln_before": False,
    "ln_after": False,
    "residual_before_ln": True,
    "adapter_residual_before_ln": False,
    "is_parallel": False,
    "cross_adapter": False,
    "scaling": 1.0,
    "use_gating": False,
    "phm_layer": False,
    "inv_adapter": None,
    "leave_out": [],
    "dropout": 0.0,
    "stochastic_depth": 0.0,
}
# Affects only initial weights, or belongs to `phm_layer` or `inv_adapter`.
WITHOUT_MEANING = re.compile(r"init_weights(_seed)?|inv_adapter_reduction_factor|.*phm.*|hypercomplex_nonlinearity")
FACTOR = "reduction_factor"  # the encoder's width divided by the adapter's


def add(encoder: "Transformer", folder: Path, layers: int) -> None:
    """Add an adapter to a BERT encoder, in place.

    Args:
        layers: number of transformer layers of the adapter; layers that a truncated encoder lacks are skipped.

    Raises InputError if the folder has no adapter of the supported kind that fits the encoder.
    """
    from selfembed.models.bert_with_adapter import BertWithAdapter, BertWithAdapterConfig

    config = encoder.model.config
    weights = encoder.model.state_dict() | read(folder, config, layers)
    settings = {key: value for key, value in config.to_dict().items() if key not in ("model_type", "architectures")}
    width = len(weights["encoder.layer.0.output.adapter_down.bias"])
    with torch.random.fork_rng(devices=[]):
        model = BertWithAdapter(BertWithAdapterConfig(**settings, adapter_width=width))
    model.load_state_dict({name: weights[name] for name in model.state_dict()})
    encoder.model = model.eval()


def check(encoder: Path) -> None:
    """Check that the adapter in an encoder's folder is of the supported kind and fits the encoder.

    Raises InputError if it does not.
    """
    with checkpoints.loading(encoder):
        config = checkpoints.read_config(encoder)
    read(encoder / FOLDER, config, config.num_hidden_layers)


def copy(source: Path, folder: Path) -> None:
    """Copy a saved adapter; PyTorch weights are converted to safetensors without running code.

    Raises InputError if a file is missing or contains anything but tensors.
    """
    for names in ((CONFIG,), (WEIGHTS, OTHER_WEIGHTS)):
        if not any((source / name).is_file() for name in names):
            raise InputError(f"{source}: no {' or '.join(names)}; expected: an adapter of the adapters library")
    read_config(source / CONFIG)  # so that an error names this file
    folder.mkdir()
    shutil.copy(source / CONFIG, folder)
    if (source / WEIGHTS).is_file():
        shutil.copy(source / WEIGHTS, folder)
    else:
        checkpoints.convert([source / OTHER_WEIGHTS], folder / WEIGHTS)


def source(folder: Path) -> dict[str, Any]:
    """Repository, revision and name of a downloaded adapter."""
    return checkpoints.origin(folder) | {"name": read_config(folder / CONFIG)["name"]}


def read(folder: Path, encoder: "PreTrainedConfig", layers: int) -> dict[str, torch.Tensor]:
    """Read the weights of an adapter in fp32, with the parameter names of `BertWithAdapter`.

    Args:
        encoder: config of the encoder.
        layers: number of transformer layers that the adapter must have.

    Raises InputError if the adapter is of another kind or does not fit the encoder.
    """
    path = folder / CONFIG
    config = read_config(path)
    if encoder.model_type != "bert":
        raise InputError(f"{path}: the encoder is of type '{encoder.model_type}'; expected: adapters of a 'bert'")
    if config.get("hidden_size") != encoder.hidden_size:
        raise InputError(
            f"{path}: hidden_size: {config.get('hidden_size')!r} is invalid; expected: {encoder.hidden_size}"
        )
    width = max(1, int(encoder.hidden_size // config["config"][FACTOR]))
    return read_weights(folder / WEIGHTS, config["name"], encoder.hidden_size, width, layers)


def read_config(path: Path) -> dict[str, Any]:
    """Read the config of an adapter.

    Raises InputError if it is unreadable or describes another kind.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        settings, name = dict(found["config"]), found["name"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: cannot be read; expected: the config of an adapter of the adapters library"
        ) from error
    if found.get("model_type") != "bert":
        raise InputError(f"{path}: model_type: {found.get('model_type')!r} is invalid; expected: 'bert'")
    if not isinstance(name, str):
        raise InputError(f"{path}: name: {name!r} is invalid; expected: text")
    for key, needed in (STATED | ASSUMED).items():
        if key not in settings and key in STATED:
            raise InputError(f"{path}: config.{key} is missing; expected: {needed!r}")
        value = settings.get(key, needed)
        if value != needed or isinstance(value, bool) != isinstance(needed, bool):
            raise InputError(f"{path}: config.{key}: {value!r} is invalid; expected: {needed!r}")
    factor = settings.get(FACTOR)
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 < factor < math.inf:
        raise InputError(f"{path}: config.{FACTOR}: {factor!r} is invalid; expected: a number above 0")
    for key, value in settings.items():
        if key not in STATED | ASSUMED | {FACTOR: factor} and not WITHOUT_MEANING.fullmatch(key):
            raise InputError(f"{path}: config.{key}: {value!r} is not known; expected: {', '.join(STATED | ASSUMED)}")
    return found


def read_weights(path: Path, name: str, dim: int, width: int, layers: int) -> dict[str, torch.Tensor]:
    """Read the weights of the adapter `name`, which projects `dim` to `width` values in each of `layers` layers.

    The library names them `bert.encoder.layer.0.output.adapters.{name}.adapter_down.0.weight` and so on.

    Raises InputError if tensors are missing, unknown or of another shape.
    """
    with reword_errors(f"{path}: cannot be read", (OSError, SafetensorError), expected="weights of an adapter"):
        tensors = load_file(path)
    found = {}
    for layer in range(layers):
        place = f"encoder.layer.{layer}.output"
        for part, theirs, shape in (
            ("adapter_down.weight", "adapter_down.0.weight", (width, dim)),
            ("adapter_down.bias", "adapter_down.0.bias", (width,)),
            ("adapter_up.weight", "adapter_up.weight", (dim, width)),
            ("adapter_up.bias", "adapter_up.bias", (dim,)),
        ):
            key = f"bert.{place}.adapters.{name}.{theirs}"
            if key not in tensors:
                raise InputError(f"{path}: {key} is missing; expected: an adapter in all {layers} layers")
            tensor = tensors.pop(key).float()
            if tensor.shape != shape:
                raise InputError(f"{path}: {key}: shape {list(tensor.shape)} is invalid; expected: {list(shape)}")
            found[f"{place}.{part}"] = tensor
    if tensors:
        raise InputError(
            f"{path}: {min(tensors)} is not known; expected: weights of '{name}' after the feed-forward blocks of "
            f"{layers} layers"
        )
    return found
