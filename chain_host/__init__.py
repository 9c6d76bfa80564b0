"""Embedded Substrate host: executes the real runtime WebAssembly."""
