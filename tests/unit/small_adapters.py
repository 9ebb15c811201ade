"""Small adapters as the `adapters` library saves them."""

import json
from pathlib import Path

import torch

CONFIG = {
    "adapter_residual_before_ln": False,
    "cross_adapter": False,
    "factorized_phm_W": True,
    "factorized_phm_rule": False,
    "hypercomplex_nonlinearity": "glorot-uniform",
    "init_weights": "bert",
    "inv_adapter": None,
    "inv_adapter_reduction_factor": None,
    "is_parallel": False,
    "learn_phm": True,
    "leave_out": [],
    "ln_after": False,
    "ln_before": False,
    "mh_adapter": False,
    "non_linearity": "relu",
    "original_ln_after": True,
    "original_ln_before": True,
    "output_adapter": True,
    "phm_bias": True,
    "phm_c_init": "normal",
    "phm_dim": 4,
    "phm_init_range": 0.0001,
    "phm_layer": False,
    "phm_rank": 1,
    "reduction_factor": 4,
    "residual_before_ln": True,
    "scaling": 1.0,
    "shared_W_phm": False,
    "shared_phm_rule": True,
    "use_gating": False,
}


def weights(name: str = "[PRX]", layers: int = 2, dim: int = 16, width: int = 4) -> dict[str, torch.Tensor]:
    """Random weights, so large that vectors change much, under the library's names."""
    generator = torch.Generator().manual_seed(0)
    shapes = {
        "adapter_down.0.weight": (width, dim),
        "adapter_down.0.bias": (width,),
        "adapter_up.weight": (dim, width),
        "adapter_up.bias": (dim,),
    }
    return {
        f"bert.encoder.layer.{layer}.output.adapters.{name}.{part}": torch.randn(shape, generator=generator)
        for layer in range(layers)
        for part, shape in shapes.items()
    }


def save(folder: Path, tensors: dict, name: str = "[PRX]", dim: int = 16, others: dict | None = None, **config) -> Path:
    """Write an adapter's config, with some keys of its own or of the file changed, and its weights."""
    folder.mkdir(parents=True)
    found = {"config": CONFIG | config, "hidden_size": dim, "model_type": "bert", "name": name, "version": "3.1.0"}
    (folder / "adapter_config.json").write_text(json.dumps(found | (others or {})))
    torch.save(tensors, folder / "pytorch_adapter.bin")
    return folder
