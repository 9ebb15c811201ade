"""The config as closed pydantic models.

These modules are parameters, not code: steps get every value as a flag, so a new experiment reruns no existing step.
"""
