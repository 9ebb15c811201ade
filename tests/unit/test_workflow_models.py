"""What rules ask about encoders, pairs, runs and embeddings."""

import json
from types import SimpleNamespace

import pytest
from settings_examples import REVISION, changed

from selfembed.settings.encoders import RandomEncoder
from selfembed.study.expansion import expand
from selfembed.study.validation import load
from selfembed.workflow.models import Models

RUN = SimpleNamespace(corpus="news", encoder="tiny", recipe="crops", seed="2")


def models(changes=None):
    settings = load(changed(changes or {}))
    return Models(settings, expand(settings))


def of(name):
    return SimpleNamespace(encoder=name, seed_folder="/seed-3")


def test_patterns_are_of_names_by_kind():
    assert models().of(RandomEncoder) == "tiny|loan"


def test_a_step_gets_the_settings_that_it_uses():
    assert models().encoder_flags(keep=("max_length",))(of("tiny")) == "--max-length 64"
    assert models().encoder_flags()(of("svd")) == "--terms words --type svd --components 20"


def test_an_encoder_of_the_hub_is_fetched_with_its_adapter():
    fetched = f"--id microsoft/mpnet-base --revision {REVISION} --layers 12"
    assert models().hub_flags(of("mpnet")) == fetched
    adapter = models({"encoders.mpnet.adapter": {"id": "org/adapter", "revision": REVISION}})
    assert adapter.hub_flags(of("mpnet")) == f"{fetched} --adapter-id org/adapter --adapter-revision {REVISION}"


def test_files_of_an_encoder_in_a_folder_are_inputs(tmp_path):
    names = ("model.safetensors", "vocab.txt", "notes.md", "1_Pooling/config.json", "checkpoint/config.json")
    for name in (*(f"model/{name}" for name in names), "adapter/adapter_config.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("")
    listed = [("sentence_transformers.models.Transformer", ""), ("sentence_transformers.models.Pooling", "1_Pooling")]
    (tmp_path / "model/modules.json").write_text(json.dumps([{"type": kind, "path": path} for kind, path in listed]))
    own = {"type": "folder", "path": f"{tmp_path}/model", "layers": 2}
    found = models({"encoders.own": own, "encoders.added": own | {"adapter": f"{tmp_path}/adapter"}})
    names = ("1_Pooling/config.json", "model.safetensors", "modules.json", "vocab.txt")
    files = [f"{tmp_path}/model/{name}" for name in names]
    assert found.encoder_files(of("own")) == files
    assert found.encoder_files(of("added")) == [f"{tmp_path}/adapter/adapter_config.json", *files]
    assert found.encoder_files(of("mpnet")) == []


def test_a_tokenizer_is_trained_or_borrowed():
    assert models().tokenizer(of("tiny")) == "<results>/tokenizers/tiny"
    assert models().tokenizer(of("loan")) == "<results>/encoders/mpnet"
    assert models().tokenizer_corpus(of("tiny")) == "<results>/corpora/news.parquet"
    assert models().tokenizer_flags(of("tiny")) == "--vocabulary-size 500"


@pytest.mark.parametrize("part", ["layer", "module"])
def test_embeddings_alone_are_a_part_of_their_base_model(part):
    found = models({"encoders.alone": {"type": f"embedding_{part}", "of": "tiny", "max_length": 32}})
    assert found.embeddings_owner(of("alone")) == "<results>/models/base/tiny/seed-3"
    assert found.embeddings_flags(of("alone")) == f"--part {part} --max-length 32"


def test_a_run_starts_from_its_base_model_and_its_pairs():
    assert models().run_base(RUN) == "<results>/models/base/tiny/seed-2"  # the seed decides random weights
    assert models().run_pairs(".json")(RUN) == "<results>/pairs/news/crops/epochs-1/seed-2.json"
    pretrained = SimpleNamespace(corpus="news", encoder="mpnet", recipe="crops", seed="2")
    assert models().run_base(pretrained) == "<results>/models/base/mpnet"


def test_a_run_s_flags_are_its_recipe_without_its_pairs():
    assert models().run_flags(RUN) == (
        "--pooling mean --temperature 0.05 --learning-rate 2e-05 --batch-size 64 --warmup 0.1 --max-length 512"
        " --precision fp32 --mask-fraction 0.0"
    )
    masked = {"recipes.crops.augmentation": {"type": "crops", "mask_fraction": 0.2}}
    steps = {"experiments.main.steps": [10, "epoch-1", "final"], "figures": {}}
    assert models(masked | steps).run_flags(RUN).endswith(" --precision fp32 --mask-fraction 0.2 --keep 10 epoch-1")
    guided = {"recipes.crops.guide": True, "experiments.main.steps": ["interpolated-0.25", "final"], "figures": {}}
    words = " --guide --max-length 512 --precision fp32 --mask-fraction 0.0 --keep interpolated-0.25"
    assert models(guided).run_flags(RUN).endswith(words)


def test_pairs_are_made_of_an_augmentation_without_masks():
    recipe = {"augmentation": {"type": "halves", "mask_fraction": 0.2}, "held_out": 0.1}
    found = models({"recipes.crops": recipe, "scores": {"knn": {"type": "knn", "split": "all"}}})
    assert found.pairs_flags(SimpleNamespace(augmentation="halves_held_out-0.1")) == "--type halves --held-out 0.1"


def test_runs_of_sweeps_alone_may_diverge():
    sweep = {"encoder": "tiny", "recipe": "crops", "sweep": {"temperature": [0.5]}}
    plain = {"encoder": "tiny", "recipe": "crops"}
    found = models({"experiments.main.models": [sweep, plain]})
    swept = SimpleNamespace(corpus="news", encoder="tiny", recipe="crops_temperature-0.5", seed="1")
    assert found.run_may_diverge(swept) == 1
    assert found.run_may_diverge(RUN) == 0


def test_embedding_flags_name_what_a_selection_holds():
    found = models({"threads": {"embed": 3}})
    words = found.embedding_flags(SimpleNamespace(model="base/tiny/seed-1", selection="mean-cls_0-2"))
    assert words == "--layers 0 2 --poolings mean cls --max-length 64 --precision fp32 --threads 3"
    assert found.embedding_flags(SimpleNamespace(model="base/tfidf", selection="none_last")) == ""


def test_only_encoders_embed_a_corpus_in_parts():
    def parts(model, corpus="news"):
        return found.embedded_parts(SimpleNamespace(corpus=corpus, model=model, step="0", selection="mean_last"))

    found = models({"corpora.news.embedding_jobs": 2})
    folder = "<results>/embeddings_in_parts/news/base/tiny/seed-1/0/mean_last"
    assert parts("base/tiny/seed-1") == [f"{folder}/1-of-2", f"{folder}/2-of-2"]
    assert parts("base/tiny/seed-1", "docs") == parts("base/svd") == parts("exports/adapted_model") == []
