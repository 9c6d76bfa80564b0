"""Running runtime WebAssembly under wasmtime, with bounds on memory and time."""
