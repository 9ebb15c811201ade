"""Checks before a long run, each with what it is for: missing, wrong, gated, full, too little, and all in order."""

import os
import re
import resource
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from settings_examples import changed
from test_workflow_scores import REPORTED

from local_servers import REVISION, Files, Hub, serving
from selfembed.costs.sizes import Corpus, Sizes
from selfembed.costs.work import Count
from selfembed.doctor import gpu, memory, plan
from selfembed.doctor.findings import Finding
from selfembed.study.expansion import expand
from selfembed.study.validation import load

SCRIPTS = Path(gpu.__file__).parents[2]


def hub_encoder(repository="team/encoder", revision=REVISION):
    return {"type": "hub", "id": repository, "revision": revision, "layers": 2}


def url(address):
    return {"source": {"type": "url", "url": address, "sha256": "0" * 64, "format": "csv"}}


def config(changes=None, path="config.yaml"):
    """A config without fine-tuning and local files, so that nothing but what is asked for is checked."""
    docs = {"source": {"type": "python_docs"}}
    made = {
        "device": "cpu",
        "corpora": {"docs": docs},
        "encoders": {"tfidf": {"type": "tfidf"}},
        "experiments": {"main": {"corpora": ["docs"], "models": [{"encoder": "tfidf"}]}},
    }
    for key, value in (changes or {}).items():
        made[key] = made[key] | value if isinstance(made.get(key), dict) else value
    Path(path).write_text(yaml.safe_dump(made))


def doctor(*words, hub="http://127.0.0.1:1", prefix=(), limit=None, **environment):
    """Run the command; return its exit code and its findings by what they are about."""
    command = [*prefix, sys.executable, "-m", "selfembed", "doctor", *words]
    around = os.environ | {
        "PYTHONPATH": str(SCRIPTS),
        "HF_ENDPOINT": hub,
        "HF_HOME": str(Path("home").absolute()),
        "HF_HUB_OFFLINE": "1",  # as in jobs of Snakemake
        **environment,
    }
    done = subprocess.run(command, capture_output=True, text=True, env=around, preexec_fn=limit)
    lines = [re.fullmatch(r"(ok|warning|error) +(\S+(?: \S+)*?)  +(.*)", line) for line in done.stdout.splitlines()]
    found = {line[2]: (line[1], line[3]) for line in lines if line}
    assert found, done.stderr
    return done.returncode, found


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def repository(here):
    """A repository with an encoder's files; nothing reads them."""
    folder = here / "repository"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"0" * 3_000_000)
    (folder / "pytorch_model.bin").write_bytes(b"0" * 9_000_000)
    return folder


@pytest.fixture
def closed():
    """The address of a port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


def test_all_in_order_is_ok_and_nothing_is_downloaded(repository):
    with serving(Hub, folder=repository) as (hub, server), serving(Files, content=b"0" * 2_000_000) as (web, _):
        newest = hub_encoder(revision=None)
        config({"encoders": {"pinned": hub_encoder(), "newest": newest}, "corpora": {"news": url(f"{web}/news.csv")}})
        code, found = doctor(hub=hub)
        assert server.requests == 0, "no file was read"
    assert code == 0
    assert found["encoders.pinned"] == ("ok", f"team/encoder at {REVISION[:8]}: 3 MB")
    assert found["encoders.newest"] == ("ok", f"team/encoder at {REVISION[:8]}, the newest (not pinned): 3 MB")
    assert found["corpora.news"] == ("ok", f"{web}/news.csv: 2.0 MB")
    assert found["clock"][0] == found["disk"][0] == found["memory"][0] == "ok"
    assert not list(Path().rglob("*.download")) and not Path("results").exists()


def test_what_cannot_be_downloaded_is_an_error_each(repository, closed):
    encoders = {
        "wrong": hub_encoder(revision="b" * 40),
        "absent": hub_encoder("team/other"),
        "gated": hub_encoder("team/gated"),
    }
    with (
        serving(Hub, folder=repository, gated=("team/gated",)) as (hub, _),
        serving(Files, behaviour="missing") as (web, _),
    ):
        corpora = {"refused": url(f"{closed}/a.csv"), "missing": url(f"{web}/a.csv")}
        tasks = {"STS13": {"type": "registry", "block": "sts"}}
        config({"encoders": encoders, "corpora": corpora, "tasks": tasks})
        code, found = doctor(hub=hub)
        _, with_token = doctor(hub=hub, HF_TOKEN="hf_abc")
    assert code == 1
    assert found["encoders.wrong"] == ("error", f"hub: 'team/encoder' has no revision {'b' * 40}")
    assert found["encoders.absent"] == ("error", "hub: no repository 'team/other' (or it requires a login)")
    gated = "hub: 'team/gated' requires a permission, and {} (403); expected: accept its terms on {} and set HF_TOKEN"
    terms = f"{hub}/team/gated"
    assert found["encoders.gated"] == ("error", gated.format("no token is set", terms))
    assert with_token["encoders.gated"] == ("error", gated.format("the token of this machine has no permission", terms))
    assert found["corpora.refused"][0] == "error"
    assert found["corpora.refused"][1].startswith(f"{closed}/a.csv: could not be reached: ")
    assert found["corpora.missing"] == ("error", f"{web}/a.csv: the server responded with 404 Not Found")
    assert found["tasks.STS13"][0] == "error"


def test_without_network_only_what_is_not_downloaded_is_an_error(here, closed):
    config({"encoders": {"one": hub_encoder(), "other": hub_encoder()}, "folder": "mine"})
    Path("results/mine/encoders/one").mkdir(parents=True)
    code, found = doctor(hub=closed)
    assert code == 1
    assert found["encoders.one"] == ("ok", "downloaded: results/mine/encoders/one")
    assert found["encoders.other"][0] == "error"
    assert found["clock"] == ("warning", "not compared, because the Hub cannot be reached")
    code, found = doctor("--offline", hub=closed)
    assert code == 0
    assert found["sources"] == ("warning", "not downloaded and not looked up (--offline): encoders.other")


@pytest.mark.parametrize(("clock", "expected"), [(-3600, "ahead of"), (7200, "behind")])
def test_a_wrong_clock_is_an_error(repository, clock, expected):
    config()
    with serving(Hub, folder=repository, clock=clock) as (hub, _):
        code, found = doctor(hub=hub)
    assert code == 1
    level, words = found["clock"]
    assert level == "error"
    off, way = re.match(r"([\d,]+) s (ahead of|behind) the Hub's; expected: at most 300 s", words).groups()
    assert way == expected and abs(float(off.replace(",", "")) - abs(clock)) < 60


def test_several_files_and_keys_make_a_config_as_for_snakemake(here):
    config()
    config({"encoders": {"more": hub_encoder()}}, "other.yaml")
    code, found = doctor("--configfile", "config.yaml", "other.yaml", "--config", '{"folder": "x"}', "--offline")
    assert code == 0 and "encoders.more" in found["sources"][1]
    done = subprocess.run(
        [sys.executable, "-m", "selfembed", "doctor", "--configfile", "none.yaml"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "error: 'none.yaml' does not exist; expected: a config file"


def count_of(changes, known):
    settings = load(changed({"seeds": [1], "figures": {}, "experiments.main.corpora": ["news"], **changes}))
    return Count(settings, expand(settings), known)


def known(texts):
    return Sizes(
        {"news": Corpus(texts, texts, 4, 1000, texts)}, {}, {1: (0.99, 33.2), 2: (0.9554, 64.6), 10: (0.007, 308.8)}
    )


def mounts_are_allowed():
    command = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return shutil.which("unshare") and subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.skipif(not mounts_are_allowed(), reason="a small disk cannot be mounted here (unshare)")
def test_a_small_disk_is_an_error(here):
    """The embeddings of 5,000 texts need 15 MB, their texts 12; what is there already counts."""
    docs = {"source": {"type": "python_docs"}, "expect": {"rows": 5000}}
    models = {"main": {"corpora": ["docs"], "models": [{"encoder": "svd"}]}}
    svd = {"svd": {"type": "svd", "components": 768}}
    config({"corpora": {"docs": docs}, "encoders": svd, "experiments": models})
    Path("results").mkdir()
    mount = 'mount -t tmpfs -o size={} tmpfs results && head -c 3000000 /dev/zero > results/a && exec "$@"'
    prefix = ("unshare", "--map-root-user", "--mount", "sh", "-c")
    code, found = doctor("--offline", prefix=(*prefix, mount.format("8m"), "sh"))
    assert code == 1
    expected = r"5 MB free in \S*/results, and 3 MB of results; largest size: 28 MB; expected: more space, or .*"
    assert found["disk"][0] == "error" and re.fullmatch(expected, found["disk"][1]), found["disk"]
    code, found = doctor("--offline", prefix=(*prefix, mount.format("80m"), "sh"))
    assert code == 0 and found["disk"][0] == "ok"


@pytest.mark.slow
@pytest.mark.long
def test_memory_for_the_largest_step_is_measured_by_a_trial():
    """The estimate grows with the batch; a batch that no machine has memory for is an error."""
    (fits,) = memory.check(count_of({}, known(1000)), on_gpu=False)
    assert fits.level == "ok", fits
    recipe = {"recipes.crops": {"augmentation": {"type": "crops"}, "batch_size": 100_000_000}}
    (too_large,) = memory.check(count_of(recipe, known(1000)), on_gpu=False)
    assert too_large.level == "error" and "expected: more memory, or a smaller batch_size" in too_large.found
    needed, available = (float(n.replace(",", "")) for n in re.findall(r"([\d.,]+) GB", too_large.found))
    assert needed > available > 0
    assert needed > float(re.search(r"([\d.]+) GB", fits.found)[1])


@pytest.mark.slow
def test_too_little_memory_for_the_trial_is_an_error(here):
    """With a real limit on the memory of the process, which torch alone exceeds."""
    tiny = {"type": "random", "tokenizer": {"train_on": "docs"}}
    models = {"main": {"corpora": ["docs"], "models": [{"encoder": "tiny", "recipe": "crops"}]}}
    config({"encoders": {"tiny": tiny}, "recipes": {"crops": {"augmentation": "crops"}}, "experiments": models})
    code, found = doctor("--offline", limit=lambda: resource.setrlimit(resource.RLIMIT_AS, (700_000_000,) * 2))
    assert code == 1
    level, words = found["memory"]
    assert level == "error" and words.startswith(
        "the largest step (tiny, batch 64, 65 tokens in a text, fp32) failed: "
    )


def test_the_largest_step_is_that_of_the_widest_model_and_the_largest_batch():
    models = [{"encoder": "tiny", "recipe": "crops"}, {"encoder": "mpnet", "recipe": "crops"}]
    count = count_of({"experiments.main.models": models}, known(1000))
    assert memory.largest(count).encoder == "mpnet"
    swept = [{"encoder": "mpnet", "recipe": "crops", "sweep": {"augmentation.sentences": [1, 10, 2]}}]
    count = count_of({"experiments.main.models": swept}, known(1000))
    assert memory.tokens_of(count, memory.largest(count)) == 309
    assert memory.largest(count_of({"experiments.main.models": [{"encoder": "mpnet"}]}, known(10))) is None


def test_a_limit_of_the_process_is_the_available_memory():
    code = "from selfembed.doctor import memory; print(*memory.available_memory())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(SCRIPTS), "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000,) * 2),
    )
    assert done.stdout.strip() == "1500000000 by ulimit -v", done.stderr


def test_a_gpu_that_torch_does_not_see_is_told(tmp_path, monkeypatch):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert gpu.check("cpu") == (Finding("ok", "GPU", "not used, because the config sets device: cpu"), False)
    monkeypatch.setattr(gpu, "driver_version", lambda: None)
    assert gpu.check("auto")[0].level == "warning"
    assert gpu.check("cuda")[0].level == "error"
    monkeypatch.undo()
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 550.54.15\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    found, usable = gpu.check("auto")
    assert (found.level, usable) == ("error", False)
    if torch.version.cuda is None:
        assert "is built without CUDA, but there is a driver of NVIDIA (" in found.found
    else:
        assert "finds no GPU with the driver" in found.found


def test_hours_decide_the_level(monkeypatch):
    monkeypatch.setattr(plan, "available_cores", lambda: 2)
    long = count_of({"experiments.main.models": [{"encoder": "mpnet"}]}, known(10_000_000))
    *_, in_all, unknown = plan.check_hours(long, on_gpu=False)
    assert in_all.about == "hours in all" and in_all.level == "error"
    assert in_all.found.endswith("expected: at most 100 hours, a GPU, or device: cpu in the config")
    assert (unknown.level, unknown.found[-11:]) == ("warning", "docs, notes")
    short = count_of({"experiments.main.models": [{"encoder": "mpnet"}]}, known(10))
    assert plan.check_hours(short, on_gpu=False)[-2].level == "ok"
    assert plan.check_hours(long, on_gpu=True)[-2].level == "ok"
    meant = count_of({"experiments.main.models": [{"encoder": "mpnet"}], "device": "cpu"}, known(10_000_000))
    assert plan.check_hours(meant, on_gpu=False)[-2].level == "warning"


def test_hours_of_exports_are_told_and_part_of_all():
    report = REPORTED["report"] | {"figures": ["page"]}
    exports = REPORTED | {"report": report | {"exports": ["static", "int8_vectors"]}}
    sizes = known(1000)
    sizes.corpora["crops"] = sizes.corpora["news"]
    amounts = count_of(exports, sizes).exports()
    assert [job.path for job in amounts] == [
        f"{corpus}/exports/{name}/final/own_last"
        for corpus in ("crops", "news")
        for name in ("adapted_model", "static", "int8_vectors")
    ]
    one = count_of(exports, sizes).jobs(["main"])
    assert all(found in one.values() and found["embedding"] > 0 for found in amounts.values())
    *_, of_exports, in_all, _ = plan.check_hours(count_of(exports, sizes), on_gpu=False)
    assert (of_exports.about, in_all.about) == ("hours of exports", "hours in all")
    assert count_of(REPORTED | {"report": report}, sizes).exports() == {}


def test_hours_of_every_figure_are_told():
    count = count_of({"figures": {"bars": {"draw": "comparison", "experiment": "main"}}}, known(1000))
    found = plan.check_hours(count, on_gpu=True)
    assert [finding.about for finding in found] == ["hours of bars", "hours in all", "hours"]
    assert re.fullmatch(r"[\d.]+ on a GPU \(an H100\), [\d.]+ on 8 cores beside it", found[0].found)
    bars = {"figures": {"bars": {"draw": "comparison", "experiment": "main"}}, "experiments.main.corpora": ["docs"]}
    assert plan.check_hours(count_of(bars, known(10)), on_gpu=False)[0].found.startswith("at least ")
