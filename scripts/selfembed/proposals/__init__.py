"""A config for texts of one's own."""
