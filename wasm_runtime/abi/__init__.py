"""The contract between host and guest, version by version."""
