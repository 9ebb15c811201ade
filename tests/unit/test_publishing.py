"""`selfembed publish` against a local server that speaks the hub's protocol for uploads."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_account
from huggingface_hub import constants
from safetensors.numpy import load_file, save_file
from small_account import row

import package_model
from local_servers import WritableHub, serving
from selfembed.errors import InputError
from selfembed.jobs.seals import checksum
from selfembed.publishing import model_folder, texts_inside
from selfembed.publishing.publish import publish
from workflow_runs import ROOT

TEXTS = {
    "a": "My invoice of last month is wrong, because the discount that we agreed on by phone is missing.",
    "b": "The parcel never came, although the driver claims that he left it “under” the bench by the door.",
    "zh": "我上个月的发票有误，因为我们在电话里商定的折扣没有算进去，请尽快更正并重新寄给我们公司的财务部门。",
    "short": "Where is my parcel?",
}
FOOTER = " This message was sent from a telephone, so please excuse typing errors and brevity of all sorts."


@pytest.fixture
def model(tmp_path):
    """The adapted model of a small study: random weights, a card by the workflow, and its corpus beside it."""
    results = tmp_path / "results" / "tickets"
    words = small_account.write(tmp_path / "study", [row("After", "Before", 0.1)], repository="some/body")
    package_model.main([*words, "--output", str(results / "adapted_model")])
    folder = results / "adapted_model"
    weights = np.random.default_rng(0).normal(scale=0.05, size=(200, 384)).astype(np.float32)
    save_file({"embeddings": weights}, folder / "model.safetensors")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode": "mean"}')
    (folder / ".hidden").write_text(TEXTS["a"])
    corpus = pd.DataFrame({"id": list(TEXTS), "text": list(TEXTS.values()), "label": None, "title": None})
    (results / "corpora").mkdir()
    corpus.to_parquet(results / "corpora" / "texts.parquet")
    return folder


@pytest.fixture
def hub():
    """A hub without repositories: its address, and the handler class."""
    with serving(WritableHub, repositories={}, private=set(), stored={}, received=[]) as found:
        yield found


def run(model, address, *arguments, token="hf_right"):
    """Run the command in a process of its own; HF_HUB_OFFLINE is set, as the workflow sets it for its jobs."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    variables |= {"HF_ENDPOINT": address, "HF_HOME": str(model.parents[2] / "home"), "HF_HUB_OFFLINE": "1"}
    variables |= {"PYTHONPATH": str(ROOT / "scripts")} | ({"HF_TOKEN": token} if token else {})
    command = [sys.executable, "-m", "selfembed", "publish", str(model), "--to", "me/tickets", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=variables)


@pytest.fixture
def uploading(model, monkeypatch, tmp_path):
    """A function that uploads the model to a hub, in this process, and gives the last line."""

    def upload(address, to="me/tickets", token="hf_right", public=False):
        monkeypatch.setenv("HF_TOKEN", token or "")
        here = {"ENDPOINT": address, "HF_TOKEN_PATH": str(tmp_path / "token"), "HF_STORED_TOKENS_PATH": str(tmp_path)}
        for name, value in (here | {"HF_HUB_OFFLINE": False, "HF_HUB_DISABLE_XET": True}).items():
            monkeypatch.setattr(constants, name, value)
        return list(publish(model, to, public=public, upload_it=True))[-1]

    return upload


def refused(uploading, *arguments, **settings):
    """The one line that says why nothing was uploaded."""
    with pytest.raises(InputError) as caught:
        uploading(*arguments, **settings)
    (line,) = str(caught.value).splitlines()
    return line


def test_what_would_be_uploaded_is_shown_and_nothing_is_sent(model, hub):
    address, server = hub
    done = run(model, address, token=None)
    assert done.returncode == 0, done.stderr
    size = (model / "model.safetensors").stat().st_size
    for line in (
        f"{model}: 4 files, 0.311 MB",
        f"  model.safetensors: {size / 1e6:.3f} MB",
        "  1_Pooling/config.json: 0.000 MB",
        "card: After: a text-embedding model adapted to texts",
        "  Recall@1 of titles: 60.0%, 1,000 test texts of titles_of_texts (not part of this repository)",
        "base model: some/body",
        "licence: none; add `license:` to the front matter of README.md",
        "texts: no passage of 3 texts is in the folder; 1 texts are too short to be searched for",
        "repository: me/tickets, private",
        "nothing was uploaded; add --upload to upload these files",
    ):
        assert line in done.stdout.splitlines(), done.stdout
    assert server.repositories == {} and ".hidden" not in done.stdout


def test_the_command_uploads_all_files_to_a_private_repository_and_unchanged_files_once(model, hub):
    address, server = hub
    done = run(model, address, "--upload")
    assert done.returncode == 0 and done.stderr == ""
    assert f"uploaded: {address}/me/tickets/commit/" in done.stdout
    files = server.repositories["me/tickets"]
    assert set(files) == {"README.md", "modules.json", "model.safetensors", "1_Pooling/config.json"}
    for name in set(files) - {"README.md"}:
        assert files[name] == (model / name).read_bytes()
    card = (model / "README.md").read_text(encoding="utf-8")
    assert files["README.md"].decode() == card.replace("path/to/this/folder", "me/tickets") != card
    assert server.private == {"me/tickets"}
    assert run(model, address, "--upload").returncode == 0  # again
    assert len(server.received) == len(set(server.received)) == 2  # the weights and the card


def test_files_that_only_the_repository_has_are_shown_and_deleted(model, uploading, hub, monkeypatch):
    address, server = hub
    uploading(address)
    server.repositories["me/tickets"] |= {".gitattributes": b"", "words.py": b"old", "2_Words/config.json": b"{}"}
    (model / "1_Pooling" / "config.json").rename(model / "config.json")
    shown = [line for line in lines(model) if line.endswith(": only in the repository, would be deleted")]
    expected = ["1_Pooling/config.json", "2_Words/config.json", "words.py"]
    assert [line.split(":")[0].strip() for line in shown] == expected
    assert "words.py" in server.repositories["me/tickets"]
    uploading(address)
    names = {".gitattributes", "README.md", "config.json", "model.safetensors", "modules.json"}
    assert set(server.repositories["me/tickets"]) == names
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert any("would be deleted; with a login and a connection, they" in line for line in lines(model))


def test_a_public_repository_is_asked_for(uploading, hub):
    address, server = hub
    assert uploading(address, public=True).startswith(f"uploaded: {address}/me/tickets/commit/")
    assert set(server.repositories) == {"me/tickets"} and server.private == set()


def test_without_login_or_permission_it_is_one_line(uploading, hub):
    address, server = hub
    assert refused(uploading, address, token=None) == (
        "hub: no login; expected: `hf auth login` with a token that can write, or HF_TOKEN"
    )
    assert "'me/tickets': the login is not valid; expected: `hf" in refused(uploading, address, token="hf_wrong")
    said = refused(uploading, address, to="other/tickets")
    assert "hub: 'other/tickets': no permission to write: the name belongs to somebody else" in said
    server.repositories["other/tickets"] = {}  # exists, so the hub refuses only the upload
    server.private.add("other/tickets")
    assert "hub: 'other/tickets': no permission to write" in refused(uploading, address, to="other/tickets")
    assert server.repositories == {"other/tickets": {}} and server.stored == {}


def test_a_public_repository_does_not_get_a_private_model_nor_the_other_way_round(uploading, hub):
    address, server = hub
    server.repositories["me/tickets"] = {}
    assert "'me/tickets' exists and is public; expected: with --public, or" in refused(uploading, address)
    server.private.add("me/tickets")
    said = refused(uploading, address, public=True)
    assert "'me/tickets' exists and is private; expected: without --public, or" in said
    assert server.repositories == {"me/tickets": {}}


@pytest.mark.slow
def test_a_connection_that_stays_cut_is_one_line_and_the_same_command_resumes(model, uploading, hub, monkeypatch):
    """A connection that is cut once is tried again by the hub's library."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    address, server = hub
    save_file({"other": np.zeros((100, 100), dtype=np.float32)}, model / "other.safetensors")
    large = {model / name for name in ("model.safetensors", "other.safetensors")}
    server.small, server.cut = 10_000, {checksum(model / "model.safetensors")}
    said = refused(uploading, address)
    assert said.startswith("hub: 'me/tickets': the connection failed (")
    assert said.endswith("); the same command resumes: files that have arrived are not uploaded again")
    assert server.repositories["me/tickets"] == {} and server.received == [checksum(model / "other.safetensors")]
    server.cut = set()
    server.cuts = 1
    assert uploading(address).startswith("uploaded: ")
    assert sorted(server.received) == sorted(map(checksum, large))
    for path in large:
        assert server.repositories["me/tickets"][path.name] == path.read_bytes()


def test_no_hub_is_one_line(uploading):
    assert "hub: 'me/tickets': the connection failed (" in refused(uploading, "http://127.0.0.1:9")


def lines(model, to="me/tickets"):
    return list(publish(model, to, public=False, upload_it=False))


@pytest.mark.parametrize("name", ["tickets", "me/", "/tickets", "me/a b", "me/tickets/2", "me/..", "me/" + "a" * 100])
def test_a_name_that_the_hub_does_not_take_is_told(model, name):
    with pytest.raises(InputError, match=r"not a name of a repository; expected: owner/name"):
        lines(model, name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: shutil.rmtree(folder), "no such folder; expected: the folder adapted_model of"),
        (lambda folder: (folder / "modules.json").unlink(), r"not an adapted model: no modules\.json"),
        (lambda folder: (folder / "README.md").unlink(), r"not an adapted model: no README\.md"),
        (lambda folder: (folder / "README.md").write_text("# A model"), r"README\.md: no scores \(model-index\)"),
        (
            lambda folder: shutil.rmtree(folder.parent / "corpora"),
            "corpora: no corpus, so the model cannot be searched",
        ),
        (lambda folder: (folder.parent / "corpora" / "texts.parquet").write_text("x"), "not a prepared corpus"),
        (lambda folder: (folder / "1_Pooling" / "config.json").write_text("{"), r"config\.json: damaged; expected"),
    ],
)
def test_what_is_no_adapted_model_is_told(model, change, message):
    change(model)
    with pytest.raises(InputError, match=message) as caught:
        lines(model)
    assert len(str(caught.value).splitlines()) == 1


# A text in the folder -----------------------------------------------------------------------------------------


def in_a_file(name):
    """Put a text between others into a file of the folder."""

    def hide(folder, text):
        (folder / name).write_text(f"notes:\n\n{text}\n\nend", encoding="utf-8")

    return hide


def in_json(folder, text):
    (folder / "config.json").write_text(json.dumps({"a": [{"b": text.upper()}]}), encoding="ascii")


def in_the_card(folder, text):
    with (folder / "README.md").open("a", encoding="utf-8") as card:
        card.write(f"\nFor example: *{text}*\n")


def in_the_header_of_weights(folder, text):
    save_file(load_file(folder / "model.safetensors"), folder / "model.safetensors", metadata={"example": text})


def in_the_weights(folder, text):
    tensors = load_file(folder / "model.safetensors")
    words = np.frombuffer(text.encode(), dtype=np.uint8)
    save_file(tensors | {"words": words}, folder / "model.safetensors")


def in_lines(folder, text):
    (folder / "notes.txt").write_text(text.replace(" ", " \n> "), encoding="utf-8")


HIDDEN = [in_a_file("notes.txt"), in_a_file("word_counts.py"), in_json, in_the_card, in_the_header_of_weights]
HIDDEN += [in_the_weights, in_lines]


@pytest.mark.parametrize("name", ["a", "b", "zh"])
@pytest.mark.parametrize("hide", HIDDEN)
def test_a_text_in_the_folder_is_found_wherever_it_is(model, hide, name):
    lines(model)
    hide(model, TEXTS[name])
    with pytest.raises(InputError, match=rf": contains a passage of the text '{name}' of .*texts\.parquet; ") as caught:
        lines(model)
    assert TEXTS[name][:20] not in str(caught.value)


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_part_of_a_text_is_enough(model, name):
    half = " ".join(TEXTS[name].split()[5:])
    in_a_file("notes.txt")(model, half)
    with pytest.raises(InputError, match=f"passage of the text '{name}'"):
        lines(model)


def test_a_text_in_the_folder_is_not_uploaded(model, uploading, hub):
    address, server = hub
    in_a_file("notes.txt")(model, TEXTS["a"])
    said = refused(uploading, address)
    assert said.startswith(f"{model / 'notes.txt'}: contains a passage of the text 'a' of ")
    assert said.endswith("; expected: no text in the folder; nothing was uploaded")
    assert server.repositories == {}


@pytest.mark.parametrize(
    "content",
    [b"PAR1\xff\xfe", "My invoice".encode("utf-16"), b"\x1f\x8b\x08", b"zip\0"],
    ids=["table", "utf-16", "gzip", "zip"],
)
def test_a_file_that_cannot_be_searched_is_refused(model, content):
    (model / "notes.dat").write_bytes(content)
    with pytest.raises(InputError, match=r"notes\.dat: neither text nor weights, so it cannot be searched"):
        lines(model)


def test_a_vocabulary_is_no_text_and_a_footer_is_not_one_text_s_own(model):
    corpus = pd.DataFrame({"id": list(TEXTS), "text": [text + FOOTER for text in TEXTS.values()]})
    corpus.assign(label=None, title=None).to_parquet(model.parent / "corpora" / "texts.parquet")
    words = sorted({word for name in ("a", "b", "short") for word in TEXTS[name].split()})
    (model / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    (model / "tokenizer.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (model / "notes.txt").write_text(FOOTER)
    assert f"texts: no passage of {len(TEXTS)} texts is in the folder" in lines(model)


def test_titles_that_are_short_and_repeated_texts_are_counted_once(tmp_path):
    corpus = pd.DataFrame({"id": ["1", "2", "3"], "text": [TEXTS["a"], TEXTS["a"], "A title"]})
    corpus.assign(label=None, title=None).to_parquet(tmp_path / "texts.parquet")
    assert texts_inside.search([], [tmp_path / "texts.parquet"]) == (1, 1)


def test_a_licence_with_a_name_of_its_own_is_shown(model):
    card = Path(model / "README.md")
    text = card.read_text(encoding="utf-8").replace("tags:", "license: other\nlicense_name: gemma\ntags:")
    card.write_text(text, encoding="utf-8")
    assert model_folder.read(model).licence == "gemma" and "licence: gemma" in lines(model)
