//! Parses and validates every shader that can be put together, and compares each struct in Rust with its twin in WGSL.

use std::collections::BTreeMap;
use std::mem::{offset_of, size_of};

use naga::valid::{Capabilities, ValidationFlags, Validator};

use super::batch::Batch;
use super::choice::Sampling;
use super::multiply::{Use, products};
use super::params::Params;
use super::source::{self, Form, Input, Products};
use crate::gguf::TensorType;
use crate::gpu::{ByteBlocks, Kernel, Layout, Precision, Reduction, Variant};

const KINDS: [TensorType; 11] = [
    TensorType::F32,
    TensorType::F16,
    TensorType::BF16,
    TensorType::Q8_0,
    TensorType::Q4_0,
    TensorType::Q4_1,
    TensorType::Q5_0,
    TensorType::Q5_1,
    TensorType::Q4K,
    TensorType::Q5K,
    TensorType::Q6K,
];

fn variants() -> Vec<Variant> {
    [
        Reduction::BarrierFree,
        Reduction::Workgroup,
        Reduction::Subgroups,
    ]
    .into_iter()
    .flat_map(|reduction| {
        [Precision::F32, Precision::F16].map(|precision| Variant {
            reduction,
            precision,
        })
    })
    .collect()
}

/// Every way in which codes of 8 bits lie: plain numbers do not.
fn bytes() -> Vec<Layout> {
    let all = KINDS[3..].iter().map(|&kind| ByteBlocks::of(kind));
    all.map(Layout::Bytes).collect()
}

/// Each way of multiplying, with each type in one of them and each of them with one type.
fn all_products() -> Vec<Products> {
    let mut all = Vec::new();
    let uses = [
        (Use::Qkv { rotates: true }, Input::Stream),
        (Use::Qkv { rotates: false }, Input::Pending),
        (Use::GateUp { is_gelu: false }, Input::Stream),
        (Use::GateUp { is_gelu: true }, Input::Pending),
        (Use::Project { adds: true }, Input::Splits),
        (Use::Project { adds: false }, Input::Source),
        (Use::Rows, Input::Stream),
        (Use::Rows, Input::Source),
        (Use::Qkv { rotates: true }, Input::RoundedStream),
        (Use::Project { adds: true }, Input::RoundedSource),
        (Use::Rows, Input::RoundedStream),
    ];
    for (used, input) in uses {
        for form in [Form::One, Form::Four, Form::Tiled] {
            for has_own_lora in [false, true] {
                let is_one = form == Form::One;
                let needs_one = has_own_lora || matches!(input, Input::Pending | Input::Splits);
                if is_one || !needs_one {
                    let is_rounded = matches!(input, Input::RoundedStream | Input::RoundedSource);
                    let layouts = match (used, is_rounded) {
                        (Use::Rows, true) => bytes(),
                        (_, true) => bytes()[..1].to_vec(),
                        (Use::Rows, false) => KINDS.map(Layout::Streams).to_vec(),
                        (_, false) => vec![Layout::Streams(TensorType::Q8_0)],
                    };
                    all.extend(
                        layouts
                            .into_iter()
                            .map(|layout| products(used, layout, form, input, has_own_lora, 64)),
                    );
                }
            }
        }
    }
    all
}

fn kernels() -> Vec<Kernel> {
    let mut kernels = vec![source::heads(), source::residual(), source::attention()];
    kernels.extend([false, true].map(source::round));
    kernels.extend(source::choice());
    kernels.extend(KINDS.map(Layout::Streams).map(source::embed));
    kernels.extend(bytes().into_iter().map(source::embed));
    kernels.extend([1, 4, 16, 20, 32, 64].map(source::attention_tiled));
    for variant in variants() {
        kernels.push(source::attention_split(variant));
        for products in all_products() {
            let has_barriers = variant.reduction != Reduction::BarrierFree;
            let needs_barriers = products.has_own_lora
                || products.form == Form::Tiled
                || matches!(products.input, Input::Pending | Input::Splits);
            let is_rounded = matches!(products.input, Input::RoundedStream | Input::RoundedSource);
            if has_barriers && !is_rounded || !has_barriers && !needs_barriers {
                kernels.push(products.kernel(variant));
            }
        }
    }
    let by_label: BTreeMap<_, _> = kernels
        .into_iter()
        .map(|kernel| (kernel.label.clone(), kernel))
        .collect();
    by_label.into_values().collect()
}

fn parse(kernel: &Kernel) -> naga::Module {
    match naga::front::wgsl::parse_str(&kernel.wgsl) {
        Ok(module) => module,
        Err(error) => panic!("{}: {}", kernel.label, error.emit_to_string(&kernel.wgsl)),
    }
}

#[test]
fn every_kernel_is_valid_wgsl() {
    let kernels = kernels();
    assert!(kernels.len() > 200, "{} kernels", kernels.len());
    for kernel in kernels {
        let module = parse(&kernel);
        // naga's name for `unpack2x16float`, which is core WGSL.
        let mut allowed = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
        if kernel.label.contains(" subgroups") {
            allowed |= Capabilities::SUBGROUP;
        }
        if kernel.label.contains(" f16") && kernel.wgsl.contains("enable f16") {
            allowed |= Capabilities::SHADER_FLOAT16;
        }
        let mut validator = Validator::new(ValidationFlags::all(), allowed);
        validator
            .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
            .subgroup_operations(naga::valid::SubgroupOperationSet::all());
        if let Err(error) = validator.validate(&module) {
            panic!("{}: {}", kernel.label, error.emit_to_string(&kernel.wgsl));
        }
        let label = &kernel.label;
        assert_eq!(module.entry_points.len(), 1, "{label}: one entry point");
        let invocations: u32 = module.entry_points[0].workgroup_size.iter().product();
        assert!(invocations <= 256, "{label}: at most 256 invocations");
        let globals = || module.global_variables.iter().map(|(_, global)| global);
        let n_storage = globals()
            .filter(|global| matches!(global.space, naga::AddressSpace::Storage { .. }))
            .count();
        assert!(n_storage <= 8, "{label}: at most 8 storage buffers");
        let mut layouter = naga::proc::Layouter::default();
        layouter
            .update(module.to_ctx())
            .expect("a valid module has a layout");
        let shared: u32 = globals()
            .filter(|global| global.space == naga::AddressSpace::WorkGroup)
            .map(|global| layouter[global.ty].size)
            .sum();
        assert!(
            shared <= 16384,
            "{label}: {shared} bytes of a workgroup's memory, at most 16384"
        );
    }
}

/// Each member's offset, and the struct's size, as WGSL lays it out.
fn wgsl_struct(kernel: &Kernel, name: &str) -> (Vec<(String, usize)>, usize) {
    let module = parse(kernel);
    let found = module
        .types
        .iter()
        .find(|(_, t)| t.name.as_deref() == Some(name));
    match found.map(|(_, t)| &t.inner) {
        Some(naga::TypeInner::Struct { members, span }) => {
            let named = members
                .iter()
                .filter_map(|m| Some((m.name.clone()?, m.offset as usize)));
            (named.collect(), *span as usize)
        }
        _ => panic!("{} has no struct `{name}`", kernel.label),
    }
}

/// A struct's fields and their offsets, in order.
macro_rules! fields {
    ($type:ty: $($field:ident),+) => {
        (vec![$((stringify!($field).to_owned(), offset_of!($type, $field))),+], size_of::<$type>())
    };
}

#[test]
fn structs_lie_in_rust_as_in_wgsl() {
    let frame = source::residual();
    let [penalise, sample] = source::choice();
    let batch = fields!(Batch: n_tokens, first_row, position, padding, tokens);
    assert_eq!(batch, wgsl_struct(&frame, "Batch"));
    assert_eq!(
        batch,
        wgsl_struct(&sample, "Batch"),
        "the same struct once more"
    );
    assert_eq!(
        fields!(Sampling: n_vocab, temperature, top_k, top_p, min_p, penalty, seed, n_ends, ends),
        wgsl_struct(&penalise, "Sampling")
    );
    let params = fields!(Params: n_cols, n_words, x, x_stride, gain, eps, delta, delta_gain, next, n_groups,
        first_group, highs, scales, supers, y, y_stride, bias, n_heads, n_kv_heads, head_words, rope_words,
        n_positions, n_visible, scale, cap, n_splits, rank, n_pairs, lora_b, lora_x, q_gain, k_gain);
    assert_eq!(params, wgsl_struct(&frame, "Params"));
}
