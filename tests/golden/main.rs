//! Compares our results with recorded outside truth.

mod gpu;
