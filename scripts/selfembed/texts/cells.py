"""Reading of csv and tsv files as tables of text."""

import warnings
from pathlib import Path

import pandas as pd
from pandas.errors import ParserWarning

from selfembed.errors import InputError, first_line
from selfembed.texts.text_files import encoding_of


def read(path: Path, separator: str = ",", encoding: str | None = None) -> pd.DataFrame:
    """Read a csv or tsv file as text; only empty cells are missing values.

    Args:
        encoding: encoding of a file that is not UTF-8.

    Raises InputError if the file cannot be read, a row is longer than the header, or a column name is duplicated.
    """
    how = {"sep": separator, "dtype": str, "keep_default_na": False, "na_values": [""]}
    try:
        how["encoding"] = encoding_of(path, encoding)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)
            names = pd.read_csv(path, header=None, nrows=1, index_col=False, **how).iloc[0].dropna()
            table = pd.read_csv(path, index_col=False, **how)
    except Exception as error:  # any parser error
        kind = "tsv" if separator == "\t" else "csv"
        raise InputError(f"{path}: cannot be read as {kind}: {first_line(error)}") from error
    if names.duplicated().any():
        raise InputError(f"{path}: column '{names[names.duplicated()].iloc[0]}' is duplicated; expected: once")
    return table
