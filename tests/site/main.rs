//! Runs the command line on small sites, and compares its output and files with the documented behaviour.

mod adapter;
mod answers;
mod ask;
mod build;
mod bundle;
mod config;
mod deployed;
mod generator;
mod generator_files;
mod hybrid;
mod hostile;
mod incremental;
mod injections;
mod languages;
mod pull;
mod reported;
mod sites;
mod steps;
mod voice;
