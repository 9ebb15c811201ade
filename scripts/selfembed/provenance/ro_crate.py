"""Lineage of results as an RO-Crate: a folder with the results and a description of all steps and files.

The crate follows RO-Crate 1.1 and the profile Process Run Crate 0.5. It contains the requested results. Other files are
described by path, SHA-256 and size, but not copied, because models and embeddings are large.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from mimetypes import MimeTypes
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rocrate.model import ContextEntity, Entity
from rocrate.rocrate import ROCrate

from selfembed.jobs import seals
from selfembed.jobs.records import written_whole
from selfembed.provenance.lineage import Lineage, command

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
FORMATS = MimeTypes()  # only the types known to Python, not those of the operating system


def write(units: list[Path], found: Lineage, folder: Path) -> None:
    """Write results and their common lineage as an RO-Crate.

    The same results and seals give the same bytes: the date of the crate is that of the newest result.

    Raises InputError if a result in the lineage is damaged.
    """
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(TERMS)
    files = {unit: add_result(crate, unit, unit in units) for unit in found.made_by}
    files |= {Path(path): add_data(crate, path, found) for path in found.data}
    runs = [add_run(crate, unit, step, files) for unit, step in found.made_by.items()]
    names = ", ".join(map(str, units))
    newest = max(path.stat().st_mtime for unit in units for path in files[unit])
    root = {
        "name": names,
        "description": f"What made {names}: data, steps, code, packages and machine, as selfembed recorded them.",
        "license": "No licence is stated here. Those of the data and of the encoder apply to what was made from them.",
        "datePublished": datetime.fromtimestamp(newest, UTC).date().isoformat(),
        "conformsTo": add(crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5"),
        "mentions": list(dict.fromkeys(runs)),
    }
    for key, value in root.items():
        crate.root_dataset[key] = value
    with written_whole(folder) as temporary:
        crate.write(temporary)


def add(crate: ROCrate, name: str, kind: str, /, **about: Any) -> Entity:
    """Add an entity, or return the existing one with this identifier."""
    return crate.get(name) or crate.add(ContextEntity(crate, name, {"@type": kind} | about))


def add_run(crate: ROCrate, unit: Path, step: dict[str, Any], files: dict[Path, dict[Path, Entity]]) -> Entity:
    """Add the run of a script that wrote a result, or add the result to the existing run."""
    run = add(
        crate,
        f"#run-{digest(step)}",
        "CreateAction",
        name=f"{step['script']} makes {unit}",
        description=command(step),
        instrument=add_script(crate, step),
        environment=add(crate, f"#{quote(step['machine'])}", "PropertyValue", name="machine", value=step["machine"]),
        object=[entity for path in step["inputs"] for entity in files_of(path, files)],
        result=[],
    )
    run.append_to("result", list(files[unit].values()))
    return run


def add_script(crate: ROCrate, step: dict[str, Any]) -> Entity:
    """Add the script of a step with its commit and package versions."""
    packages = {"Python": step["python"]} | step["packages"]
    return add(
        crate,
        f"#{step['script']}-{digest([packages, step['code'], step['commit']])}",
        "SoftwareApplication",
        name=step["script"],
        softwareVersion=step["commit"] or "unknown",
        sha256=step["code"],
        softwareRequirements=[
            add(crate, f"#{quote(f'{name}-{version}')}", "SoftwareApplication", name=name, softwareVersion=version)
            for name, version in packages.items()
        ],
    )


def add_result(crate: ROCrate, unit: Path, copied: bool) -> dict[Path, Entity]:
    """Add the files of a result, and return them by path; those of a removed result have no size."""
    exists = unit.exists()
    if exists:
        seals.check(unit)
    checksums = {unit.parent / file: sha256 for file, sha256 in seals.read(unit)["files"].items()}
    return {
        path: add_file(crate, path, sha256, path.stat().st_size if exists else None, copied)
        for path, sha256 in checksums.items()
    }


def add_data(crate: ROCrate, path: str, found: Lineage) -> dict[Path, Entity]:
    """Add an input that was not written by a step, with its size if it is unchanged.

    The checksum of a folder is computed from the names and checksums of its files.
    """
    file, sha256 = Path(path), found.data[path]
    if file.is_dir():
        return {file: add(crate, f"#{quote(path)}", "Dataset", name=path, sha256=sha256)}
    size = file.stat().st_size if file.exists() and path not in found.changed else None
    return {file: add_file(crate, file, sha256, size, False)}


def add_file(crate: ROCrate, path: Path, sha256: str, size: int | None, copied: bool) -> Entity:
    """Add a file with its SHA-256 and its size in bytes; copied files keep their relative paths."""
    form = FORMATS.guess_type(path.name)[0] or "application/octet-stream"
    about = {"name": str(path), "sha256": sha256, "encodingFormat": form}
    if size is not None:
        about["contentSize"] = str(size)
    if not copied:
        return add(crate, f"#{quote(str(path))}", "File", **about)
    place = Path(os.path.relpath(path))
    return crate.add_file(path, path.name if ".." in place.parts else place, properties=about)


def files_of(path: str, files: dict[Path, dict[Path, Entity]]) -> Iterable[Entity]:
    """Return the files of an input, which can be data, a result, or part of a result."""
    unit = seals.covering(Path(path)) or Path(path)
    return (entity for file, entity in files[unit].items() if file.is_relative_to(path))


def digest(about: Any) -> str:
    """Return a short hash of JSON data, used in identifiers."""
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
