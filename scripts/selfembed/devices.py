"""Where encoders run."""

from selfembed.errors import InputError


def choose_device(wish: str) -> str:
    """`cpu` or `cuda`; `auto` takes a GPU where there is one.

    Raises InputError if a GPU is wanted and there is none.
    """
    import torch

    if wish == "cuda" and not torch.cuda.is_available():
        raise InputError("device: 'cuda' is wanted, but torch sees no GPU; allowed: cpu, auto")
    if wish == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return wish
