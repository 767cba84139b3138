//! Function Compute custom runtime.
