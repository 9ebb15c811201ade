"""Precision of the encoder: what `fp32`, `tf32` and `bf16` mean.

- `fp32`: matrix products of float32 numbers (24 significant bits). TF32 is off, also in cuDNN, where it is on by
  default.
- `tf32`: GPUs round the factors of these products, and of those of the backward pass, to TF32 (11 significant bits) and
  add up in float32.
- `bf16`: autocast of the encoder alone: its matrix products have factors and results in bfloat16 (8 significant bits),
  and are added up in float32.

Weights, gradients and optimiser states are float32 in each. TF32 and bfloat16 have the exponents of float32, so losses
need no scaling.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from selfembed.jobs.command_line import log

# Where torch decides about TF32. The settings above these, such as `torch.backends.fp32_precision`, do not reach cuDNN;
# the older `allow_tf32` must not be mixed with them.
PRODUCTS = (torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn)  # ty: ignore[missing-attribute]


def available(wish: str, device: str) -> str:
    """Return the precision that a device computes in: the wish or, where a device does not have it, `fp32`.

    CPUs have `fp32` and `bf16` (slow without bf16 instructions), GPUs have `tf32` and `bf16` from compute capability
    8.0 (Ampere) on. Logs a warning if the wish is not available.

    Args:
        wish: `fp32`, `tf32` or `bf16`.
        device: `cpu` or `cuda`.
    """
    if wish == "fp32" or (device, wish) == ("cpu", "bf16"):
        return wish
    if device == "cuda" and {"tf32": torch.cuda.is_tf32_supported, "bf16": has_bf16}[wish]():
        return wish
    log.warning("precision: this device (%s) has no %s; the encoder runs in fp32", device, wish)
    return "fp32"


def has_bf16() -> bool:
    """Whether the GPU has bf16 instructions; torch also emulates them, which is slower than fp32."""
    return torch.cuda.is_bf16_supported(including_emulation=False)


@contextmanager
def float_products(precision: str) -> Iterator[None]:
    """Within the context, GPUs round factors of float32 products to TF32 if the precision is `tf32`, and only then."""
    before = [product.fp32_precision for product in PRODUCTS]
    try:
        for product in PRODUCTS:
            product.fp32_precision = "tf32" if precision == "tf32" else "ieee"
        yield
    finally:
        for product, value in zip(PRODUCTS, before, strict=True):
            product.fp32_precision = value


@contextmanager
def forward_pass(precision: str, device: str) -> Iterator[None]:
    """Within the context, a forward pass of an encoder on a device (`cpu`, `cuda`) is computed in a precision."""
    with float_products(precision), torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "bf16"):
        yield
