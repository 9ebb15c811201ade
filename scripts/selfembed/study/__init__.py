"""A config read, checked and expanded into runs and evaluations."""
