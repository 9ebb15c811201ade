"""Checks across groups of settings. Each function yields one line for every problem."""
