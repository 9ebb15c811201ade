"""Where encoders run, and on how many threads."""

import os

from selfembed.errors import InputError


def choose_device(wish: str) -> str:
    """`cpu` or `cuda`; `auto` takes a GPU where there is one.

    A job uses one GPU, the first of those visible to it: on several, the trainer would split every batch and with it
    the negatives. To be called before anything else uses a GPU.

    Raises InputError if a GPU is wanted and there is none.
    """
    import torch

    os.environ["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    if wish == "cuda" and not torch.cuda.is_available():
        raise InputError("device: 'cuda' is wanted, but torch sees no GPU; allowed: cpu, auto")
    if wish == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return wish


def use_threads(threads: int) -> None:
    """Compute on exactly this many CPU threads: results are the same bytes only for the same number."""
    import torch

    torch.set_num_threads(threads)
