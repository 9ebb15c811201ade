"""MPNet with fused attention against the steps of transformers: training steps and inference by length of text.

The encoder has the shape of microsoft/mpnet-base and random weights. With `--attention-only`, layers have no
feed-forward block, which is the same in both ways. The lowest of some rounds counts; on a CPU in CPU seconds, which
other work disturbs less. With `--fused`, the operation is used with gradients on a CPU, too.
"""

import copy
import time
from itertools import product

import measure
import torch
from transformers import MPNetConfig, MPNetModel
from transformers.models.mpnet.modeling_mpnet import MPNetLayer

from selfembed.models import mpnet_attention


def models(layers: int, device: str) -> dict[str, MPNetModel]:
    """The same encoder twice."""
    torch.manual_seed(0)
    plain = MPNetModel(MPNetConfig(vocab_size=100, num_hidden_layers=layers, max_position_embeddings=514))
    fused = copy.deepcopy(plain)
    mpnet_attention.fuse(fused)
    return {"transformers": plain.to(device), "fused": fused.to(device)}


def batch(length: int, arguments) -> dict[str, torch.Tensor]:
    """Texts of a length; a tenth of the last one is padding."""
    size = max(1, arguments.tokens // length)
    ids = torch.randint(2, 100, (size, length), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[-1, -(length // 10) :] = 0
    return {"input_ids": ids.to(arguments.device), "attention_mask": mask.to(arguments.device)}


def step(model: MPNetModel, inputs: dict[str, torch.Tensor], training: bool, precision: str) -> torch.Tensor:
    """A forward pass, and in training a backward pass with dropout; vectors of tokens."""
    device = inputs["input_ids"].device.type
    model.train(training).zero_grad()
    with (
        torch.inference_mode(not training),
        torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "bf16"),
    ):
        hidden = model(**inputs).last_hidden_state.float()
    if training:
        hidden.square().mean().backward()
    return hidden.detach()[inputs["attention_mask"].bool()]


def seconds(device: str) -> float:
    """A clock: of the GPU's work, or of a CPU's."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def prepare(arguments) -> None:
    """Set what applies to a whole process."""
    torch.set_num_threads(arguments.threads)
    if arguments.attention_only:
        MPNetLayer.forward = lambda self, hidden, mask, bias, **others: self.attention(hidden, mask, bias)
    if arguments.fused:
        mpnet_attention.has_kernel = lambda hidden_states: True


def cpu_seconds(arguments, length: int, training: bool, precision: str) -> list[float]:
    """The lowest seconds of both ways."""
    made, given = models(arguments.layers, arguments.device), batch(length, arguments)
    one, other = (step(model, given, False, "fp32") for model in made.values())
    torch.testing.assert_close(other, one, atol=1e-5, rtol=1e-5)
    best = dict.fromkeys(made, float("inf"))
    for _, name in measure.in_turns(list(made), arguments.rounds + 1):
        started = seconds(arguments.device)
        step(made[name], given, training, precision)
        best[name] = min(best[name], seconds(arguments.device) - started)
    return list(best.values())


def megabytes(name: str, arguments, length: int, training: bool, precision: str) -> float:
    """Memory that a step of one way adds at most, in a process of its own."""
    prepare(arguments)
    model, given = models(arguments.layers, arguments.device)[name], batch(length, arguments)
    if arguments.device == "cpu":
        return measure.observed(step, model, given, training, precision)[1]
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step(model, given, training, precision)
    return (torch.cuda.max_memory_allocated() - before) / 1e6


def main() -> None:
    """Measure both ways in turns, check that they agree, and print a table."""
    parser = measure.parser(__doc__, rounds=5)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--layers", type=int, default=12, help="transformer layers")
    parser.add_argument("--work", nargs="+", default=["training", "inference"], help="training, inference")
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"], help="fp32, bf16")
    parser.add_argument("--lengths", nargs="+", type=int, default=[64, 128, 384, 512], help="tokens in a text")
    parser.add_argument("--tokens", type=int, default=1024, help="tokens in a batch")
    parser.add_argument("--attention-only", action="store_true", help="layers without a feed-forward block")
    parser.add_argument("--fused", action="store_true", help="the operation with gradients on a CPU, too")
    parser.add_argument("--memory", action="store_true", help="memory instead of time")
    arguments = parser.parse_args()
    prepare(arguments)
    unit = "MB" if arguments.memory else "s"
    print(
        f"| | precision | tokens in a text | transformers, {unit} | fused, {unit} | ratio |\n|---|---|---|---|---|---|"
    )
    for work, precision, length in product(arguments.work, arguments.precisions, arguments.lengths):
        how = (arguments, length, work == "training", precision)
        if arguments.memory:
            found = [measure.apart(megabytes, name, *how) for name in ("transformers", "fused")]
        else:
            found = cpu_seconds(*how)
        cells = [work, precision, str(length), *(f"{value:.3g}" for value in found), f"{found[0] / found[1]:.2f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
