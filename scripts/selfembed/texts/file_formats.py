"""Formats of input files by file extension, and of files with another extension by their first bytes."""

from pathlib import Path

FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".parquet": "parquet", ".json": "json", ".xlsx": "xlsx"}
COMPRESSED = (".gz", ".zst")
COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
NOT_TEXT = {  # first bytes, what the file is and what is expected
    b"PAR1": "a Parquet file; expected: the extension .parquet",
    b"PK\x03\x04": "a zip archive; expected: the files in it, unpacked",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file; expected: the same saved as .xlsx or .csv",
    b"%PDF-": "a PDF file; expected: a table of texts",
}


def without_compression(path: Path) -> Path:
    """Return a path without the extension of a compression."""
    return path.with_suffix("") if path.suffix.lower() in COMPRESSED else path


def format_of(path: Path) -> str | None:
    """Return the format of a file by its extension, such as `csv` for `.csv` and `.csv.gz`; None if it is unknown."""
    return FORMATS.get(without_compression(path).suffix.lower())


def other_format(content: bytes) -> str | None:
    """Return what a file is that is not text, and what is expected instead; None if it may be text."""
    if content.startswith(b"PK\x03\x04") and b"xl/workbook.xml" in content:
        return "an Excel workbook; expected: the extension .xlsx"
    return next((kind for mark, kind in NOT_TEXT.items() if content.startswith(mark)), None)
