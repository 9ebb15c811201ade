"""The config as closed pydantic models, and what is derived from it: runs, names, flags, documentation.

These modules are parameters, not code: steps get every value as a flag, so adding an experiment reruns no
existing step.
"""
