"""Checks of a config on this machine, before a long run."""
