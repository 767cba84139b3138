//! What the measurements share: the work that is measured, statistics, and what a
//! month costs.
//!
//! ```text
//! cargo bench --package benches --bench footprint     the deployed binary beside its peers, growth, cost
//! cargo xtask instructions                            instruction counts against the committed ones
//! ```
//!
//! How each figure is taken, and what it does not say, is in `benches/README.md`.

pub mod cost;
pub mod stats;
pub mod work;
