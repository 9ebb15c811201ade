"""A corpus embedded in parts by several jobs has the bytes of one job."""

import json
import shutil

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_models import interrupt_in_third_block, small_bert, text
from with_defaults import prepare

import embed
from selfembed.embeddings import embedding
from selfembed.errors import InputError
from selfembed.jobs.records import write_json
from selfembed.models import encoders
from selfembed.training import divergence

N_TEXTS = 50
BLOCK = 6  # 9 blocks


@given(st.integers(0, 2000), st.integers(1, 30), st.integers(1, 99))
def test_parts_are_whole_blocks_and_cover_every_text_once(n_texts, parts, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedding, "BLOCK", block)
        found = [embedding.part_of(n_texts, number, parts) for number in range(1, parts + 1)]
        texts = range(n_texts)
        blocks = [len(list(embedding.blocks(len(texts[part])))) for part in found]
    assert [number for part in found for number in texts[part]] == list(texts)
    assert all(part.start % block == 0 for part in found)
    assert max(blocks) - min(blocks) <= 1


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with two models, a diverged one, a bag of words, and two corpora."""
    folder = tmp_path_factory.mktemp("made")
    for name, seed in (("model", 0), ("other", 1)):
        encoders.save(small_bert(folder / "tokenizer", seed=seed), folder / name, "")
    write_json(
        {"diverged": {"step": 3, "loss": "nan"}, "last_layer": 2, "longest_input": 64},
        folder / "lost" / divergence.FILE,
    )
    words = {"components": 2, "normalise": False, "terms": "words"}
    write_json(words, folder / "bag" / "bag_of_words.json")
    for name, start in (("corpus", 0), ("news", 1)):
        texts = [text(3 + (7 * number) % 23, number + start) for number in range(N_TEXTS)]
        table = pd.DataFrame({"text": texts}).assign(id=None, title=None, label=None)
        prepare(table, deduplicate=False)[0].to_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(embedding, "BLOCK", BLOCK)


def embedded(made, output, *more, model="model", corpus="corpus", how="--layers all --poolings mean cls"):
    words = f"--model {made}/{model} --corpus {made}/{corpus}.parquet {how} --device cpu --threads 1"
    embed.main([*words.split(), *map(str, more), "--output", str(output)])
    return output


def in_parts(made, folder, number, **how):
    """Embed a corpus in parts; return their folders."""
    names = [f"{part}-of-{number}" for part in range(1, number + 1)]
    return [embedded(made, folder / name, "--part", name, **how) for name in names]


def merged(made, folder, number, **how):
    """Embed a corpus in parts and merge them."""
    return embedded(made, folder / "merged", "--parts", *in_parts(made, folder, number, **how), **how)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


OWN = "--layers last --poolings own"


@pytest.mark.parametrize("how", ["--layers all --poolings mean cls", OWN])
@pytest.mark.parametrize("number", [1, 3, 12])  # the last: more than blocks
def test_parts_that_are_merged_have_the_bytes_of_one_job(made, tmp_path, number, how):
    one = contents(embedded(made, tmp_path / "one", how=how))
    assert contents(merged(made, tmp_path, number, how=how)) == one
    assert set(one) == {"embeddings.npy", "embeddings.json"}


def test_blocks_matter(made, tmp_path, monkeypatch):
    """Otherwise parts of any texts would pass the test above."""
    one = contents(embedded(made, tmp_path / "one"))
    monkeypatch.setattr(embedding, "BLOCK", N_TEXTS)
    assert contents(embedded(made, tmp_path / "other")) != one


def test_a_part_goes_on_after_its_last_finished_block(made, tmp_path, monkeypatch):
    parts = in_parts(made, tmp_path / "unbroken", 3)
    seen = interrupt_in_third_block(monkeypatch)
    name = "3-of-3"
    with pytest.raises(KeyboardInterrupt):
        embedded(made, tmp_path / name, "--part", name)
    embedded(made, tmp_path / name, "--part", name)
    assert seen == [6, 6, 2, 2]
    assert contents(tmp_path / name) == contents(parts[-1])
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".{name}.seal", name, "unbroken"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model": "other"}, "weights "),
        ({"corpus": "news"}, "corpus "),
        ({"how": "--layers all --poolings mean"}, r"poolings \['mean'\]; expected: \['mean', 'cls'\]"),
        ({"how": "--layers last --poolings mean cls"}, r"layers \[2\]; expected: \[0, 1, 2\]"),
        ({"how": "--layers all --poolings mean cls --max-length 5"}, "max_length 5; expected: 512"),
    ],
)
def test_parts_that_disagree_are_not_merged(made, tmp_path, changes, expected):
    first, second = in_parts(made, tmp_path, 2)
    shutil.rmtree(second)
    embedded(made, second, "--part", second.name, **changes)
    with pytest.raises(InputError, match=f"^{second}: {expected}.*; delete the folder and run snakemake again$"):
        embedded(made, tmp_path / "merged", "--parts", first, second)
    assert not (tmp_path / "merged").exists()


def test_all_parts_of_another_model_or_a_missing_part_are_not_merged(made, tmp_path):
    parts = in_parts(made, tmp_path, 3)
    with pytest.raises(InputError, match="1-of-3: weights "):
        embedded(made, tmp_path / "merged", "--parts", *parts, model="other")
    with pytest.raises(InputError, match="1-of-3: part 1-of-3; expected: 1-of-2"):
        embedded(made, tmp_path / "merged", "--parts", *parts[:2])
    with pytest.raises(InputError, match="3-of-3: part 3-of-3; expected: 2-of-3"):
        embedded(made, tmp_path / "merged", "--parts", parts[0], parts[2], parts[1])


def test_a_diverged_run_has_no_vectors_in_parts_either(made, tmp_path):
    one = contents(embedded(made, tmp_path / "one", model="lost"))
    assert contents(merged(made, tmp_path, 2, model="lost")) == one
    assert json.loads(one["embeddings.json"])["diverged"]["step"] == 3


def test_a_bag_of_words_has_no_parts(made, tmp_path):
    with pytest.raises(InputError, match=r"^--part: a bag of words is fitted on all texts; expected: no part$"):
        embedded(made, tmp_path / "bag", "--part", "1-of-2", model="bag")


@pytest.mark.parametrize("part", ["0-of-2", "3-of-2", "1", "1/2", "a-of-b", "1-of-2\n"])
def test_invalid_parts(made, tmp_path, capsys, part):
    with pytest.raises(SystemExit):
        embedded(made, tmp_path / "x", "--part", part)
    assert "is invalid; expected: for instance 3-of-8" in capsys.readouterr().err
