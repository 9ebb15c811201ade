"""Generation of a config for a user's texts."""
