"""Models, embeddings, pairs and tables that are damaged or not what a step needs, and impossible arguments."""

import json
import os
import shutil

import pandas as pd
import pytest
from steps import refusal


@pytest.fixture(scope="module")
def results(tiny):
    return tiny / "results" / "tiny"


@pytest.fixture
def output(tmp_path):
    """A place to write to; in the end, nothing lies there."""
    folder = tmp_path / "output"
    yield folder / "result"
    assert not folder.exists() or not list(folder.iterdir())


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def with_config(**changes):
    def change(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


OWN_CODE = {"auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}


def with_own_code(**changes):
    def change(folder):
        with_config(**OWN_CODE, **changes)(folder)
        (folder / "own.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")

    return change


# What happens to a checkpoint, and what is said when it is imported.
CHECKPOINTS = {
    "no config": (lambda folder: (folder / "config.json").unlink(), "no config.json"),
    "empty config": (lambda folder: (folder / "config.json").write_text(""), "cannot be loaded"),
    "config is a list": (lambda folder: (folder / "config.json").write_text("[]"), "cannot be loaded"),
    "no architecture": (lambda folder: (folder / "config.json").write_text("{}"), "cannot be loaded"),
    "unknown architecture": (with_config(model_type="weird"), "does not recognize this architecture"),
    "other architecture": (with_config(model_type="distilbert"), "lacks"),
    "other width": (with_config(hidden_size=24), "cannot be loaded"),
    "more layers": (with_config(num_hidden_layers=2), "2 transformer layers, but the config says"),
    "own code": (with_own_code(model_type="own"), "cannot be loaded|custom code"),
    "own code of a known architecture": (with_own_code(), "custom code"),
    "truncated weights": (lambda folder: cut(folder / "model.safetensors"), "cannot be loaded"),
    "empty weights": (lambda folder: (folder / "model.safetensors").write_bytes(b""), "cannot be loaded"),
    "weights are noise": (
        lambda folder: (folder / "model.safetensors").write_bytes(bytes(range(256)) * 9),
        "cannot be loaded",
    ),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors"),
    "safetensors as pickled weights": (
        lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
        "pytorch_model.bin: cannot be read without running code",
    ),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "expected: a tokenizer"),
    "broken tokenizer": (lambda folder: (folder / "tokenizer.json").write_text("{"), "cannot be loaded"),
}


@pytest.mark.parametrize("case", CHECKPOINTS)
def test_a_bad_checkpoint_is_refused_when_it_is_imported(results, tmp_path, output, case):
    change, expected = CHECKPOINTS[case]
    folder = tmp_path / "checkpoint"
    shutil.copytree(results / "models/base/small/seed-1/0", folder)
    change(folder)
    said = refusal("import_encoder", "--type", "folder", "--path", folder, "--layers", 1, "--output", output)
    assert any(part in said for part in expected.split("|")), said
    assert str(folder) in said
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    "case", ["no config", "own code", "truncated weights", "no weights", "broken tokenizer", "other width"]
)
def test_a_bad_model_is_not_embedded_with(results, tmp_path, output, case):
    folder = tmp_path / "model"
    shutil.copytree(results / "models/base/small/seed-1/0", folder)
    CHECKPOINTS[case][0](folder)
    corpus = results / "corpora/notes.parquet"
    said = refusal("embed", "--model", folder, "--corpus", corpus, "--device", "cpu", "--output", output)
    assert str(folder) in said
    assert not (folder / "ran").exists()


EMBEDDINGS = "embeddings/notes/tuned/notes/small/crops/seed-1/final/mean_last"


@pytest.mark.parametrize("step", ["score_knn", "score_linear", "compute_tsne"])
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("embeddings.npy", cut),
        ("embeddings.npy", lambda path: path.write_bytes(b"")),
        ("embeddings.npy", lambda path: path.write_bytes(b"noise" * 99)),
        ("embeddings.npy", lambda path: path.unlink()),
        ("embeddings.json", cut),
        ("embeddings.json", lambda path: path.write_text("[]")),
        ("embeddings.json", lambda path: path.write_text("{}")),
        ("embeddings.json", lambda path: path.unlink()),
    ],
)
def test_damaged_embeddings_are_named(results, tmp_path, output, step, name, change):
    """Even without a seal, and so in a copy."""
    folder = tmp_path / "embeddings"
    shutil.copytree(results / EMBEDDINGS, folder)
    change(folder / name)
    model = () if step == "compute_tsne" else ("--model", "base/x", "--step", 0, "--score", "s", *outcomes(tmp_path))
    corpus = ("--corpus", results / "corpora/notes.parquet")
    said = refusal(step, "--embeddings", folder, *corpus, *model, "--output", output)
    assert str(folder) in said
    assert "run snakemake again" in said


def test_embeddings_of_another_corpus_are_refused(results, tmp_path, output):
    fewer = tmp_path / "fewer.parquet"
    pd.read_parquet(results / "corpora/notes.parquet")[:50].to_parquet(fewer)
    said = refusal("compute_tsne", "--embeddings", results / EMBEDDINGS, "--corpus", fewer, "--output", output)
    assert "no embeddings of 50 texts" in said


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(None, "no text has a label"), ("x", "two classes or more"), (["x", *[None] * 89], "cannot be split")],
)
def test_a_corpus_without_classes_is_not_scored(results, tmp_path, output, labels, expected):
    corpus = tmp_path / "c.parquet"
    pd.read_parquet(results / "corpora/notes.parquet").assign(label=labels).to_parquet(corpus)
    for step in ("score_knn", "score_linear"):
        which = ("--embeddings", results / EMBEDDINGS, "--corpus", corpus, "--model", "base/x", "--step", 0)
        assert expected in refusal(step, *which, "--score", "s", *outcomes(tmp_path), "--output", output)


def outcomes(folder):
    return "--outcomes", folder / "outcomes.parquet"


PAIRS = "pairs/notes/crops_sentences-1_minimum_length-20/epochs-1/seed-1"


@pytest.mark.parametrize(
    ("pairs", "settings", "expected"),
    [
        (b"PAR1", None, "no pairs"),
        (pd.DataFrame({"a": [1]}), None, "expected: epoch, id, anchor, positive"),
        (pd.DataFrame({"epoch": [], "id": [], "anchor": [], "positive": []}), None, "at least one row"),
        (None, "{", "damaged"),
        (None, "[]", "expected: a group with settings"),
    ],
)
def test_bad_pairs_are_refused(results, tmp_path, output, pairs, settings, expected):
    files = [results / f"{PAIRS}.parquet", results / f"{PAIRS}.json"]
    if pairs is not None:
        files[0] = tmp_path / "pairs.parquet"
        pairs.to_parquet(files[0]) if isinstance(pairs, pd.DataFrame) else files[0].write_bytes(pairs)
    if settings is not None:
        files[1] = tmp_path / "pairs.json"
        files[1].write_text(settings)
    assert expected in fine_tune_refused(results, output, "--max-length", 32, pairs=files)


def fine_tune_refused(results, output, *arguments, pairs=None):
    base = results / "models/base/small/seed-1"
    files = pairs or [results / f"{PAIRS}.parquet", results / f"{PAIRS}.json"]
    which = ("--base", base, "--pairs", files[0], "--pairs-settings", files[1], "--name", "a/b/c/seed-1", "--seed", 1)
    return refusal("fine_tune", *which, *arguments, "--device", "cpu", "--output", output)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--batch-size", 0), "whole numbers from 2"),
        (("--batch-size", -4), "whole numbers from 2"),
        (("--batch-size", "9" * 40), "whole numbers from 2"),
        (("--temperature", 0), "numbers above 0"),
        (("--temperature", "nan"), "numbers above 0"),
        (("--learning-rate", "-1e-5"), "expected one argument|numbers above 0"),
        (("--learning-rate", "inf"), "numbers above 0"),
        (("--warmup", 2), "numbers from 0 to 1"),
        (("--mask-fraction", 1.5), "numbers from 0, below 1"),
        (("--max-length", 1), "whole numbers from 3"),
        (("--max-length", 9999), "exceeds the encoder's positions"),
        (("--unfrozen-layers", 9), "expected: 1 to 1"),
        (("--projection", 0), "whole numbers from 1"),
        (("--pooling", "max"), "invalid choice"),
        (("--device", "tpu"), "invalid choice"),
        (("--keep", 999), "cannot be kept"),
        (("--keep", "../x"), "cannot be kept"),
        (("--threads", 0), "whole numbers from 1"),
        (("--sed", 1), "unrecognized arguments"),
    ],
)
def test_impossible_recipes_are_refused(results, output, arguments, expected):
    said = fine_tune_refused(results, output, "--max-length", 32, *arguments)
    assert any(part in said for part in expected.split("|")), said


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--k", 0), "whole numbers from 1"),
        (("--k", 5000), "too few for k = 5000"),
        (("--k", 1.5), "whole numbers from 1"),
        (("--test-fraction", 0), "numbers above 0, below 1"),
        (("--test-fraction", 1), "numbers above 0, below 1"),
        (("--split-seed", -1), "expected one argument|whole numbers from 0"),
        (("--metric", "manhattan"), "invalid choice"),
        (("--model", "../../etc"), "model path '../../etc' is invalid"),
        (("--embeddings", "nowhere"), "'nowhere' does not exist"),
    ],
)
def test_impossible_scores_are_refused(results, tmp_path, output, arguments, expected):
    which = {"--embeddings": results / EMBEDDINGS, "--corpus": results / "corpora/notes.parquet", "--model": "base/x"}
    words = [word for pair in which.items() for word in pair]
    rest = ("--step", 0, "--score", "s", *outcomes(tmp_path))
    said = refusal("score_knn", *words, *rest, *arguments, "--output", output)
    assert any(part in said for part in expected.split("|")), said


@pytest.mark.parametrize(
    ("step", "arguments", "expected"),
    [
        ("sample_corpus", ("--corpus", "corpora/notes.parquet", "--size", 999), "sample size 999 is too large"),
        ("sample_corpus", ("--corpus", "corpora/notes.parquet", "--size", 0), "whole numbers from 1"),
        ("train_tokenizer", ("--corpus", "corpora/notes.json"), "not a prepared corpus"),
        ("train_tokenizer", ("--corpus", "corpora/notes.parquet", "--vocabulary-size", 3), "whole numbers from 300"),
        (
            "build_random_model",
            ("--tokenizer", "corpora", "--name", "x", "--seed", 1),
            "cannot be loaded",
        ),
        (
            "build_random_model",
            ("--tokenizer", "tokenizers/small", "--name", "x", "--seed", 1, "--hidden-size", 10),
            "does not divide",
        ),
        ("draw_comparison", ("--table", "tables/main.csv", "--score", "other"), "nothing to draw"),
        ("draw_comparison", ("--table", "tables/main.csv", "--colors", "red"), "expected: label=#rrggbb"),
        ("draw_comparison", ("--table", "tables/main.csv"), "is no image format"),
        ("collect_losses", ("--entry", "label", "corpora"), "run.json: damaged"),
        (
            "collect_maps",
            ("--maps", "corpora/notes.json", "--series", "a", "--corpora", "b"),
            "cannot be read as a map",
        ),
    ],
)
def test_other_impossible_arguments_are_refused(results, output, step, arguments, expected):
    words = [results / word if isinstance(word, str) and (results / word).exists() else word for word in arguments]
    assert expected in refusal(step, *words, "--output", output)


TABLE_READERS = {
    "collect_scores": ("--entry", "label", "series", "", "", "TABLE"),
    "summarise_scores": ("--table", "TABLE", "--markdown", "OUTPUT.md", "--page", "OUTPUT.html"),
    "draw_comparison": ("--table", "TABLE"),
    "extract_published": ("--published", "TABLE", "--experiment", "main"),
    "compare_with_paper": (
        "--published",
        "TABLE",
        "--tables",
        "RESULTS/tables/main.csv",
        "--markdown",
        "OUTPUT.md",
        "--page",
        "OUTPUT.html",
    ),
}


@pytest.mark.parametrize("step", TABLE_READERS)
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "cannot be read as a table"),
        (b"\x89PNG\r\n\xff\xfe", "cannot be read as a table"),
        (b"a,b\n1,2\n", "no column"),
        (b"label,step,value\nx,0,high\n", "cannot be read as a table"),
    ],
)
def test_tables_and_published_numbers_that_are_none_are_refused(results, tmp_path, output, step, content, expected):
    table = tmp_path / "table.csv"
    table.write_bytes(content)
    places = {"TABLE": str(table), "OUTPUT": str(output), "RESULTS": str(results)}
    words = [
        next((word.replace(key, place) for key, place in places.items() if key in word), word)
        for word in TABLE_READERS[step]
    ]
    assert expected in refusal(step, *words, "--output", f"{output}.png" if step.startswith("draw") else output)


def test_a_folder_of_ones_own_is_not_replaced(results, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    corpus = ("--corpus", results / "corpora/notes.parquet")
    for step, arguments in (("sample_corpus", ("--size", 5)), ("train_tokenizer", ())):
        assert "is not replaced" in refusal(step, *corpus, *arguments, "--output", folder)
    assert (folder / "thesis.txt").read_text() == "years of work"


def test_a_place_that_cannot_be_written_to_is_told(results):
    corpus = ("--corpus", results / "corpora/notes.parquet")
    assert "/proc/none" in refusal("sample_corpus", *corpus, "--size", 5, "--output", "/proc/none/sample.parquet")
