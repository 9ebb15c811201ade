"""Models between an encoder before fine-tuning and a fine-tuned one (Wortsman et al., CVPR 2022, arXiv:2109.01903).

Their names, as steps of a run, are `interpolated-` and the fraction of the way to the fine-tuned model.
"""

import re
from typing import Any

FRACTION = r"0\.(?:0[1-9]|[1-9][0-9]?)"  # above 0 and below 1, with at most two decimals
STEP = f"interpolated-{FRACTION}"


def fraction_of(step: str) -> float | None:
    """Return the fraction in the name of an interpolated step; None for other steps."""
    return float(step.removeprefix("interpolated-")) if re.fullmatch(STEP, step) else None


def move(model: Any, towards: Any, fraction: float) -> None:
    """Set the weights of a model in place to model + fraction · (towards - model), also in buffers.

    Weights that do not differ, such as those of frozen layers, keep their bytes. Integers are those of `towards`.

    Args:
        model: torch module on the CPU.
        towards: torch module with the same names of weights.
    """
    start, end = model.state_dict(), {name: value.to("cpu") for name, value in towards.state_dict().items()}
    # New tensors, because names of tied weights share one.
    between = {
        name: start[name] + fraction * (end[name] - start[name]) for name in end if end[name].is_floating_point()
    }
    model.load_state_dict(end | between)
