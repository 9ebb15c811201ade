"""Exports of a model: other programs load them with their own library alone and get the vectors that are scored."""

import json
import random
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_architectures
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from sklearn.preprocessing import normalize
from small_architectures import small_checkpoint
from small_models import WORDS, text
from test_own_modules import PROMPTS, WIDTH, save
from test_word_counts import COMPONENTS, TEXTS, built, corpus
from tokenizers import Tokenizer

import compare_exports
import embed_export
import export_model
import score_title_pairs
from selfembed.augmentations.crops import parts
from selfembed.errors import InputError
from selfembed.exports import forms, onnx_model
from selfembed.models import encoders
from warm_steps import run_program

HELD_OUT = 0.4
DIM = WIDTH + COMPONENTS
# Libraries that a program may import, by export: those that its README.md names.
OWN_LIBRARY = {
    "dimensions_8": "sentence_transformers",
    "int8_vectors": "sentence_transformers",
    "binary_vectors": "sentence_transformers",
    "static": "model2vec",
    "onnx_int8": "onnxruntime",
}
OTHERS = ("selfembed", "sentence_transformers", "transformers", "torch", "model2vec", "onnxruntime", "sklearn")
NEEDS = {"sentence_transformers": ("transformers", "torch", "sklearn"), "model2vec": ()}
pytestmark = pytest.mark.slow


def pairs(folder):
    """A corpus of titles, whose words are among the words of their texts; no two are the same."""
    drawn = random.Random(0)
    rows = []
    for number in range(40):
        title = drawn.sample(WORDS, 3)
        rows.append((f"t{number}/0", " ".join(title)))
        rows.append((f"t{number}/1", " ".join([*title, *drawn.choices(WORDS, k=6)])))
    table = pd.DataFrame(rows, columns=["id", "text"]).assign(label=None, title=None)
    assert table["text"].is_unique
    table.to_parquet(folder / "titles.parquet")
    return folder / "titles.parquet", table["text"].tolist()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model with a prompt, a maximum length, Normalize and word counts."""
    folder = tmp_path_factory.mktemp("model")
    return built(folder, modules=[Pooling(WIDTH, "mean"), Normalize()], prompts=PROMPTS, default="query")[1]


def exported(name, model, folder):
    words = f"--model {model} --corpus {corpus(folder)} --export {name} --held-out {HELD_OUT} --device cpu --threads 1"
    export_model.main([*words.split(), "--output", str(folder / name)])
    return folder / name


@pytest.fixture(scope="module")
def exports(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    return {name: exported(name, model, folder) for name in OWN_LIBRARY}


def by_a_stranger(name, folder, texts):
    """Vectors of texts by the code in the README.md, in a process that cannot import another library than its own."""
    code = re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    code, number = re.subn(r"^texts = .*\n", "", code.replace("path/to/this/folder", str(folder)), flags=re.MULTILINE)
    assert number == 1
    library = OWN_LIBRARY[name]
    refused = set(OTHERS) - {library, *NEEDS.get(library, ())}
    program = f"""
import json, sys
for module in {sorted(refused)!r}:
    sys.modules[module] = None  # importing it is an error
texts = json.loads(sys.stdin.read())
{code}
np = __import__("numpy")
np.save({str(folder.parent / "vectors.npy")!r}, vectors)
"""
    path = folder.parent / "stranger.py"
    path.write_text(program)
    done = run_program(path, input=json.dumps(texts), cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    return np.load(folder.parent / "vectors.npy")


def embedded(name, folder, path, output):
    words = f"--model {folder} --corpus {path} --export {name} --device cpu --threads 1 --output {output}"
    embed_export.main(words.split())
    assert json.loads((output / "embeddings.json").read_text())["poolings"] == ["own"]
    return np.load(output / "embeddings.npy")[0, 0]


def recall(vectors, metric):
    """Recall@1 of titles and of texts, by brute force; twins, of which there are none, are not left out."""
    found = []
    for queries, others in ((vectors[::2], vectors[1::2]), (vectors[1::2], vectors[::2])):
        closeness = metric(queries, others)
        own = np.diag(closeness)[:, None]
        found.append((closeness >= own - 1e-9).sum(axis=1) == 1)
    return float(np.mean(found))


def cosine(first, second):
    return normalize(first.astype(float)) @ normalize(second.astype(float)).T


def hamming(first, second):
    return -np.array([[int(np.bitwise_count(one ^ other).sum()) for other in second] for one in first])


def test_every_form_is_tested_here():
    assert set(OWN_LIBRARY) == {name for name in forms.FORMS if name != "adapted_model"} | {"dimensions_8"}


@pytest.mark.parametrize("name", OWN_LIBRARY)
def test_a_stranger_gets_the_scores_of_the_table(name, model, exports, tmp_path):
    path, texts = pairs(tmp_path)
    vectors = by_a_stranger(name, exports[name], texts)
    entries = []
    for label, folder in (("adapted_model", model), (name, exports[name])):
        embedded(label, folder, path, tmp_path / "vectors" / label)
        words = f"--embeddings {tmp_path}/vectors/{label} --corpus {path} --model exports/{label} --step final"
        words += f" --score titles --threads 1 --output {tmp_path}/{label}.csv --outcomes {tmp_path}/{label}.parquet"
        score_title_pairs.main(words.split())
        entries += ["--export", label, str(folder), "--entry", label, f"{tmp_path}/{label}.csv"]
    measures = [
        word
        for measure in ("title_recall@1", "title_recall@10", "title_mrr")
        for word in ("--measure", f"titles_{measure}", measure, measure)
    ]
    words = ["--resamples", "200", "--seed", "0", "--threads", "1", "--output", f"{tmp_path}/exports.csv"]
    compare_exports.main([*entries, "--corpus", str(path), *measures, *words])
    table = pd.read_csv(tmp_path / "exports.csv").set_index("measure")
    row = table.loc["title_recall@1"]
    assert row["value"] == pytest.approx(recall(vectors, hamming if vectors.dtype == np.uint8 else cosine))
    whole = SentenceTransformer(str(model), device="cpu", trust_remote_code=True).encode(texts)
    assert row["against_value"] == pytest.approx(recall(whole, cosine))
    assert 0 < row["against_value"] < 1
    assert row["difference"] == pytest.approx(row["value"] - row["against_value"])
    assert row["difference_low"] <= row["difference"] <= row["difference_high"]
    assert (row["vector_bytes"], row["against_vector_bytes"]) == (vectors[0].nbytes, 4 * DIM)
    assert table["against_vector_bytes"].dtype == int
    size = sum(path.stat().st_size for path in exports[name].rglob("*") if path.is_file())
    assert row["megabytes"] == pytest.approx(size / 1e6)
    assert row["texts_per_second"] > 0 and row["speed"] > 0


def training_vectors(model):
    """Vectors of the texts that are not held out, by sentence-transformers alone."""
    texts = [TEXTS[place] for place in parts(len(TEXTS), HELD_OUT)[0]]
    return SentenceTransformer(str(model), device="cpu", trust_remote_code=True).encode(texts), texts


def test_dimensions_are_the_principal_components_of_training_texts(model, exports):
    """By NumPy; signs of components are arbitrary and do not change inner products."""
    vectors, texts = training_vectors(model)
    components = np.linalg.svd(vectors - vectors.mean(axis=0))[2][:8]
    expected = normalize(vectors @ components.T)
    found = by_a_stranger("dimensions_8", exports["dimensions_8"], texts)
    assert found.shape == (len(texts), 8)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-4)


def test_int8_keeps_cosines_up_to_rounding(model, exports):
    vectors, texts = training_vectors(model)
    found = by_a_stranger("int8_vectors", exports["int8_vectors"], texts)
    assert found.dtype == np.int8
    step = np.abs(vectors).max() / 127
    np.testing.assert_allclose(found * step, vectors, atol=0.51 * step)
    np.testing.assert_allclose(cosine(found, found), cosine(vectors, vectors), atol=0.02)


def test_bits_are_the_signs(model, exports):
    vectors, texts = training_vectors(model)
    found = by_a_stranger("binary_vectors", exports["binary_vectors"], texts)
    assert (np.unpackbits(found, axis=1)[:, :DIM] == (vectors > 0)).all()


def test_no_export_names_folders_of_this_machine(exports, model):
    """They may be published, and are the same bytes wherever they are made."""
    names = [
        str(path).encode() for path in (Path(onnx_model.__file__).parents[3], Path(torch.__file__).parents[1], model)
    ]
    files = [path for folder in exports.values() for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert [path for path in files if any(name in path.read_bytes() for name in names)] == []


def test_onnx_has_prompt_length_and_word_counts_of_the_model(model, exports):
    vectors, texts = training_vectors(model)
    long = [text(200, start) for start in range(3)]
    whole = SentenceTransformer(str(model), device="cpu", trust_remote_code=True)
    found = by_a_stranger("onnx_int8", exports["onnx_int8"], [*texts, *long])
    expected = np.concatenate([vectors, whole.encode(long)])
    assert found.shape == expected.shape
    assert np.diag(cosine(found, expected)).min() > 0.98
    one = by_a_stranger("onnx_int8", exports["onnx_int8"], texts[4:5])
    np.testing.assert_array_equal(one[0], found[4])  # whatever other texts there are


def test_a_static_vector_is_that_of_a_text_and_not_of_its_batch(model, tmp_path):
    """Tokenizers of real encoders pad batches, and cut texts where the model does."""
    source = shutil.copytree(model, tmp_path / "model")
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(16)
    tokenizer.save(str(source / "tokenizer.json"))
    folder = exported("static", source, tmp_path)
    found = by_a_stranger("static", folder, [text(3), text(100)])
    np.testing.assert_allclose(by_a_stranger("static", folder, [text(3)])[0], found[0], atol=1e-3)
    assert cosine(found[1:], by_a_stranger("static", folder, [text(40)])) < 1 - 1e-3


def test_what_a_model_cannot_be_exported_as_is_told_in_a_line(model, tmp_path):
    with pytest.raises(InputError, match=rf"dimensions_{DIM}: the model has {DIM} dimensions and "):
        exported(f"dimensions_{DIM}", model, tmp_path)
    pooled = save(tmp_path / "weighted", [Pooling(WIDTH, "weightedmean")])
    with pytest.raises(InputError, match="static: the model has weightedmean pooling; expected: mean, cls, last"):
        exported("static", pooled, tmp_path)
    assert not (tmp_path / "static").exists()


def test_an_onnx_model_with_other_vectors_is_refused(model, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_model.np, "allclose", lambda *arguments, **others: False)
    with pytest.raises(InputError, match=r"onnx_int8: the exported model gives other vectors; expected: "):
        exported("onnx_int8", model, tmp_path)
    assert not (tmp_path / "onnx_int8").exists()


def with_pooling(encoder, pooling, folder):
    """A model of an encoder, saved and loaded as the adapted model is."""
    modules = [encoder, Pooling(small_architectures.WIDTH, pooling), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder), create_model_card=False)
    return encoders.load_whole(folder)


@pytest.mark.parametrize(("name", "pooling"), [("mpnet", "mean"), ("qwen2", "lasttoken")])
def test_onnx_of_mpnet_and_of_a_decoder_gives_their_vectors(name, pooling, tmp_path):
    model = with_pooling(encoders.load(small_checkpoint(tmp_path / name, name)), pooling, tmp_path / "whole")
    onnx_model.write(model, tmp_path / "onnx")
    texts = [text(20, start) for start in range(3)] + [text(1, 5), text(150, 4)]
    found = onnx_model.load(tmp_path / "onnx", "cpu", 1)(texts)
    assert np.diag(cosine(found, model.encode(texts))).min() > 0.98


def test_onnx_of_a_model_that_puts_texts_into_a_chat_is_refused(tmp_path):
    encoder = Transformer(str(small_checkpoint(tmp_path / "qwen2", "qwen2")))
    with pytest.raises(InputError, match="onnx_int8: the tokenizer alone gives other tokens than the model, such as"):
        onnx_model.write(with_pooling(encoder, "lasttoken", tmp_path / "whole"), tmp_path / "onnx")
    assert not (tmp_path / "onnx").exists()


def test_speeds_are_measured_in_turn():
    calls = []
    ways = {name: lambda texts, name=name: calls.append((name, len(texts))) for name in ("slow", "fast")}
    sample = compare_exports.some([str(number) for number in range(1000)])
    assert (sample[0], sample[-1], len(sample)) == ("0", "999", compare_exports.TEXTS)
    assert compare_exports.seconds(ways, sample).shape == (compare_exports.ROUNDS, 2)
    every = [("slow", compare_exports.TEXTS), ("fast", compare_exports.TEXTS)]
    assert calls == every * (compare_exports.ROUNDS + 1)
