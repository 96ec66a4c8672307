//! Round-trips files, and checks the errors that damaged ones must give.

use super::*;
use crate::gguf::write::{TensorOut, Writer};

fn sample() -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .set("general.architecture", "llama")
        .set("sample.count", 7u32)
        .set("sample.ratio", 0.5f32)
        .set("sample.flag", true)
        .set("sample.names", vec!["a", "ü"])
        .set("sample.scores", vec![1.5f32, -2.0])
        .add(TensorOut::pack(
            "first",
            TensorType::F32,
            &[3],
            &[1.0, 2.0, 3.0],
        ))
        .add(TensorOut::pack(
            "second",
            TensorType::Q8_0,
            &[32, 2],
            &[1.0; 64],
        ));
    writer.finish()
}

fn parse(bytes: Vec<u8>) -> Result<Gguf, LoadError> {
    Gguf::parse(&Parts::new(vec![bytes]))
}

/// A head with the given counts and body.
fn head(version: u32, n_tensors: u64, n_keys: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend(n_tensors.to_le_bytes());
    bytes.extend(n_keys.to_le_bytes());
    bytes.extend(body);
    bytes
}

/// A string as the file stores it.
fn text(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text].concat()
}

/// A directory entry.
fn line(name: &str, dims: &[u64], kind: u32, offset: u64) -> Vec<u8> {
    let mut bytes = text(name.as_bytes());
    bytes.extend(u32::try_from(dims.len()).unwrap().to_le_bytes());
    bytes.extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
    bytes.extend(kind.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes
}

#[track_caller]
fn refuses(bytes: Vec<u8>, message: &str) {
    let error = parse(bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        message,
        "the message says what, where, expected and found"
    );
    assert!(!error.hint().is_empty(), "the hint says what to do");
}

#[test]
fn reads_what_was_written() {
    let bytes = sample();
    let parts = Parts::new(vec![bytes]);
    let gguf = Gguf::parse(&parts).unwrap();
    assert_eq!(gguf.string("general.architecture"), Ok("llama"), "string");
    assert_eq!(gguf.u32("sample.count"), Ok(7), "number");
    assert_eq!(gguf.f32("sample.ratio"), Ok(0.5), "float");
    assert_eq!(gguf.bool("sample.flag"), Ok(true), "truth value");
    assert_eq!(gguf.strings("sample.names"), Ok(vec!["a", "ü"]), "strings");
    assert_eq!(gguf.floats("sample.scores"), Ok(vec![1.5, -2.0]), "floats");
    assert_eq!(gguf.opt_u32("sample.absent"), Ok(None), "absent");
    let second = gguf.entry("second").unwrap();
    assert_eq!(
        (second.kind, &second.shape[..]),
        (TensorType::Q8_0, &[32, 2][..]),
        "directory"
    );
    assert_eq!(
        gguf.tensor(&parts, "first").unwrap()[4..8],
        2.0f32.to_le_bytes(),
        "values"
    );
}

#[test]
fn reads_the_same_from_parts_of_any_size() {
    let bytes = sample();
    let whole = parse(bytes.clone()).unwrap();
    for size in [1, 7, 64, 300] {
        let parts = Parts::new(bytes.chunks(size).map(<[u8]>::to_vec).collect());
        assert_eq!(
            Gguf::parse(&parts),
            Ok(whole.clone()),
            "parts of {size} bytes"
        );
    }
}

#[test]
fn refuses_every_file_cut_short() {
    let bytes = sample();
    // The writer pads the end; the last tensor itself ends 28 bytes before it.
    for len in 0..bytes.len() - 28 {
        let error = parse(bytes[..len].to_vec()).unwrap_err();
        assert!(
            matches!(error, LoadError::Truncated { .. }),
            "{len} bytes: {error}"
        );
    }
}

#[test]
fn never_panics_on_a_flipped_bit() {
    let bytes = sample();
    for idx in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[idx / 8] ^= 1 << (idx % 8);
        let parts = Parts::new(vec![damaged]);
        if let Ok(gguf) = Gguf::parse(&parts) {
            for name in gguf.tensors.keys() {
                assert!(
                    gguf.tensor(&parts, name).is_ok(),
                    "bit {idx}: ranges were checked"
                );
            }
        }
    }
}

#[test]
fn says_where_a_tensor_ends_after_the_file() {
    let bytes = head(3, 1, 0, &line("w", &[64], 0, 0));
    let padded = bytes.len().next_multiple_of(32);
    refuses(
        bytes,
        &format!("file is cut short: tensor `w` at byte {padded} needs 256 bytes, found 0"),
    );
}

#[test]
fn refuses_another_format() {
    refuses(
        b"PK\x03\x04 a zip".to_vec(),
        "file does not start with `GGUF`: `PK\\x03\\x04`",
    );
}

#[test]
fn refuses_another_version() {
    refuses(
        head(9, 0, 0, &[]),
        "GGUF version is not supported, expected 2 or 3: `9`",
    );
}

#[test]
fn refuses_absurd_counts() {
    refuses(
        head(3, u64::MAX, 0, &[]),
        "tensor count at byte 8 is absurd, at most 65536 expected: `18446744073709551615`",
    );
    refuses(
        head(3, 0, 1 << 40, &[]),
        "metadata count at byte 16 is absurd, at most 65536 expected: `1099511627776`",
    );
    refuses(
        head(
            3,
            0,
            1,
            &[&(1u64 << 62).to_le_bytes()[..], &[0; 16]].concat(),
        ),
        "metadata key at byte 24 is absurd, at most 16777216 expected: `4611686018427387904`",
    );
}

#[test]
fn refuses_counts_that_the_file_cannot_hold() {
    refuses(
        head(3, 60_000, 0, &[0; 100]),
        "file is cut short: tensor count at byte 16 needs 1440000 bytes, found 108",
    );
    let array = [
        &text(b"k")[..],
        &9u32.to_le_bytes(),
        &4u32.to_le_bytes(),
        &[0, 0, 1],
    ]
    .concat();
    refuses(
        head(3, 0, 1, &[&array[..], &[0; 5]].concat()),
        "file is cut short: length of array `k` at byte 49 needs 262144 bytes, found 0",
    );
}

#[test]
fn refuses_arrays_within_arrays_without_end() {
    let nested = [&9u32.to_le_bytes()[..], &1u64.to_le_bytes()]
        .concat()
        .repeat(100);
    let body = [&text(b"k")[..], &9u32.to_le_bytes(), &nested].concat();
    refuses(
        head(3, 0, 1, &body),
        "nesting of arrays in `k` at byte 85 is absurd, at most 4 expected: `5`",
    );
}

#[test]
fn refuses_unknown_types() {
    let body = [&text(b"k")[..], &99u32.to_le_bytes(), &[0; 8]].concat();
    refuses(
        head(3, 0, 1, &body),
        "metadata `k` has an unknown value type, expected 0 to 12: `99`",
    );
    refuses(
        head(3, 1, 0, &line("w", &[32], 77, 0)),
        "tensor `w` has an unknown type number: `77`",
    );
}

#[test]
fn refuses_impossible_tensors() {
    refuses(
        head(3, 1, 0, &line("w", &[1; 9], 0, 0)),
        "dimension count of tensor `w` at byte 33 is absurd, at most 4 expected: `9`",
    );
    refuses(
        head(3, 1, 0, &line("w", &[1 << 40], 0, 0)),
        "dimension of tensor `w` at byte 33 is absurd, at most 2147483648 expected: \
         `1099511627776`",
    );
    refuses(
        head(3, 1, 0, &line("w", &[1 << 31, 1 << 31, 1 << 31], 0, 0)),
        "value count of tensor `w` at byte 33 is absurd, at most 18446744073709551615 expected: \
         `18446744073709551615`",
    );
    refuses(
        head(3, 1, 0, &line("w", &[33], 8, 0)),
        "rows of tensor `w` must be whole blocks of 32 values: `33`",
    );
    refuses(
        head(3, 1, 0, &line("w", &[4], 0, 5)),
        "tensor `w` must start on a multiple of 32 bytes: `5`",
    );
}

#[test]
fn refuses_names_that_are_not_text_or_occur_twice() {
    let body = [&text(b"\xff\xfe")[..], &[0; 16]].concat();
    refuses(head(3, 0, 1, &body), "metadata key at byte 32 is not UTF-8");
    let twice = [line("w", &[4], 0, 0), line("w", &[4], 0, 0)].concat();
    refuses(head(3, 2, 0, &twice), "`w` occurs twice in the file");
}

#[test]
fn names_what_is_missing_or_of_another_type() {
    let gguf = parse(sample()).unwrap();
    let message = |error: LoadError| error.to_string();
    assert_eq!(
        message(gguf.string("sample.absent").unwrap_err()),
        "metadata `sample.absent` is missing",
        "key"
    );
    assert_eq!(
        message(gguf.strings("sample.scores").unwrap_err()),
        "metadata `sample.scores` has the wrong type, expected array of strings: `f32`",
        "type"
    );
    assert_eq!(
        message(gguf.entry("third").unwrap_err()),
        "tensor `third` is missing",
        "tensor"
    );
}
