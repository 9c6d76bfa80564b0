//! The runtime as a WebAssembly library.

#![no_std]

pub use ainur_runtime::*;
