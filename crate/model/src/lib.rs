//! Turns weights into tokens, embeddings and text.
//!
//! The modules stand in the order in which bytes flow: a file's parts are read as GGUF, which gives the tokenizer,
//! the template, the configuration, the weights and an adapter; the forward pass turns tokens into logits through
//! the kernels; sampling and generation turn logits into text; the embedder turns text into a vector.
