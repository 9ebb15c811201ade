"""Encoders: built, cut, checked, saved and described."""
