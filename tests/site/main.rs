//! Runs the command line on small sites, and compares what it prints and writes with what is promised.

mod answers;
mod ask;
mod build;
mod bundle;
mod config;
mod deployed;
mod hostile;
mod incremental;
mod steps;
