"""Show what would be uploaded of an adapted model, search it for texts, and upload it."""

from collections.abc import Iterator
from pathlib import Path

from selfembed.errors import InputError
from selfembed.publishing import model_folder, texts_inside, upload
from selfembed.publishing.model_folder import ModelFolder


def publish(folder: Path, repository: str, public: bool, upload_it: bool) -> Iterator[str]:
    """Yield lines about the model, its repository and the search for texts; with `upload_it`, upload the model.

    Texts are those of the corpora of the study, in `corpora/` beside the folder.

    Raises InputError if the folder is no adapted model or contains a text of a corpus, if there are no corpora, or if
    the upload fails.
    """
    upload.check_name(repository)
    model = model_folder.read(folder)
    corpora = sorted((folder.resolve().parent / "corpora").glob("*.parquet"))
    if not corpora:
        raise InputError(
            f"{folder.parent / 'corpora'}: no corpus, so the model cannot be searched for texts; expected: the folder "
            "where the workflow wrote it"
        )
    yield from described(model)
    searched = texts_inside.search(model.files, corpora)
    short = f"; {searched.too_short:,} texts are too short to be searched for" if searched.too_short else ""
    yield f"texts: no passage of {searched.texts:,} texts is in the folder{short}"
    yield f"repository: {repository}, {'public' if public else 'private'}"
    deleted = upload.files_to_delete(model, repository)
    if deleted is None:
        yield "files that only the repository has would be deleted; with a login and a connection, they are listed here"
    yield from (f"  {name}: only in the repository, would be deleted" for name in deleted or ())
    if upload_it:
        yield f"uploaded: {upload.upload(model, repository, public)}"
    else:
        yield "nothing was uploaded; add --upload to upload these files"


def described(model: ModelFolder) -> Iterator[str]:
    """Yield the files and their sizes, and what the card says: title, scores, base model, licence."""
    yield f"{model.path}: {len(model.files)} files, {megabytes(model.size)}"
    for file in model.files:
        yield f"  {file.relative_to(model.path)}: {megabytes(file.stat().st_size)}"
    yield f"card: {model.title}"
    for score in model.scores():
        yield f"  {score}"
    yield f"base model: {model.metadata.get('base_model', 'see the card')}"
    yield f"licence: {model.licence or 'none; add `license:` to the front matter of README.md'}"


def megabytes(size: int) -> str:
    """Format a size in bytes."""
    return f"{size / 1e6:,.3f} MB" if size < 1e6 else f"{size / 1e6:,.1f} MB"
