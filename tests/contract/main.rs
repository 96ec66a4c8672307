//! Compares the TypeScript that the page is compiled against with the Rust types it describes, and sample values with both.

mod declarations;
mod samples;

use anchorite::AskOptions;

/// Writes both files anew: `cargo xtask contract`.
const HOW: &str = "run `cargo xtask contract`";

fn committed(path: &str) -> String {
    std::fs::read_to_string(harness::root().join(path)).unwrap_or_default()
}

#[test]
fn the_page_is_compiled_against_the_types_of_the_engine() {
    let file = declarations::FILE;
    assert!(
        committed(file) == declarations::render(),
        "`{file}` differs from the Rust types: {HOW}"
    );
}

#[test]
fn samples_are_what_the_engine_sends() {
    let file = samples::FILE;
    assert!(
        committed(file) == samples::render(),
        "`{file}` differs from what the Rust types are serialised to: {HOW}"
    );
}

#[test]
fn options_of_a_page_are_read_by_the_engine() {
    let options: AskOptions =
        serde_json::from_value(samples::options()).expect("the names of all options are known");
    let untouched = AskOptions::default();
    macro_rules! assert_all_differ {
        ($($field:ident),*) => {
            // Taken apart, so that a new option must be named here.
            let AskOptions { $($field),* } = options;
            $(assert_ne!($field, untouched.$field, stringify!($field));)*
        };
    }
    assert_all_differ!(
        passages,
        max_tokens,
        temperature,
        top_k,
        top_p,
        min_p,
        repetition_penalty,
        seed,
        prompt_lookup,
        lock,
        prompt,
        generate,
        adapter,
        voice,
        history
    );
    let unknown = serde_json::json!({ "max_tokens": 5 });
    let refused = serde_json::from_value::<AskOptions>(unknown).expect_err("another casing");
    assert!(
        refused.to_string().contains("unknown field `max_tokens`"),
        "the error names the option: {refused}"
    );
}
