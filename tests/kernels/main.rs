//! Compares each kernel with its plain twin.
