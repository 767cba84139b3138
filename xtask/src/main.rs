//! Builds the package that is deployed.
fn main() {}
