"""Typed calls and records, one module per pallet; field names are those of the runtime's metadata."""
