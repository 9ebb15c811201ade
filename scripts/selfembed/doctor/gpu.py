"""The GPU that this torch sees, or why it sees none."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from selfembed.doctor.findings import Finding
from selfembed.errors import first_line

ABOUT = "GPU"
DRIVER = Path("/proc/driver/nvidia/version")


def check(wish: str) -> tuple[Finding, bool]:
    """Check the GPU of a config with `device: {wish}`; return the finding and whether a GPU will be used."""
    if wish == "cpu":
        return Finding("ok", ABOUT, "not used, because the config sets device: cpu"), False
    import torch

    if torch.cuda.is_available():
        return usable(torch)
    driver = driver_version()
    if driver and torch.version.cuda is None:
        found = (
            f"this torch ({torch.__version__}) is built without CUDA, but there is a driver of NVIDIA ({driver}); "
            "expected: a torch built with CUDA, see docs/cluster.md"
        )
        return Finding("error", ABOUT, found), False
    if driver:
        chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
        found = f"torch {torch.__version__} (CUDA {torch.version.cuda}) finds no GPU with the driver {driver}"
        found += f"; CUDA_VISIBLE_DEVICES is '{chosen}'" if chosen is not None else ""
        return Finding("error", ABOUT, f"{found}; expected: a driver of this CUDA version or newer"), False
    if wish == "cuda":
        return Finding(
            "error", ABOUT, "none, but the config sets device: cuda; expected: a GPU, or device: auto"
        ), False
    return Finding("warning", ABOUT, f"none found by torch {torch.__version__}; encoders run on the processor"), False


def usable(torch) -> tuple[Finding, bool]:
    """Compute something on the first GPU."""
    try:
        name, memory = torch.cuda.get_device_name(0), torch.cuda.mem_get_info(0)
        torch.ones(2, device="cuda").sum().item()
    except RuntimeError as error:
        found = (
            f"torch {torch.__version__} (CUDA {torch.version.cuda}) sees a GPU, but cannot use it: {first_line(error)}"
        )
        return Finding("error", ABOUT, f"{found}; expected: a torch built for this GPU"), False
    free, total = (f"{size / 1e9:.0f} GB" for size in memory)
    versions = f"torch {torch.__version__}, CUDA {torch.version.cuda}, driver {driver_version() or 'unknown'}"
    return Finding("ok", ABOUT, f"{name}, {total}, {free} free; {versions}"), True


def driver_version() -> str | None:
    """Version of NVIDIA's driver, from the kernel or nvidia-smi; None without a driver."""
    if DRIVER.is_file():
        found = re.search(r"Kernel Module\s+(?:for \S+\s+)?([\d.]+)", DRIVER.read_text())
        return found[1] if found else "version unknown"
    if shutil.which("nvidia-smi"):
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stdout.split("\n")[0].strip() or "version unknown" if done.returncode == 0 else None
    return None
