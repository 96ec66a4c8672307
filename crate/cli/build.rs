//! Builds the program again when the files that pages load change, because a release build holds them.

fn main() {
    let page_files = "../../www/dist";
    // A folder that isn't there would count as changed each time. If it can't be made, that is only slower.
    let _ = std::fs::create_dir_all(page_files);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={page_files}");
}
