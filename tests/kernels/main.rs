//! Compares each kernel with its plain twin, in every form that the adapter can run.

mod attention;
mod choice;
mod device;
mod multiply;
mod steps;
