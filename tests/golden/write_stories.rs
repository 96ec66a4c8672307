//! Turns the stories260K model into a folder of models that `anchorite build --models` takes, and the story it must tell.
//!
//! `tests/browser/stories.test.mjs` calls this with the folder; without public test data the folder stays empty.

use std::path::PathBuf;

use anchorite_model::gguf::TensorType;
use harness::stories::Stories;

fn main() {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.expect("usage: write_stories DIR");
    std::fs::create_dir_all(&folder).expect("the folder");
    let Some(data_dir) = harness::data_dir() else {
        return;
    };
    let stories = Stories::load(&data_dir, TensorType::F32);
    std::fs::write(folder.join("generator.gguf"), &stories.gguf).expect("the model");
    std::fs::write(folder.join("story.txt"), &stories.expected).expect("the story");
    let embedder = harness::root().join("models/default/embedder.gguf");
    std::fs::copy(embedder, folder.join("embedder.gguf")).expect("the embedder");
}
