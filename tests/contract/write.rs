//! Turns the Rust types that cross into JavaScript into the TypeScript that the page is compiled against, with samples.

mod declarations;
mod samples;

fn main() {
    for (file, text) in [
        (declarations::FILE, declarations::render()),
        (samples::FILE, samples::render()),
    ] {
        std::fs::write(harness::root().join(file), text).expect("the checkout is writable");
    }
}
