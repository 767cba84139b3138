//! `memcpy` and `memmove` for x86_64 musl, faster than musl's own for short copies.
//!
//! The crate has no items. Linking it is enough:
//!
//! ```ignore
//! use musl_memcpy as _;
//! ```
//!
//! musl copies with `rep movsq`, which takes dozens of cycles to begin. Of the time that this
//! program takes to parse, decide and render an event, 42 % went there (Intel Xeon). Others met it
//! too: astral-sh/uv#10610, microsoft/openvmm#2297.
//!
//! Both functions are needed: musl's `memmove` refers to a label inside its `memcpy` and would
//! bring that in as well. In the order of linking, crates come before libc, so the linker finds
//! these first.
//!
//! For other targets than x86_64 musl, `src/copy.c` is compiled only for this crate's tests, under
//! the names `musl_memcpy` and `musl_memmove`.

#![no_std]
#![forbid(unsafe_code)]
