//! The parts that the measurements share: the measured work, statistics, and the cost of a month.
//!
//! ```text
//! cargo bench --package benches --bench footprint   the deployed binary beside its peers
//! cargo xtask instructions                          instruction counts, compared with the file's
//! ```
//!
//! `benches/README.md` explains how each figure is measured and what its limits are.

pub mod cost;
pub mod stats;
pub mod work;
