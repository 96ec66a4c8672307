//! Compares the shipped reader with its weights in single precision, and shows that files without a reader are refused.

use anchorite_model::error::LoadError;
use anchorite_model::gguf::Gguf;
use anchorite_model::parts::Parts;
use anchorite_model::read::{Reader, Word};
use harness::{nmse, root};
use serde::Deserialize;

/// Largest NMSE, from quantising activations to 8 bits in every layer.
const BOUND: f64 = 5e-3;

/// A case that `models/recipes/reader/golden.py` recorded.
#[derive(Deserialize)]
struct Case {
    question: String,
    heading: String,
    text: String,
    n_tokens: usize,
    /// Logits of being about the question and of answering it.
    window: [f32; 2],
    /// Logits of no answer.
    null: f32,
    /// The byte range of each token in the text.
    offsets: Vec<[usize; 2]>,
    /// Logits of start, end and evidence for each token.
    tokens: Vec<[f32; 3]>,
}

fn bytes() -> Vec<u8> {
    std::fs::read(root().join("models/default/reader.gguf")).expect("the reader that ships")
}

fn reader() -> Reader {
    Reader::load(Parts::new(vec![bytes()]), None).expect("the reader loads")
}

const CASES: &str = include_str!("../fixtures/golden/reader.json");

fn cases() -> Vec<Case> {
    serde_json::from_str(CASES).expect("recorded cases")
}

#[test]
fn reads_as_its_weights_do_in_single_precision() {
    compare(&reader(), CASES);
}

/// Reads the recorded cases, and compares logits and the places of words.
pub(crate) fn compare(reader: &Reader, recorded: &str) {
    let cases: Vec<Case> = serde_json::from_str(recorded).expect("recorded cases");
    let (mut found, mut expected) = (Vec::new(), Vec::new());
    for case in cases {
        let question = reader.question(&case.question).expect("tokens");
        let windows = reader
            .windows(&question, &case.heading, &case.text, 192, 0)
            .expect("windows");
        assert_eq!(windows.len(), 1, "{}", case.text);
        let readings = reader.read(&question, &windows).expect("a reading");
        let reading = &readings[0];
        assert_eq!(case.tokens.len(), case.n_tokens, "as recorded");
        found.extend([reading.relevant, reading.answerable, reading.null]);
        expected.extend([case.window[0], case.window[1], case.null]);
        for Word {
            range, start, end, ..
        } in &reading.words
        {
            // A word of several tokens starts with its first and ends with its last.
            let inside: Vec<usize> = (0..case.n_tokens)
                .filter(|&at| {
                    case.offsets[at][0] >= range.start && case.offsets[at][1] <= range.end
                })
                .collect();
            let (first, last) = (inside.first(), inside.last());
            let (first, last) = first.zip(last).expect("a word has tokens");
            found.extend([*start, *end]);
            expected.extend([case.tokens[*first][0], case.tokens[*last][1]]);
        }
    }
    let got = nmse(&found, &expected);
    println!(
        "NMSE bound {BOUND:e}, got {got:e} over {} logits",
        found.len()
    );
    assert!(got <= BOUND, "NMSE bound {BOUND:e}, got {got:e}");
}

#[test]
fn a_window_reads_the_same_alone_and_beside_others() {
    let reader = reader();
    let question = reader
        .question("Which flag sets the port?")
        .expect("tokens");
    let text = cases()
        .into_iter()
        .map(|case| case.text)
        .collect::<Vec<_>>()
        .join("\n\n")
        .repeat(9);
    let windows = reader
        .windows(&question, "Server", &text, 96, 16)
        .expect("windows");
    assert!(windows.len() > 8, "several batches: {}", windows.len());
    let together = reader.read(&question, &windows).expect("readings");
    for (window, together) in windows.iter().zip(&together) {
        let alone = reader
            .read(&question, std::slice::from_ref(window))
            .expect("a reading");
        assert_eq!(&alone[0], together, "window {:?}", window.range());
    }
    let covered = windows.iter().map(|window| window.range());
    let mut end = 0;
    for range in covered {
        assert!(range.start <= end, "no word is left out before {range:?}");
        end = range.end;
    }
    assert_eq!(text[end..].trim(), "", "the text is read to its end");
}

#[test]
fn reads_whatever_it_is_given() {
    let reader = reader();
    let long = "word ".repeat(10_000);
    let one = "x".repeat(50_000);
    let code = "fn main() {}\n".repeat(500);
    let texts = [
        "",
        "\u{0}\u{202e}",
        "\u{5d0}\u{5d1}\u{5d2} \u{645}\u{631}\u{62d}\u{628}\u{627}",
        "🦀🦀🦀",
        &long,
        &one,
        &code,
    ];
    for question in ["", "?", &"why ".repeat(1_250), "这是什么？"] {
        let asked = reader.question(question).expect("tokens");
        for text in texts {
            let windows = reader
                .windows(&asked, text, text, 192, 40)
                .expect("windows");
            let first = &windows[..windows.len().min(2)];
            for reading in reader.read(&asked, first).expect("readings") {
                let span = reading
                    .best_span(0..reading.words.len(), 24)
                    .expect("a window has words");
                assert!(
                    text.get(span.range.clone()).is_some(),
                    "{span:?} in {text:.20}"
                );
            }
        }
    }
}

/// The shipped file with `from` replaced by `to`, of the same length.
fn changed(from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "offsets must stay");
    let mut bytes = bytes();
    let at = bytes
        .windows(from.len())
        .position(|window| window == from)
        .expect("the file has it");
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn refuses_what_is_no_reader_and_says_why() {
    let load = |bytes: Vec<u8>| {
        let loaded = Reader::load(Parts::new(vec![bytes]), None);
        loaded.map(drop).expect_err("no reader")
    };
    let embedder =
        std::fs::read(root().join("models/default/embedder.gguf")).expect("the embedder");
    assert_eq!(
        load(embedder),
        LoadError::MissingMetadata {
            key: "reader.version".into()
        }
    );
    let mut short = bytes();
    short.truncate(short.len() / 2);
    assert!(
        matches!(load(short), LoadError::Truncated { .. }),
        "a file that was cut short"
    );
    let other = changed(b"reader.window.weight", b"reader.wisdom.weight");
    assert!(
        matches!(
            load(other),
            LoadError::MissingTensor { .. } | LoadError::UnknownTensor { .. }
        ),
        "other heads"
    );
    let mut newer = bytes();
    let key = b"reader.version";
    let at = newer
        .windows(key.len())
        .position(|window| window == key)
        .expect("its version");
    // The key's value follows its type; both take four bytes.
    newer[at + key.len() + 4] = 9;
    let error = load(newer);
    assert!(
        matches!(&error, LoadError::MetadataValue { found, .. } if found == "9"),
        "another version: {error}"
    );
    let mut broken = bytes();
    let gguf = Gguf::parse(&Parts::new(vec![broken.clone()])).expect("a GGUF file");
    let at = usize::try_from(gguf.tensors["reader.window.bias"].offset).expect("a small file");
    broken[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = load(broken);
    assert!(
        matches!(error, LoadError::NotFinite { .. }),
        "a weight that is no number: {error}"
    );
}
