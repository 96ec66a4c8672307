//! Turns `cargo xtask NAME` into the work of that name.
fn main() {}
