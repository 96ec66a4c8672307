//! Runs the command line on small sites and compares what it prints and writes.
