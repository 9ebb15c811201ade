"""Upload the files of a model to a repository on the Hugging Face Hub.

By the LFS protocol, which is tested here; HF_HUB_DISABLE_XET=0 selects the Hub's newer protocol, Xet.
"""

import os
import sys

os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # before huggingface_hub is imported, which reads it

from selfembed.downloads import hub  # isort: skip  # sets HF_HUB_OFFLINE, before huggingface_hub is imported

from httpx2 import TransportError
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, ModelInfo, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError
from huggingface_hub.utils import disable_progress_bars, validate_repo_id

from selfembed.errors import InputError, first_line
from selfembed.models import model_cards
from selfembed.publishing.model_folder import ModelFolder

ERRORS = (HfHubHTTPError, TransportError, OSError, ValueError, RuntimeError)  # of the hub client
PATIENCE = 10  # seconds; for a look at a repository


def check_name(repository: str) -> None:
    """Raise InputError unless a name is one of a repository, with its owner."""
    try:
        validate_repo_id(repository)
        owner, name = repository.split("/")
    except (HFValidationError, ValueError):
        owner = name = ""
    if not (owner and name):
        raise InputError(
            f"--to {repository}: not a name of a repository; expected: owner/name, of letters, digits, '-', '_' and "
            "'.', at most 96 characters"
        )


def files_to_delete(model: ModelFolder, repository: str) -> list[str] | None:
    """Return the files of a repository that an upload of a model would delete, because the model does not have them.

    None if this is not known: without a login, no server is asked, and servers may not answer.
    """
    if get_token() is None:
        return None
    try:
        return only_there(HfApi().repo_info(repository, timeout=PATIENCE), model)
    except RepositoryNotFoundError:
        return []
    except ERRORS:
        return None


def only_there(repository: ModelInfo, model: ModelFolder) -> list[str]:
    """Return the files that a repository has and a model does not, without hidden ones, such as .gitattributes."""
    here = {file.relative_to(model.path).as_posix() for file in model.files}
    names = {file.rfilename for file in repository.siblings or ()}
    return sorted(name for name in names - here if not any(part.startswith(".") for part in name.split("/")))


def upload(model: ModelFolder, repository: str, public: bool) -> str:
    """Create a repository, if it does not exist, and upload a model in one commit; return the address of the commit.

    Files of the repository that the model does not have are deleted in the same commit.

    Large files that have arrived before, and files that have not changed, are not uploaded again.

    Raises InputError without login or permission, if the repository exists and is public or private unlike `public`, or
    if the connection fails.
    """
    if get_token() is None:
        raise InputError("hub: no login; expected: `hf auth login` with a token that can write, or HF_TOKEN")
    if not sys.stderr.isatty():
        disable_progress_bars()
    card = model.path / model_cards.CARD
    try:
        api = HfApi()
        api.create_repo(repository, private=not public, exist_ok=True)
        found = api.repo_info(repository)
        if bool(found.private) == public:
            is_so, option = ("private", "without --public") if public else ("public", "with --public")
            raise InputError(f"hub: '{repository}' exists and is {is_so}; expected: {option}, or another name")
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            CommitOperationAdd(
                file.relative_to(model.path).as_posix(), model.card_for(repository) if file == card else file
            )
            for file in model.files
        ]
        operations += [CommitOperationDelete(name) for name in only_there(found, model)]
        return api.create_commit(repository, operations, commit_message=f"Upload {model.title}").commit_url
    except InputError:
        raise
    except ERRORS as error:
        raise InputError(f"hub: '{repository}': {problem(error)}") from error


def problem(error: BaseException) -> str:
    """Return what is wrong and what to do."""
    status = status_of(error)
    if status == 401:
        return "the login is not valid; expected: `hf auth login` with a token that can write, or HF_TOKEN"
    if status == 403:
        return (
            "no permission to write: the name belongs to somebody else, or the token cannot write; expected: a name "
            "under your own user or organisation, and a token that can write"
        )
    if hub.can_pass(error):
        return (
            f"the connection failed ({first_line(error)}); the same command resumes: files that have arrived are not "
            "uploaded again"
        )
    return f"not uploaded: {first_line(error)}"


def status_of(error: BaseException | None) -> int | None:
    """Return the HTTP status of an error, or of the error that caused it; None if no server answered."""
    if error is None:
        return None
    return error.response.status_code if isinstance(error, HfHubHTTPError) else status_of(error.__cause__)
