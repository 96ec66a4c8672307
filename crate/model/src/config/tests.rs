//! Reads valid metadata and refuses invalid metadata.

use super::*;
use crate::gguf::TensorEntry;
use crate::gguf::TensorType;
use crate::parts::Parts;
use crate::tiny::Tiny;

fn gguf() -> Gguf {
    let mut gguf = Gguf::default();
    for (key, value) in [
        ("general.architecture", Value::from("llama")),
        ("llama.block_count", 2u32.into()),
        ("llama.embedding_length", 64u32.into()),
        ("llama.feed_forward_length", 96u32.into()),
        ("llama.attention.head_count", 8u32.into()),
        ("llama.attention.head_count_kv", 4u32.into()),
        ("llama.context_length", 128u32.into()),
        ("llama.attention.layer_norm_rms_epsilon", 1e-5f32.into()),
    ] {
        gguf.metadata.insert(key.into(), value);
    }
    gguf.tensors
        .insert("token_embd.weight".into(), gguf_entry());
    gguf
}

fn gguf_entry() -> TensorEntry {
    TensorEntry {
        kind: TensorType::F32,
        shape: vec![64, 512],
        offset: 0,
        bytes: 64 * 512 * 4,
    }
}

fn with(key: &str, value: impl Into<Value>) -> Result<ModelConfig, LoadError> {
    let mut gguf = gguf();
    gguf.metadata.insert(key.into(), value.into());
    ModelConfig::from_gguf(&gguf)
}

#[test]
fn reads_sizes_and_fills_in_defaults() {
    let config = ModelConfig::from_gguf(&gguf()).unwrap();
    assert_eq!(
        (config.n_heads, config.n_kv_heads, config.head_size),
        (8, 4, 8),
        "heads"
    );
    assert_eq!(
        (config.rope.dim, config.rope.base, config.rope.scale),
        (8, 1e4, 1.0),
        "rope"
    );
    assert_eq!(
        (config.n_vocab, config.kv_width()),
        (512, 32),
        "from the embedding's rows"
    );
}

#[test]
fn refuses_what_it_cannot_compute_and_says_what_would_do() {
    let message = |key: &str, value: Value| with(key, value).unwrap_err().to_string();
    for (key, value, expected) in [
        (
            "general.architecture",
            Value::from("mamba"),
            "model architecture is not supported, expected llama, qwen2, qwen3, gemma3 or bert: `mamba`",
        ),
        (
            "llama.attention.head_count_kv",
            3u32.into(),
            "metadata `llama.attention.head_count_kv` is not supported, expected a divisor of the \
             head count: `3`",
        ),
        (
            "llama.block_count",
            0u32.into(),
            "metadata `llama.block_count` is not supported, expected 1 to 1024: `0`",
        ),
        (
            "llama.embedding_length",
            4_000_000_000u32.into(),
            "metadata `llama.embedding_length` is not supported, expected 1 to 65536: `4000000000`",
        ),
        (
            "llama.attention.layer_norm_rms_epsilon",
            f32::NAN.into(),
            "metadata `llama.attention.layer_norm_rms_epsilon` is not supported, expected a \
             positive number: `NaN`",
        ),
        (
            "llama.attn_logit_softcapping",
            50f32.into(),
            "metadata `llama.attn_logit_softcapping` is not supported, expected no cap on attention \
             scores: `50`",
        ),
        (
            "llama.rope.scaling.type",
            "dynamic".into(),
            "metadata `llama.rope.scaling.type` is not supported, expected none, linear, yarn or longrope: \
             `dynamic`",
        ),
        (
            "llama.block_count",
            "two".into(),
            "metadata `llama.block_count` has the wrong type, expected whole number: `string`",
        ),
    ] {
        assert_eq!(message(key, value), expected, "{key}");
    }
}

#[test]
fn names_missing_metadata() {
    let mut gguf = gguf();
    gguf.metadata.remove("llama.context_length");
    let expected = LoadError::MissingMetadata {
        key: "llama.context_length".into(),
    };
    assert_eq!(
        ModelConfig::from_gguf(&gguf),
        Err(expected),
        "names the key"
    );
}

/// The metadata of Gemma 3 1B as its files have it, except for a small vocabulary.
fn gemma3(changes: &[(&str, Value)]) -> Result<ModelConfig, LoadError> {
    let mut gguf = Gguf::default();
    let mut entry = gguf_entry();
    entry.shape = vec![1152, 512];
    gguf.tensors.insert("token_embd.weight".into(), entry);
    gguf.metadata
        .insert("general.architecture".into(), "gemma3".into());
    for (key, value) in [
        ("block_count", Value::from(26u32)),
        ("embedding_length", 1152u32.into()),
        ("feed_forward_length", 6912u32.into()),
        ("attention.head_count", 4u32.into()),
        ("attention.head_count_kv", 1u32.into()),
        ("attention.key_length", 256u32.into()),
        ("attention.value_length", 256u32.into()),
        ("attention.sliding_window", 512u32.into()),
        ("context_length", 32768u32.into()),
        ("attention.layer_norm_rms_epsilon", 1e-6f32.into()),
        ("rope.freq_base", 1e6f32.into()),
    ]
    .iter()
    .chain(changes)
    {
        gguf.metadata.insert(format!("gemma3.{key}"), value.clone());
    }
    ModelConfig::from_gguf(&gguf)
}

#[test]
fn reads_what_sets_a_family_apart() {
    let config = gemma3(&[]).unwrap();
    assert_eq!(
        (config.q_width(), config.query_scale, config.embd_scale),
        (1024, 1.0 / 16.0, 1152f32.sqrt()),
        "widths and scales"
    );
    let seen: Vec<usize> = (0..26)
        .filter(|idx| config.window(*idx).is_none())
        .collect();
    assert_eq!(seen, [5, 11, 17, 23], "layers that see everything");
    let window = config.window(0).unwrap();
    assert_eq!(
        (window.n_visible, window.rope.base, config.rope.base),
        (512, 1e4, 1e6),
        "two bases"
    );
    assert_eq!(config.logit_cap, None, "no cap");

    let stretched = gemma3(&[
        ("rope.scaling.type", "linear".into()),
        ("rope.scaling.factor", 8f32.into()),
        ("final_logit_softcapping", 30f32.into()),
    ]);
    let stretched = stretched.unwrap();
    let window = stretched.window(0).unwrap();
    assert_eq!(
        (stretched.rope.scale, window.rope.scale),
        (0.125, 1.0),
        "only layers that see everything are stretched"
    );
    assert_eq!(stretched.logit_cap, Some(30.0), "a cap");

    let config = with("general.name", "a llama").unwrap();
    assert_eq!(
        (config.embd_scale, config.query_scale, config.local),
        (1.0, 1.0 / 8f32.sqrt(), None),
        "none of it for llama"
    );
}

#[test]
fn reads_the_layers_with_a_window_in_every_form() {
    let local = |pattern: Value| {
        let config = gemma3(&[
            ("block_count", 3u32.into()),
            ("attention.sliding_window_pattern", pattern),
        ]);
        config.map(|config| config.local.unwrap().is_local)
    };
    assert_eq!(local(2u32.into()), Ok(vec![true, false, true]), "a period");
    assert_eq!(local(1u32.into()), Ok(vec![false; 3]), "the period 1");
    let flags = vec![true, true, false];
    assert_eq!(local(flags.clone().into()), Ok(flags), "one by one");
    assert_eq!(
        local(vec![true; 2].into()).unwrap_err().to_string(),
        "metadata `gemma3.attention.sliding_window_pattern` is not supported, expected true or false \
         for 3 layers: `array of 2`",
        "too few"
    );
    let none = gemma3(&[("attention.sliding_window", 0u32.into())]).unwrap();
    assert_eq!(none.local, None, "a window of 0 is none");
}

#[test]
fn a_factor_stretches_without_a_type_and_by_its_old_name() {
    for (keys, scale) in [
        (vec![("rope.scaling.factor", 4f32)], 0.25),
        (vec![("rope.scale_linear", 2f32)], 0.5),
        (
            vec![("rope.scaling.factor", 4f32), ("rope.scale_linear", 2f32)],
            0.25,
        ),
        (vec![("rope.scaling.factor", 0f32)], 1.0),
    ] {
        let mut gguf = Gguf::parse(&Parts::new(vec![Tiny::default().gguf()])).unwrap();
        for (key, value) in &keys {
            gguf.metadata
                .insert(format!("llama.{key}"), (*value).into());
        }
        let found = ModelConfig::from_gguf(&gguf).unwrap().rope.scale;
        assert_eq!(
            found.to_bits(),
            f32::to_bits(scale),
            "{keys:?} gave {found}"
        );
    }
}

#[test]
fn counts_that_all_layers_share_are_one_count_and_no_experts_are_none() {
    let mut gguf = Gguf::parse(&Parts::new(vec![Tiny::default().gguf()])).unwrap();
    let plain = ModelConfig::from_gguf(&gguf).unwrap();
    for (key, layers) in [
        ("llama.attention.head_count", vec![4u32; 2]),
        ("llama.attention.head_count_kv", vec![2u32; 2]),
        ("llama.feed_forward_length", vec![96u32; 2]),
    ] {
        gguf.metadata.insert(key.into(), layers.into());
    }
    gguf.metadata
        .insert("llama.expert_count".into(), 0u32.into());
    assert_eq!(
        ModelConfig::from_gguf(&gguf),
        Ok(plain),
        "as the plain numbers"
    );
    let key = "llama.feed_forward_length";
    gguf.metadata.insert(key.into(), vec![96u32, 64].into());
    assert_eq!(
        ModelConfig::from_gguf(&gguf).unwrap_err().to_string(),
        "metadata `llama.feed_forward_length` is not supported, expected one number for all layers: `array of 2`",
    );
}

/// A tiny model of 64 positions with these keys under `llama.rope.scaling.`.
fn stretched(keys: &[(&str, Value)]) -> Result<ModelConfig, LoadError> {
    let mut gguf = Gguf::parse(&Parts::new(vec![Tiny::default().gguf()])).unwrap();
    for (key, value) in keys {
        let key = format!("llama.rope.scaling.{key}");
        gguf.metadata.insert(key, value.clone());
    }
    ModelConfig::from_gguf(&gguf)
}

#[test]
fn yarn_ramps_between_pairs_that_turn_often_and_pairs_that_do_not() {
    let keys = [
        ("type", Value::from("yarn")),
        ("factor", 4f32.into()),
        ("original_context_length", 4096u32.into()),
    ];
    let rope = stretched(&keys).unwrap().rope;
    // 16 values are rotated. Pair `16 ln(4096 / (2 pi n)) / (2 ln 10000)` rotates n times in 4096 positions: 2.62 for
    // 32, 5.63 for 1.
    let yarn = Yarn { from: 2.0, to: 6.0 };
    assert_eq!((rope.scale, rope.yarn), (0.25, Some(yarn)), "the ramp");
    let expected = 1.0 + 0.1 * 4f32.ln();
    assert!(
        (rope.magnitude - expected).abs() < 1e-6,
        "{}",
        rope.magnitude
    );

    let own = [("attn_factor", Value::from(2f32))];
    let rope = stretched(&[&keys[..], &own].concat()).unwrap().rope;
    assert_eq!((rope.scale, rope.yarn), (0.25, Some(yarn)), "the same ramp");
    assert!(
        (rope.magnitude - 2.0 * expected).abs() < 1e-6,
        "{}",
        rope.magnitude
    );
    // llama.cpp reads these only for other families.
    let unread = [
        ("yarn_ext_factor", Value::from(0.5f32)),
        ("yarn_attn_factor", 9f32.into()),
        ("yarn_beta_fast", 16f32.into()),
        ("yarn_beta_slow", 4f32.into()),
    ];
    let found = stretched(&[&keys[..], &own, &unread].concat())
        .unwrap()
        .rope;
    assert_eq!(found, rope, "keys without effect");
    let linear = stretched(&[("factor", 4f32.into()), ("attn_factor", 2f32.into())]);
    let expected = Rope {
        scale: 0.25,
        magnitude: 2.0,
        ..Rope::plain(1e4, 16)
    };
    assert_eq!(linear.unwrap().rope, expected, "no ramp");
}

#[test]
fn longrope_chooses_its_factors_by_the_context() {
    let of = |original: u32, attention: f32| {
        let config = stretched(&[
            ("type", Value::from("longrope")),
            ("original_context_length", original.into()),
            ("attn_factor", attention.into()),
        ]);
        let config = config.unwrap();
        (
            config.rope_factors,
            config.context_length,
            config.rope.magnitude,
        )
    };
    assert_eq!(
        of(32, 1.5),
        (RopeFactors::Long, 64, 1.5),
        "a longer context"
    );
    assert_eq!(of(64, 1.0), (RopeFactors::Short, 64, 1.0), "as long");
    assert_eq!(
        of(4096, 1.0),
        (RopeFactors::Short, 64, 1.0),
        "a shorter one"
    );
    let mut gguf = gguf();
    for (key, value) in [
        ("llama.context_length", Value::from(131_072u32)),
        ("llama.rope.scaling.type", "longrope".into()),
        ("llama.rope.scaling.original_context_length", 4096u32.into()),
    ] {
        gguf.metadata.insert(key.into(), value);
    }
    let config = ModelConfig::from_gguf(&gguf).unwrap();
    let found = (config.rope_factors, config.context_length);
    assert_eq!(
        found,
        (RopeFactors::Short, 4096),
        "no backend runs more than 4096 of them"
    );
}

#[test]
fn refuses_stretching_that_gives_no_numbers() {
    for (key, value) in [
        ("factor", Value::from(-2f32)),
        ("factor", f32::NAN.into()),
        ("factor", f32::MIN_POSITIVE.into()),
        ("factor", f32::INFINITY.into()),
        ("attn_factor", f32::INFINITY.into()),
        ("attn_factor", (-1f32).into()),
        ("original_context_length", 0u32.into()),
    ] {
        let found = stretched(&[("type", "yarn".into()), (key, value.clone())]);
        let is_refused = matches!(&found, Err(LoadError::MetadataValue { .. }));
        assert!(is_refused, "{key} = {value:?} gave {found:?}");
    }
}
