"""The encoder downloader against a local server that speaks the hub's protocol."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_models import small_bert

from local_servers import REVISION, Hub, serving
from selfembed import encoders

SCRIPT = Path(encoders.__file__).parents[1] / "download_encoder.py"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with a small encoder, and one with its weights in PyTorch's own format."""
    folder = tmp_path_factory.mktemp("repository")
    encoders.save(small_bert(folder / "tokenizer"), folder / "safe", "card")
    return folder / "safe"


@pytest.fixture(scope="module")
def with_pickle(repository, tmp_path_factory):
    """The same weights in PyTorch's own format, with tied tensors."""
    folder = tmp_path_factory.mktemp("pickle")
    for path in repository.glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    weights = load_file(repository / "model.safetensors")
    torch.save(weights | {"tied": weights["embeddings.word_embeddings.weight"]}, folder / "pytorch_model.bin")
    return folder


def download(hub, output, repository="team/encoder", revision=REVISION, layers=2):
    """Run the script against a hub."""
    command = [sys.executable, str(SCRIPT), "--id", repository, "--revision", revision]
    command += ["--layers", str(layers), "--output", str(output)]
    home = output.parent / "home"
    environment = os.environ | {"HF_ENDPOINT": hub, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def error(done):
    """The one line that says what is wrong."""
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    return errors[0]


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


def test_other_weights_are_converted(repository, with_pickle, tmp_path):
    with serving(Hub, folder=with_pickle) as (hub, _):
        done = download(hub, tmp_path / "encoder")
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "encoder").glob("*.bin"))
    one, two = (encoders.load(folder).model.state_dict() for folder in (repository, tmp_path / "encoder"))
    assert all(torch.equal(one[name], two[name]) for name in one)


class Code:
    """What a pickle can hold besides tensors."""

    def __reduce__(self):
        return (os.system, ("touch /tmp/selfembed-pickle-ran-code",))


def test_weights_with_code_are_refused_and_the_code_does_not_run(with_pickle, tmp_path):
    folder = tmp_path / "evil"
    folder.mkdir()
    for path in with_pickle.glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    torch.save({"weight": Code()}, folder / "pytorch_model.bin")
    with serving(Hub, folder=folder) as (hub, _):
        assert "cannot be read without running code" in error(download(hub, tmp_path / "encoder"))
    assert not Path("/tmp/selfembed-pickle-ran-code").exists()
    assert not (tmp_path / "encoder").exists()


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


def test_a_wrong_checksum_is_refused(repository, tmp_path):
    with serving(Hub, folder=repository, etag="0" * 64) as (hub, _):
        assert f"expected {'0' * 64}; not kept" in error(download(hub, tmp_path / "encoder"))
    assert not (tmp_path / "encoder").exists()


def test_no_hub_is_one_line(tmp_path):
    assert "hub: 'team/encoder' could not be downloaded" in error(download("http://127.0.0.1:9", tmp_path / "encoder"))
    assert not (tmp_path / "encoder").exists()
