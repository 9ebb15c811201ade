"""The library behind selfembed's scripts: importable, and free of Snakemake."""
