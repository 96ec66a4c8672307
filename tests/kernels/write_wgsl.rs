//! Writes every shader of the graphics engine to a file, for reading and for comparing two versions.

#![expect(clippy::print_stdout, reason = "results go to standard output")]

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .ok_or("usage: write_wgsl FOLDER")?;
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder)?;
    let shaders = anchorite_model::kernels::shaders();
    for (label, wgsl) in &shaders {
        let name = label.replace('/', "-").replace(' ', "_");
        std::fs::write(folder.join(format!("{name}.wgsl")), wgsl)?;
    }
    println!("{} shaders in {}", shaders.len(), folder.display());
    Ok(())
}
