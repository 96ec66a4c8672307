//! Reads weights of every type, and refuses files whose tensors are not what the architecture has.

use super::*;
use crate::gguf::write::{TensorOut, Writer};
use crate::tiny::Tiny;

fn load(writer: &Writer) -> Result<Weights, LoadError> {
    let mut parts = Parts::new(vec![writer.finish()]);
    let gguf = Gguf::parse(&parts)?;
    let config = ModelConfig::from_gguf(&gguf)?;
    Weights::load(&gguf, &mut parts, &config)
}

#[track_caller]
fn refuses(writer: &Writer, message: &str) {
    let error = load(writer).unwrap_err();
    assert_eq!(error.to_string(), message, "the message names the tensor");
    assert!(!error.hint().is_empty(), "the hint says what to do");
}

#[test]
fn reads_every_supported_type_from_small_parts() {
    use TensorType::{BF16, F16, F32, Q4_0, Q8_0};
    for kind in [F32, F16, BF16, Q8_0, Q4_0] {
        let tiny = Tiny {
            kind,
            has_bias: true,
            ..Tiny::default()
        };
        let whole = load(&tiny.writer()).unwrap();
        let chunks = tiny.gguf().chunks(1000).map(<[u8]>::to_vec).collect();
        let mut parts = Parts::new(chunks);
        let gguf = Gguf::parse(&parts).unwrap();
        let config = ModelConfig::from_gguf(&gguf).unwrap();
        assert_eq!(
            Weights::load(&gguf, &mut parts, &config),
            Ok(whole),
            "{kind}"
        );
        assert!(
            parts.read(0, 1).is_err(),
            "{kind}: the file was dropped on the way"
        );
    }
}

#[test]
fn refuses_numbers_that_are_none() {
    use TensorType::{BF16, F16, F32, Q4_0, Q8_0};
    for (kind, bytes) in [
        (F32, &[0, 0, 0x80, 0x7f][..]),
        (F16, &[0, 0x7e]),
        (BF16, &[0x80, 0xff]),
        (Q8_0, &[0, 0x7c]),
        (Q4_0, &[1, 0xfc]),
    ] {
        let tiny = Tiny {
            kind,
            ..Tiny::default()
        };
        let mut writer = tiny.writer();
        let name = "blk.1.ffn_up.weight";
        let tensor = writer.tensors.iter_mut().find(|t| t.name == name).unwrap();
        // The third block, or value, of the file's second layer.
        let start = 2 * kind.block_bytes();
        tensor.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        let place = 2 * kind.block_len();
        refuses(
            &writer,
            &format!(
                "tensor `blk.1.ffn_up.weight` holds a number that is infinite or none, near value {place}"
            ),
        );
    }
}

#[test]
fn names_a_missing_tensor() {
    let tiny = Tiny {
        n_layers: 1,
        ..Tiny::default()
    };
    let mut writer = tiny.writer();
    writer.set("llama.block_count.unused", 0u32);
    let more = Tiny {
        n_layers: 2,
        ..tiny
    };
    // The tensors of one layer, with metadata for two.
    let mut announced = more.writer();
    announced
        .tensors
        .retain(|tensor| !tensor.name.starts_with("blk.1.ffn_up"));
    refuses(&announced, "tensor `blk.1.ffn_up.weight` is missing");
    assert!(load(&writer).is_ok(), "unknown metadata are harmless");
}

#[test]
fn demands_the_gains_of_a_family() {
    for name in [
        "blk.0.attn_k_norm.weight",
        "blk.6.post_attention_norm.weight",
        "blk.6.post_ffw_norm.weight",
    ] {
        let mut writer = Tiny::of(Architecture::Gemma3).writer();
        writer.tensors.retain(|tensor| tensor.name != name);
        refuses(&writer, &format!("tensor `{name}` is missing"));
    }
}

#[test]
fn refuses_a_tensor_of_another_shape() {
    let mut writer = Tiny::default().writer();
    let tensor = writer
        .tensors
        .iter_mut()
        .find(|t| t.name == "blk.0.attn_k.weight")
        .unwrap();
    *tensor = TensorOut::pack(
        "blk.0.attn_k.weight",
        TensorType::F32,
        &[64, 64],
        &[0.0; 4096],
    );
    refuses(
        &writer,
        "tensor `blk.0.attn_k.weight` has the wrong shape, expected 64 x 32: `64 x 64`",
    );
}

#[test]
fn refuses_a_tensor_it_would_leave_out() {
    let mut writer = Tiny::default().writer();
    writer.add(TensorOut::pack(
        "blk.0.attn_q_norm.weight",
        TensorType::F32,
        &[16],
        &[1.0; 16],
    ));
    refuses(
        &writer,
        "tensor `blk.0.attn_q_norm.weight` is not known for architecture `llama`",
    );
}
