"""The encoder downloader against a local server that speaks the hub's protocol."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_architectures import small_checkpoint, split_weights
from small_models import small_bert, text
from transformers import AutoTokenizer, RobertaConfig, RobertaForMaskedLM
from with_defaults import embed_texts

import build_pretrained_model
import import_encoder
from local_servers import REVISION, Hub, serving
from selfembed.errors import InputError
from selfembed.jobs.seals import checksum
from selfembed.models import encoders
from selfembed.provenance import lineage
from selfembed.training import tokenization

SCRIPT = Path(encoders.__file__).parents[2] / "download_encoder.py"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with a small encoder, and one with its weights in PyTorch's own format."""
    folder = tmp_path_factory.mktemp("repository")
    encoders.save(small_bert(folder / "tokenizer"), folder / "safe", "---\nlicense: apache-2.0\n---\n# A card")
    return folder / "safe"


@pytest.fixture(scope="module")
def with_pickle(repository, tmp_path_factory):
    """The same weights in PyTorch's own format, with tied tensors."""
    folder = tmp_path_factory.mktemp("pickle")
    shutil.copytree(repository, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("model.safetensors"))
    weights = load_file(repository / "model.safetensors")
    torch.save(weights | {"tied": weights["embeddings.word_embeddings.weight"]}, folder / "pytorch_model.bin")
    return folder


def download(hub, output, repository="team/encoder", revision=REVISION, layers=2):
    """Run the script, which tries only once, against a hub."""
    command = [sys.executable, str(SCRIPT), "--id", repository, *(["--revision", revision] if revision else [])]
    command += ["--layers", str(layers), "--patience", "0", "--output", str(output)]
    home = output.parent / "home"
    environment = os.environ | {"HF_ENDPOINT": hub, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def error(done):
    """The one line that says what is invalid."""
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    return errors[0]


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", ["good", "slow", "cut once"])
def test_download_gives_a_working_encoder_without_code(repository, tmp_path, behaviour):
    with serving(Hub, folder=repository, behaviour=behaviour, broken=set()) as (hub, server):
        done = download(hub, tmp_path / "encoder")
    assert done.returncode == 0, done.stderr
    assert behaviour != "cut once" or "model.safetensors" in server.broken
    weights = (tmp_path / "encoder" / "model.safetensors").read_bytes()
    assert weights == (repository / "model.safetensors").read_bytes()
    assert encoders.load(tmp_path / "encoder").model.config.num_hidden_layers == 2
    assert not list((tmp_path / "encoder").rglob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("pinned", [True, False])
def test_the_revision_is_recorded_where_later_steps_see_it(repository, tmp_path, pinned):
    """In the folder, the base model and its card, and the provenance; without a pin, one line of the log says so."""
    with serving(Hub, folder=repository) as (hub, _):
        done = download(hub, tmp_path / "encoder", revision=REVISION if pinned else None)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "not pinned" in line]
    advice = f"newest is {REVISION}; add `revision: {REVISION}` to the config to pin it"
    expected = [] if pinned else [f"team/encoder: revision is not pinned; {advice}"]
    assert [line.split(" ", 1)[1] for line in said] == expected
    origin = {"repository": "team/encoder", "revision": REVISION, "pinned": pinned}
    assert json.loads((tmp_path / "encoder" / "revision.json").read_text()) == origin

    build_pretrained_model.main(f"--encoder {tmp_path}/encoder --max-length 64 --output {tmp_path}/base".split())
    facts = json.loads((tmp_path / "base" / "model.json").read_text())
    assert {key: facts[key] for key in origin} == origin
    assert facts["licence"] == {"license": "apache-2.0"}
    card = (tmp_path / "base" / "0" / "README.md").read_text()
    assert f"`team/encoder` of the Hugging Face hub at revision {REVISION}" in card
    data = lineage.lineage(tmp_path / "base").data
    assert data[f"hub:team/encoder@{REVISION}/model.safetensors"] == checksum(repository / "model.safetensors")


@pytest.mark.slow
def test_the_newest_revision_of_no_repository_is_one_line(repository, tmp_path):
    with serving(Hub, folder=repository) as (hub, _):
        done = download(hub, tmp_path / "encoder", repository="team/other", revision=None)
    assert "hub: no repository 'team/other'" in error(done)
    assert not (tmp_path / "encoder").exists()


def test_an_encoder_of_the_hub_is_tried_out_before_it_is_a_base_model(tmp_path):
    """And not while it is downloaded, which may be on a machine for small jobs."""
    folder = small_checkpoint(tmp_path / "bart", "bart")
    (folder / "revision.json").write_text(json.dumps({"repository": "team/encoder", "revision": REVISION}))
    with pytest.raises(InputError, match=r"^hub: 'team/encoder': BartModel outputs 1 of 1 layers in"):
        build_pretrained_model.main(f"--encoder {folder} --max-length 64 --output {tmp_path}/base".split())
    assert not (tmp_path / "base").exists()


def test_an_encoder_from_a_folder_has_no_revision_of_the_hub(repository, tmp_path):
    """What somebody changed there is no longer what the hub gave."""
    shutil.copytree(repository, tmp_path / "mine")
    (tmp_path / "mine" / "revision.json").write_text('{"repository": "team/encoder", "revision": "a"}')
    import_encoder.main(f"--type folder --path {tmp_path}/mine --layers 2 --output {tmp_path}/encoder".split())
    build_pretrained_model.main(f"--encoder {tmp_path}/encoder --max-length 64 --output {tmp_path}/base".split())
    facts = json.loads((tmp_path / "base" / "model.json").read_text())
    assert "revision" not in facts and facts["licence"] == {"license": "apache-2.0"}
    assert "a pretrained encoder, not fine-tuned" in (tmp_path / "base" / "0" / "README.md").read_text()


@pytest.mark.slow
def test_a_roberta_with_its_language_model_s_weights_as_a_pickle(tmp_path):
    """As DeCLUTR lies on the hub: pytorch_model.bin with a head and a prefix, vocab.json and merges.txt."""
    folder = tmp_path / "repository"
    tokenizer = tokenization.train_tokenizer([text(40)] * 3, 400)
    folder.mkdir()
    tokenizer.backend_tokenizer.model.save(str(folder))
    special = {"<s>": 0, "<pad>": 1, "</s>": 2, "<mask>": 3, "<unk>": 4}
    vocabulary = json.loads((folder / "vocab.json").read_text())
    ordinary = [token for token in vocabulary if not (token.startswith("[") and token.endswith("]"))]
    (folder / "vocab.json").write_text(json.dumps(special | {token: place for place, token in enumerate(ordinary, 5)}))
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 32, "tokenizer_class": "RobertaTokenizer"}')
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = RobertaConfig(vocab_size=len(ordinary) + 5, max_position_embeddings=34, pad_token_id=1, **sizes)
    model = RobertaForMaskedLM(config).eval()
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with serving(Hub, folder=folder) as (hub, _):
        done = download(hub, tmp_path / "encoder", revision=None)
    assert done.returncode == 0, done.stderr
    build_pretrained_model.main(f"--encoder {tmp_path}/encoder --max-length 32 --output {tmp_path}/base".split())

    texts = [text(5), text(12, 3), text(90)]
    read = AutoTokenizer.from_pretrained(folder)
    encoded = read(texts, padding=True, truncation=True, max_length=32, return_tensors="pt")
    assert encoded["input_ids"][:, 0].tolist() == [0, 0, 0]
    assert encoded["input_ids"].shape[1] == 32
    with torch.no_grad():
        tokens = model.roberta(**encoded).last_hidden_state
    kept = encoded["attention_mask"][..., None]
    expected = ((tokens * kept).sum(1) / kept.sum(1)).numpy()
    found = np.zeros((1, 1, 3, 16), dtype=np.float32)
    embed_texts(encoders.load(tmp_path / "base" / "0"), texts, [2], ["mean"], found, max_length=32)
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-5)


@pytest.fixture(scope="module")
def in_parts(repository, tmp_path_factory):
    """The same weights in two files."""
    folder = tmp_path_factory.mktemp("parts")
    shutil.copytree(repository, folder, dirs_exist_ok=True)
    split_weights(folder / "model.safetensors")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("format", ["with_pickle", "in_parts"])
def test_other_weights_are_converted(repository, format, request, tmp_path):
    with serving(Hub, folder=request.getfixturevalue(format)) as (hub, _):
        done = download(hub, tmp_path / "encoder")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "encoder").glob("*model*")] == ["model.safetensors"]
    one, two = (encoders.load(folder).model.state_dict() for folder in (repository, tmp_path / "encoder"))
    assert all(torch.equal(one[name], two[name]) for name in one)


class Code:
    """What a pickle can hold besides tensors."""

    def __reduce__(self):
        return (os.system, ("touch /tmp/selfembed-pickle-ran-code",))


@pytest.mark.slow
def test_weights_with_code_are_refused_and_the_code_does_not_run(with_pickle, tmp_path):
    folder = shutil.copytree(with_pickle, tmp_path / "evil")
    torch.save({"weight": Code()}, folder / "pytorch_model.bin")
    with serving(Hub, folder=folder) as (hub, _):
        assert "cannot be read without running code" in error(download(hub, tmp_path / "encoder"))
    assert not Path("/tmp/selfembed-pickle-ran-code").exists()
    assert not (tmp_path / "encoder").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"repository": "team/other"}, "hub: no repository 'team/other'"),
        ({"revision": "b" * 40}, f"hub: 'team/encoder' has no revision {'b' * 40}"),
        ({"layers": 12}, "2 transformer layers, but the config says layers: 12"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_left(repository, tmp_path, change, message):
    with serving(Hub, folder=repository) as (hub, _):
        assert message in error(download(hub, tmp_path / "encoder", **change))
    assert not (tmp_path / "encoder").exists()


@pytest.mark.slow
def test_a_wrong_checksum_is_refused(repository, tmp_path):
    with serving(Hub, folder=repository, etag="0" * 64) as (hub, _):
        assert f"expected {'0' * 64}; not kept" in error(download(hub, tmp_path / "encoder"))
    assert not (tmp_path / "encoder").exists()


@pytest.mark.slow
def test_no_hub_is_one_line(tmp_path):
    assert "hub: 'team/encoder' could not be downloaded" in error(download("http://127.0.0.1:9", tmp_path / "encoder"))
    assert not (tmp_path / "encoder").exists()
