//! Builds the program again when the files that pages load change, because a release build holds them.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let page_files = "../../www/dist";
    // A folder that isn't there would count as changed each time.
    if std::path::Path::new(page_files).is_dir() {
        println!("cargo::rerun-if-changed={page_files}");
    }
}
