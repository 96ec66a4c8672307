//! Turns documents into an index, and a query into ranked passages.
