"""Low-rank changes of the linear layers of an encoder, by PEFT (LoRA, Hu et al. 2022, arXiv:2106.09685).

A layer with the weights W computes with W + alpha / rank · B · A. Only A and B are trained, so the optimiser keeps
moments for few weights. B is zero at first. A model is saved with the sum as its weights, without PEFT.
"""

from collections.abc import Sequence

import torch
from sentence_transformers import SentenceTransformer

from selfembed.errors import InputError, first_line


def add(model: SentenceTransformer, *, rank: int, alpha: int, target_modules: Sequence[str] | None, seed: int) -> None:
    """Add low-rank changes to the encoder of a model, in place, and freeze everything else.

    Args:
        target_modules: names of layers, or their endings, such as `query`; None: all linear layers.
        seed: of the first values of A.

    Raises InputError if there are no such layers, or if they are not linear.
    """
    from peft import LoraConfig, inject_adapter_in_model

    targets = "all-linear" if target_modules is None else list(target_modules)
    model.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets)
            inject_adapter_in_model(config, model[0].model)
        except ValueError as error:
            raise InputError(f"lora: {first_line(error)}; expected: names of linear layers in target_modules") from None


def merge(model: SentenceTransformer, base: SentenceTransformer) -> SentenceTransformer:
    """Add the changes of the encoder of a model to those of its base model without any, in place; return the latter.

    The weights of `model` stay as they are, because those of W + change - change would be rounded.
    """
    from peft.tuners.lora import LoraLayer

    encoder = base[0].model
    with torch.no_grad():
        for name, layer in model[0].model.named_modules():
            if isinstance(layer, LoraLayer):
                (adapter,) = layer.active_adapters
                encoder.get_submodule(name).weight += layer.get_delta_weight(adapter)
    return base
