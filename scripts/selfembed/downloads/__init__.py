"""Downloads with checksums."""
