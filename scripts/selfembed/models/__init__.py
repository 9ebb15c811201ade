"""Encoders: build, truncate, check, save and describe them."""
