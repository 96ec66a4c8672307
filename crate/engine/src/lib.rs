//! Turns a question into a cited answer, by joining the index and the models.
