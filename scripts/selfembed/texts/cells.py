"""Tables of cells: csv and tsv files, as text."""

import warnings
from pathlib import Path

import pandas as pd
from pandas.errors import ParserWarning

from selfembed.errors import InputError, first_line
from selfembed.texts.text_files import encoding_of


def read(path: Path, separator: str = ",", encoding: str | None = None) -> pd.DataFrame:
    """A csv or tsv file in UTF-8, or else in another encoding, as text; only empty cells are missing.

    Raises InputError if it cannot be read, a row is longer than the header, or a column comes twice.
    """
    how = {"sep": separator, "dtype": str, "keep_default_na": False, "na_values": [""]}
    try:
        how["encoding"] = encoding_of(path, encoding)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)
            names = pd.read_csv(path, header=None, nrows=1, index_col=False, **how).iloc[0].dropna()
            table = pd.read_csv(path, index_col=False, **how)
    except Exception as error:  # whatever the bytes do to the parser
        kind = "tsv" if separator == "\t" else "csv"
        raise InputError(f"{path}: cannot be read as {kind}: {first_line(error)}") from error
    if names.duplicated().any():
        raise InputError(f"{path}: column '{names[names.duplicated()].iloc[0]}' is duplicated; expected: once")
    return table
