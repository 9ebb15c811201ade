"""Positive pairs from single texts."""
