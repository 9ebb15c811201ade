"""MTEB tasks: made from corpora, read from files, taken from mteb's registry, and run."""
