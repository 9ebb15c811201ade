"""Augmentations that create positive pairs from single texts."""
