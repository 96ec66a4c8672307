//! Compares our results with recorded outside truth.
