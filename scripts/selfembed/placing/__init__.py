"""Texts of a new file on the map of a finished study."""
