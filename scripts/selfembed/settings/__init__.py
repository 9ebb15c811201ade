"""The config as closed pydantic models, and what follows from it: runs, names, flags, documentation.

Only the Snakefile's side imports this package; no script does, so adding an experiment reruns nothing that exists.
"""
