"""Forms of a model to use it with: fewer dimensions, vectors of lower precision, vectors of tokens alone, int8 weights.

An export is a folder with a model in one form, and a README.md that says how other programs load it.
"""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from selfembed.errors import InputError
from selfembed.exports import onnx_model
from selfembed.models import encoders, model_cards, own_modules

Encode = Callable[[list[str]], np.ndarray]

TEXTS = 'texts = ["One text.", "Another text."]\n'
LOAD = 'model = SentenceTransformer("path/to/this/folder"{trust})\n'
WITH_SENTENCE_TRANSFORMERS = f"from sentence_transformers import SentenceTransformer\n\n{LOAD}"
CARD = """
# {name}

An export of a model by selfembed: {what}. Data, scores and limits are in the card of the model.

## Use

```python
{use}```
"""
RANGES = "ranges.npy"
STATIC_POOLINGS = {"mean": "mean", "cls": "first", "last": "last"}  # in sentence-transformers and in model2vec


@dataclass(frozen=True)
class Source:
    """The model to export.

    Attributes:
        folder: folder of the model.
        texts: training texts, which dimensions and ranges are fitted on.
        device: `cpu` or `cuda`.
    """

    folder: Path
    texts: list[str]
    device: str

    @cached_property
    def model(self):
        """The loaded SentenceTransformer."""
        return encoders.load_whole(self.folder).to(self.device)

    @cached_property
    def vectors(self) -> np.ndarray:
        """Vectors of the training texts, shape (texts, dim)."""
        return self.model.encode(self.texts)


@dataclass(frozen=True)
class Form:
    """A form of a model.

    Attributes:
        what: a description for the README.md.
        write: writes the export, but for its README.md, to a folder that does not exist.
        load: returns the function that embeds texts, from the folder, a device, and a number of threads.
        use: Python code that embeds `texts` with nothing but the library of the form.
        numbers: changes its vectors into numbers whose cosines are the similarities.
    """

    what: str
    write: Callable[[Source, Path], None]
    load: Callable[[Path, str, int], Encode]
    use: str
    numbers: Callable[[np.ndarray], np.ndarray] = np.float32


def of(name: str, trained: Sequence[int] = ()) -> Form:
    """Return a form by its name in `exports` of a report, or that of the model itself, `adapted_model`.

    Args:
        trained: numbers of first dimensions that the model was trained to be cut to.
    """
    reduced = re.fullmatch(r"dimensions_(\d+)", name)
    return with_dimensions(int(reduced[1]), int(reduced[1]) in trained) if reduced else FORMS[name]


def export(name: str, source: Source, folder: Path) -> None:
    """Write an export of a model to a folder that does not exist.

    Raises InputError if the model cannot have this form.
    """
    form = of(name, model_cards.metadata(source.folder / model_cards.CARD).get(model_cards.MATRYOSHKA, []))
    form.write(source, folder)
    trust = ", trust_remote_code=True" if any(folder.glob("*.py")) else ""
    use = form.use.replace("\n\n", f"\n\n{TEXTS}", 1).replace("{trust}", trust)  # after the imports
    front = model_cards.front_matter(model_cards.METADATA) if (folder / own_modules.MODULES).is_file() else ""
    (folder / "README.md").write_text(front + CARD.format(name=name, what=form.what, use=use), encoding="utf-8")


def load_whole(folder: Path, device: str, threads: int, **how) -> Encode:
    """Return the `encode` of a model of sentence-transformers; `how` are arguments of it."""
    import torch

    torch.set_num_threads(threads)
    return partial(encoders.load_whole(folder).to(device).encode, **how)


# Fewer dimensions ---------------------------------------------------------------------------------------------


def with_dimensions(number: int, are_trained: bool) -> Form:
    """Return the form with fewer dimensions, as a Dense module: the first ones if they are trained, or by PCA."""
    how = "cut to the first" if are_trained else "reduced to"
    by = "which it was trained for" if are_trained else "by principal components of training texts"
    what = f"its vectors {how} {number} dimensions{',' * are_trained} {by}, and to unit length"
    use = f"{WITH_SENTENCE_TRANSFORMERS}vectors = model.encode(texts)\n"
    return Form(what, partial(write_dimensions, number, are_trained), load_whole, use)


def write_dimensions(number: int, are_trained: bool, source: Source, folder: Path) -> None:
    """Append the first dimensions or the first principal components of the training texts, and Normalize.

    As in sentence-transformers' example of dimensionality reduction, vectors are not centred.

    Raises InputError if the model does not have more dimensions, or if there are fewer training texts.
    """
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize
    from sklearn.decomposition import PCA

    texts, dim = source.vectors.shape
    if number >= dim or number > texts:
        raise InputError(
            f"dimensions_{number}: the model has {dim} dimensions and there are {texts} training texts; expected: "
            f"fewer dimensions than {dim}, and at most {texts}"
        )
    components = np.eye(number, dim) if are_trained else PCA(number, svd_solver="full").fit(source.vectors).components_
    dense = Dense(dim, number, bias=False, activation_function=torch.nn.Identity())
    dense.linear.weight = torch.nn.Parameter(torch.from_numpy(components.astype(np.float32)))
    model = source.model.to("cpu")
    model.append(dense)
    model.append(Normalize())
    model.truncate_dim = None
    encoders.save(model, folder, "")


# Vectors of lower precision -----------------------------------------------------------------------------------


def write_int8(source: Source, folder: Path) -> None:
    """Copy the model, and save the range of numbers that int8 stands for: the same for all dimensions.

    The largest number of the training texts becomes 127, and 0 stays 0. With a range for every dimension, the default
    of sentence-transformers, cosines would be others.
    """
    shutil.copytree(source.folder, folder)
    step = np.abs(source.vectors).max() / 127
    ends = [[-128.5 * step], [126.5 * step]]  # quantize_embeddings rounds down; half a step makes it round
    np.save(folder / RANGES, np.tile(ends, source.vectors.shape[1]).astype(np.float32))


def load_int8(folder: Path, device: str, threads: int) -> Encode:
    """Return a function that embeds texts in int8, shape (texts, dim)."""
    from sentence_transformers import quantize_embeddings

    encode, ranges = load_whole(folder, device, threads), np.load(folder / RANGES)
    return lambda texts: quantize_embeddings(encode(texts), "int8", ranges=ranges)


def signs(packed: np.ndarray) -> np.ndarray:
    """Unpack bits to -1 and 1: the cosine is 1 - 2 × (Hamming distance) / dim."""
    return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1


# Static -------------------------------------------------------------------------------------------------------


def write_static(source: Source, folder: Path) -> None:
    """Distil the transformer into vectors of tokens; a text is their weighted mean.

    Modules after the pooling, such as word counts, have no part in it.

    Raises InputError if the pooling is not one of model2vec.
    """
    from model2vec.distill import distill

    pooling = own_modules.read(source.folder).words[0].removesuffix(" pooling")
    if pooling not in STATIC_POOLINGS:
        raise InputError(f"static: the model has {pooling} pooling; expected: {', '.join(STATIC_POOLINGS)}")
    model = distill(str(source.folder), device=source.device, pooling=STATIC_POOLINGS[pooling])
    # model2vec 0.8 follows these settings of the model's tokenizer, so padding would count as tokens of a text; newer
    # versions do not. Both read 512 tokens by default.
    model.tokenizer.no_padding()
    model.tokenizer.no_truncation()
    model.config.pop("tokenizer_name", None)  # the model's folder on this machine
    model.save_pretrained(folder)


def load_static(folder: Path, device: str, threads: int) -> Encode:
    """Return a function that embeds texts with model2vec."""
    from model2vec import StaticModel

    model = StaticModel.from_pretrained(folder)
    return lambda texts: model.encode(texts, use_multiprocessing=False).astype(np.float32)


FORMS = {
    "adapted_model": Form("as it is", lambda source, folder: shutil.copytree(source.folder, folder), load_whole, ""),
    "int8_vectors": Form(
        "the same model, whose vectors are then rounded to int8",
        write_int8,
        load_int8,
        f"""import numpy as np
from sentence_transformers import SentenceTransformer, quantize_embeddings

{LOAD}ranges = np.load("path/to/this/folder/{RANGES}")
vectors = quantize_embeddings(model.encode(texts), "int8", ranges=ranges)  # search by inner product
""",
    ),
    "binary_vectors": Form(
        "the same model, of whose vectors only the signs are kept, as bits",
        lambda source, folder: shutil.copytree(source.folder, folder),
        partial(load_whole, precision="ubinary"),
        f"""{WITH_SENTENCE_TRANSFORMERS}vectors = model.encode(texts, precision="ubinary")  # search by Hamming distance
""",
        numbers=signs,
    ),
    "static": Form(
        "vectors of its tokens, distilled by model2vec; a text is their weighted mean",
        write_static,
        load_static,
        """from model2vec import StaticModel

model = StaticModel.from_pretrained("path/to/this/folder")
vectors = model.encode(texts).astype("float32")
""",
    ),
    "onnx_int8": Form(
        "the whole model in ONNX with weights in int8",
        lambda source, folder: onnx_model.write(source.model, folder),
        onnx_model.load,
        onnx_model.USE,
    ),
}
