"""Sandbox for untrusted WebAssembly agents."""
