//! Turns calls from JavaScript into calls of the engine.
