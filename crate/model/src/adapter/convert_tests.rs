//! Compares converted adapters with hand-worked rows, and with models into whose weights the adapter was merged.

use std::collections::BTreeMap;

use super::*;
use crate::adapter::Adapter;
use crate::config::Architecture;
use crate::forward::{CpuForward, test_nmse};
use crate::gguf::Gguf;
use crate::parts::Parts;
use crate::tiny::{Random, Tiny};
use crate::token::TokenId;
use crate::weights::Weights;

/// A module's name in PEFT's files, and its kind of matrix.
const MODULES: [(&str, &str); 7] = [
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];

/// A matrix under its name in a file: rows, columns, values.
type Named = BTreeMap<String, (usize, usize, Vec<f32>)>;

fn file(tensors: &Named) -> Vec<u8> {
    let bytes: Vec<(&String, [usize; 2], Vec<u8>)> = tensors
        .iter()
        .map(|(name, (n_rows, n_cols, values))| {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes());
            (name, [*n_rows, *n_cols], bytes.collect())
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes).expect("a tensor");
        (name.as_str(), view)
    });
    safetensors::serialize(views, None).expect("safetensors")
}

fn config(writer: &Writer) -> ModelConfig {
    let gguf = Gguf::parse(&Parts::new(vec![writer.finish()])).unwrap();
    ModelConfig::from_gguf(&gguf).unwrap()
}

/// Random pairs for every matrix under PEFT's names; `rank` gives the rank of each kind.
fn peft(tiny: &Tiny, rank: impl Fn(&str) -> usize) -> Named {
    let mut random = Random(77);
    let mut tensors = Named::new();
    for layer_idx in 0..tiny.n_layers {
        for ((module, kind), (of, n_rows, n_cols)) in MODULES.iter().zip(tiny.layer_matrices()) {
            assert_eq!(*kind, of, "both lists go through a layer alike");
            let rank = rank(kind);
            for (side, n_rows, n_cols) in [("A", rank, n_cols), ("B", n_rows, rank)] {
                let name = format!(
                    "base_model.model.model.layers.{layer_idx}.{module}.lora_{side}.weight"
                );
                let values = (0..n_rows * n_cols).map(|_| random.draw() * 0.2).collect();
                tensors.insert(name, (n_rows, n_cols, values));
            }
        }
    }
    tensors
}

fn floats(tensor: &TensorOut) -> Vec<f32> {
    let mut values = vec![0.0; tensor.shape.iter().product()];
    quant::dequantize(tensor.kind, &tensor.bytes, &mut values);
    values
}

fn change(writer: &mut Writer, name: &str, change: impl FnOnce(&mut [f32])) {
    let tensor = writer
        .tensors
        .iter_mut()
        .find(|tensor| tensor.name == name)
        .expect(name);
    let mut values = floats(tensor);
    change(&mut values);
    *tensor = TensorOut::pack(name, TensorType::F32, &tensor.shape, &values);
}

/// Adds `scale(kind) * B A` to a model's matrices, row by row as PEFT does.
fn merge(writer: &mut Writer, tiny: &Tiny, tensors: &Named, scale: impl Fn(&str) -> f32) {
    for layer_idx in 0..tiny.n_layers {
        for (module, kind) in MODULES {
            let half = |side: &str| {
                let path = format!("base_model.model.model.layers.{layer_idx}.{module}");
                &tensors[&format!("{path}.lora_{side}.weight")]
            };
            let ((rank, n_cols, a), (n_rows, _, b)) = (half("A"), half("B"));
            change(
                writer,
                &format!("blk.{layer_idx}.{kind}.weight"),
                |values| {
                    for row in 0..*n_rows {
                        for column in 0..*n_cols {
                            let products =
                                (0..*rank).map(|k| b[row * rank + k] * a[k * n_cols + column]);
                            values[row * n_cols + column] += scale(kind) * products.sum::<f32>();
                        }
                    }
                },
            );
        }
    }
}

/// The same model as one of the llama family, whose files have the rows of a rotary pair as neighbours: row `2 i + h`
/// of a head is row `i` of half `h`.
fn as_llama(tiny: &Tiny) -> Writer {
    let llama = Tiny {
        family: Architecture::Llama,
        ..tiny.clone()
    };
    let mut writer = llama.writer();
    writer.set("llama.rope.freq_base", 1e6f32);
    let (d, c) = (tiny.head_size(), tiny.n_embd);
    for layer_idx in 0..tiny.n_layers {
        for kind in ["attn_q", "attn_k"] {
            change(
                &mut writer,
                &format!("blk.{layer_idx}.{kind}.weight"),
                |values| {
                    let source = values.to_vec();
                    for (row, place) in values.chunks_exact_mut(c).enumerate() {
                        let (head, within) = (row / d, row % d);
                        let from = head * d + (within % 2) * (d / 2) + within / 2;
                        place.copy_from_slice(&source[from * c..(from + 1) * c]);
                    }
                },
            );
        }
    }
    writer
}

fn logits(writer: &Writer, adapter: Option<&[u8]>) -> Vec<f32> {
    let mut parts = Parts::new(vec![writer.finish()]);
    let gguf = Gguf::parse(&parts).unwrap();
    let config = ModelConfig::from_gguf(&gguf).unwrap();
    let weights = Weights::load(&gguf, &mut parts, &config).unwrap();
    let mut forward = CpuForward::new(&config, weights);
    let adapter = adapter.map(|bytes| Adapter::load(&Parts::new(vec![bytes.to_vec()]), &config));
    forward.set_adapter(adapter.transpose().unwrap()).unwrap();
    let token = |i: usize| TokenId(u32::try_from((i * 37 + 5) % Tiny::N_VOCAB).unwrap());
    forward
        .forward(&(0..19).map(token).collect::<Vec<_>>(), 0)
        .unwrap()
}

fn named() -> ConvertOptions {
    ConvertOptions {
        name: "voice".to_owned(),
        ..ConvertOptions::default()
    }
}

#[test]
fn rows_of_a_head_are_dealt_out_by_turns() {
    // Two heads of four rows, rank 1: halves 0 1 and 2 3 become 0 2 1 3.
    let tiny = Tiny {
        n_embd: 8,
        n_heads: 2,
        n_kv_heads: 1,
        ..Tiny::default()
    };
    let b: Vec<f32> = (0..8u8).map(f32::from).collect();
    let base = config(&tiny.writer());
    let found = reordered("blk.0.attn_q.weight", b.clone(), 1, &base);
    assert_eq!(
        found,
        [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0],
        "by turns in each head"
    );
    let found = reordered("blk.0.attn_k.weight", b[..4].to_vec(), 1, &base);
    assert_eq!(found, [0.0, 2.0, 1.0, 3.0], "keys have heads of their own");
    let found = reordered("blk.0.attn_q.weight", b.clone(), 2, &base);
    assert_eq!(
        found,
        [0.0, 1.0, 4.0, 5.0, 2.0, 3.0, 6.0, 7.0],
        "rows of two values"
    );
    assert_eq!(
        reordered("blk.0.attn_v.weight", b.clone(), 1, &base),
        b,
        "values turn with nothing"
    );
    let base = config(
        &Tiny {
            family: Architecture::Qwen2,
            ..tiny
        }
        .writer(),
    );
    assert_eq!(
        reordered("blk.0.attn_q.weight", b.clone(), 1, &base),
        b,
        "other families keep theirs"
    );
}

#[test]
fn a_converted_adapter_does_what_merged_weights_do() {
    // The same weights, once in a family that rotates halves as PEFT's own model does, once as llama's file orders
    // them.
    let tiny = Tiny {
        family: Architecture::Qwen2,
        ..Tiny::default()
    };
    let rank = |kind: &str| if kind == "ffn_up" { 2 } else { 4 };
    let tensors = peft(&tiny, rank);
    let settings = r#"{"r": 4, "lora_alpha": 8, "use_rslora": true, "rank_pattern": {"up_proj": 2},
        "alpha_pattern": {"layers.[0-9]+.self_attn.q_proj": 2}}"#;
    let scale = |kind: &str| match kind {
        "attn_q" => 2.0 / 2.0,
        "ffn_up" => 8.0 / 2f32.sqrt(),
        _ => 8.0 / 2.0,
    };
    let mut merged = tiny.writer();
    merge(&mut merged, &tiny, &tensors, scale);
    let expected = logits(&merged, None);
    for (family, base) in [("qwen2", tiny.writer()), ("llama", as_llama(&tiny))] {
        let plain = test_nmse(&logits(&base, None), &expected);
        assert!(
            plain > 0.01,
            "{family}: the adapter changes the logits, got {plain:e}"
        );
        for (stored, bound) in [(Stored::F32, 1e-6), (Stored::F16, 1e-4)] {
            let options = ConvertOptions { stored, ..named() };
            let bytes = convert(
                settings.as_bytes(),
                &file(&tensors),
                &config(&base),
                &options,
            )
            .unwrap();
            let got = test_nmse(&logits(&base, Some(&bytes)), &expected);
            println!("{family} {stored:?}: bound {bound:e}, got {got:e}");
            assert!(
                got <= bound,
                "{family} {stored:?}: bound {bound:e}, got {got:e}"
            );
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let tiny = Tiny::default();
    let (tensors, base) = (file(&peft(&tiny, |_| 4)), config(&tiny.writer()));
    let twice = [(); 2].map(|()| convert(b"{\"r\": 4}", &tensors, &base, &named()).unwrap());
    assert!(twice[0] == twice[1], "the same bytes");
    let parts = Parts::new(vec![twice[0].clone()]);
    let adapter = Adapter::load(&parts, &base).unwrap();
    assert_eq!((adapter.name.as_str(), adapter.pairs.len()), ("voice", 14));
    assert_eq!(
        adapter.pairs["blk.0.attn_q.weight"].scale, 2.0,
        "PEFT's default alpha is 8"
    );
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let tiny = Tiny::default();
    let base = config(&tiny.writer());
    let check = |case: &str, change: &dyn Fn(&mut Named), expected: &str| {
        let mut tensors = peft(&tiny, |_| 4);
        change(&mut tensors);
        let error = convert(b"{\"r\": 4}", &file(&tensors), &base, &named()).expect_err(case);
        assert!(error.to_string().contains(expected), "{case}: {error}");
        assert!(!error.hint().is_empty(), "{case}: the hint says what to do");
    };
    let q_a = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
    let q_b = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight";
    let put = |tensors: &mut Named, name: &str, n_rows: usize, n_cols: usize, value: f32| {
        tensors.insert(
            name.to_owned(),
            (n_rows, n_cols, vec![value; n_rows * n_cols]),
        );
    };
    check("nothing", &Named::clear, "no `lora_A`/`lora_B` pair");
    check(
        "half a pair",
        &|t| drop(t.remove(q_b)),
        "`lora_B` of the same module is missing",
    );
    check(
        "narrow",
        &|t| put(t, q_a, 4, 63, 0.1),
        "expected 4 x 64: `4 x 63`",
    );
    check(
        "another rank",
        &|t| put(t, q_a, 3, 64, 0.1),
        "expected 4 x 64: `3 x 64`",
    );
    check(
        "unlike ranks",
        &|t| put(t, q_b, 64, 3, 0.1),
        "expected 64 x 4: `64 x 3`",
    );
    check(
        "none",
        &|t| put(t, q_a, 4, 64, f32::NAN),
        "infinite or none, near value 0, in the file",
    );
    let deeper = q_a.replace("layers.0", "layers.7");
    check(
        "a deeper base",
        &|t| {
            put(t, &deeper, 4, 64, 0.1);
            put(t, &deeper.replace("lora_A", "lora_B"), 64, 4, 0.1);
        },
        "has no `blk.7.attn_q.weight`",
    );
    let default = q_a.replace("lora_A", "lora_A.default");
    check(
        "twice",
        &|t| put(t, &default, 4, 64, 0.1),
        "changes the same matrix",
    );

    let mut none = peft(&tiny, |_| 4);
    for (name, shape) in [(q_a, (0, 64)), (q_b, (64, 0))] {
        none.insert(name.to_owned(), (shape.0, shape.1, Vec::new()));
    }
    let settings = br#"{"r": 4, "rank_pattern": {"q_proj": 1}}"#;
    let error = convert(settings, &file(&none), &base, &named()).expect_err("rank 0");
    assert!(
        error.to_string().contains("rank 0, expected 1 to 1024"),
        "{error}"
    );

    let mut large = peft(&tiny, |_| 4);
    put(&mut large, q_b, 64, 4, 1e5);
    let options = ConvertOptions {
        stored: Stored::F16,
        ..named()
    };
    let error = convert(b"{}", &file(&large), &base, &options).expect_err("too large for halves");
    assert!(error.to_string().contains("as it is written"), "{error}");
    let error = convert(b"{}", b"nothing", &base, &named()).expect_err("no safetensors");
    assert!(
        error
            .to_string()
            .contains("`adapter_model.safetensors` cannot be read"),
        "{error}"
    );
}
