//! The command line: turns arguments into calls of the engine.
fn main() {}
