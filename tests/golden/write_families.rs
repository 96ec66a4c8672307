//! Writes each family's small random models as files, for `record_llama_cpp` to run through llama.cpp.

use std::path::PathBuf;

use harness::families;

fn main() {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.expect("usage: write_families DIR");
    std::fs::create_dir_all(&folder).expect("the folder");
    for case in families::decoders()
        .into_iter()
        .chain(families::variants())
        .chain(families::encoders())
    {
        let path = folder.join(format!("{}.gguf", case.name));
        std::fs::write(path, case.model).expect("the model");
        if let Some(adapter) = case.adapter {
            let path = folder.join(format!("{}.adapter.gguf", case.name));
            std::fs::write(path, adapter).expect("the adapter");
        }
    }
}
