"""A whole model, with the modules after its transformer, as one ONNX file with int8 weights.

Optimum, which sentence-transformers exports with, does not work with transformers 5, so PyTorch's own exporter is used.
"""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from selfembed.errors import InputError, first_line
from selfembed.models import encoders

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

MODEL, TOKENIZER, CONFIG = "model.onnx", "tokenizer.json", "config.json"
INPUTS = ("input_ids", "attention_mask")
TOLERANCE = 1e-3  # of vectors by ONNX before weights are rounded
# Texts of different lengths, so that no length becomes a constant of the exported graph.
EXAMPLES = (
    ["A short text.", "A text that is a little longer than the other one."],
    ["One."],
    ["Three words here."] * 3,
)

USE = """import json
import numpy as np
import onnxruntime
from tokenizers import Tokenizer

prompt = json.load(open("path/to/this/folder/config.json"))["prompt"]
tokenizer = Tokenizer.from_file("path/to/this/folder/tokenizer.json")
model = onnxruntime.InferenceSession("path/to/this/folder/model.onnx")

def encode(text):
    tokens = tokenizer.encode(prompt + text)
    inputs = {"input_ids": np.array([tokens.ids]), "attention_mask": np.array([tokens.attention_mask])}
    return model.run(None, inputs)[0][0]

vectors = np.stack([encode(text) for text in texts])
"""


def write(model: "SentenceTransformer", folder: Path) -> None:
    """Write the model with its tokenizer and prompt to a folder that does not exist.

    Every output channel of a weight matrix has a scale of its own, and weights have 7 bits, because processors without
    int8 dot products (VNNI) add products of 8 bits with overflow.

    Raises InputError if the tokenizer alone gives other tokens, PyTorch cannot export the model, or the exported model
    gives other vectors.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = model.to("cpu").eval()
    tokenizer = tokenizer_of(model)
    folder.mkdir()
    with TemporaryDirectory(dir=folder.parent) as scratch:
        whole = Path(scratch) / MODEL
        export(model, whole)
        check(model, whole)
        logging.disable(logging.WARNING)  # advice for models with convolutions
        try:
            quantize_dynamic(whole, folder / MODEL, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
        finally:
            logging.disable(logging.NOTSET)
    remove_stack_traces(folder / MODEL)
    tokenizer.save(str(folder / TOKENIZER))
    (folder / CONFIG).write_text(json.dumps({"prompt": encoders.default_prompt(model) or ""}), encoding="utf-8")


def remove_stack_traces(path: Path) -> None:
    """Remove the stack traces of the export, which name folders of this machine, from the nodes of a model."""
    import onnx

    model = onnx.load(path)
    for node in (*model.graph.node, *(node for function in model.functions for node in function.node)):
        node.ClearField("metadata_props")
    onnx.save(model, path)


def tokenizer_of(model: "SentenceTransformer") -> "Tokenizer":
    """Return the tokenizer of a model, for one text at a time.

    Raises InputError if it gives other tokens than the model, which may put texts into the template of a chat.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.enable_truncation(model.max_seq_length)
    tokenizer.no_padding()
    for text in (*EXAMPLES[0], " ".join(EXAMPLES[0]) * 200):
        expected = inputs_of(model, [text])["input_ids"][0].tolist()
        if tokenizer.encode((encoders.default_prompt(model) or "") + text).ids != expected:
            raise refusal("the tokenizer alone gives other tokens than the model, such as without a chat template")
    return tokenizer


def export(model: "SentenceTransformer", path: Path) -> None:
    """Write the model in fp32, for any number of texts and tokens.

    Raises InputError if PyTorch cannot export it.
    """
    import torch

    class Whole(torch.nn.Module):
        """The modules as a function of token ids and attention mask, int64, shape (texts, tokens)."""

        def __init__(self) -> None:
            super().__init__()
            self.whole = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            for module in self.whole:
                features = module(features)
            return features["sentence_embedding"][:, : model.truncate_dim]

    shape = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens")}
    try:
        with torch.no_grad():
            torch.onnx.export(
                Whole().eval(),
                tuple(inputs_of(model, EXAMPLES[0]).values()),
                path,
                input_names=INPUTS,
                output_names=["vectors"],
                dynamic_shapes=(shape, shape),
                verbose=False,
            )
    except Exception as error:  # the exporter raises many types
        raise refusal(f"PyTorch cannot export the model: {first_line(error)}") from error


def check(model: "SentenceTransformer", path: Path) -> None:
    """Raise InputError if the exported model gives other vectors than the model."""
    import onnxruntime

    exported = onnxruntime.InferenceSession(path)
    for texts in EXAMPLES:
        inputs = {name: values.numpy() for name, values in inputs_of(model, texts).items()}
        expected = model.encode(texts)
        try:
            (found,) = exported.run(None, inputs)
        except Exception as error:  # of another number of texts or tokens
            raise refusal(f"the exported model fails: {first_line(error)}") from error
        if found.shape != expected.shape or not np.allclose(found, expected, atol=TOLERANCE):
            raise refusal("the exported model gives other vectors")


def refusal(reason: str) -> InputError:
    """Return an error of a model that cannot be exported."""
    return InputError(f"onnx_int8: {reason}; expected: `exports` of the report without onnx_int8")


def inputs_of(model: "SentenceTransformer", texts: list[str]) -> dict:
    """Return token ids and attention mask with the prompt, each of shape (texts, tokens)."""
    features = model.preprocess(texts, prompt=encoders.default_prompt(model))
    return {name: features[name] for name in INPUTS}


def load(folder: Path, device: str, threads: int) -> Callable[[list[str]], np.ndarray]:
    """Return a function that embeds texts one by one, as in USE: activations of a batch would share a scale."""
    import onnxruntime
    from tokenizers import Tokenizer

    prompt = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["prompt"]
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    model = onnxruntime.InferenceSession(folder / MODEL, options)

    def encode(text: str) -> np.ndarray:
        tokens = tokenizer.encode(prompt + text)
        inputs = zip(INPUTS, (tokens.ids, tokens.attention_mask), strict=True)
        return model.run(None, {name: np.array([values]) for name, values in inputs})[0][0]

    return lambda texts: np.stack([encode(text) for text in texts])
