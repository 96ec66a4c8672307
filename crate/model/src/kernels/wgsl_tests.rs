//! Parses and validates every kernel, and compares each `Params` in Rust with its struct in WGSL.

use std::collections::BTreeMap;
use std::mem::{offset_of, size_of};

use naga::valid::{Capabilities, ValidationFlags, Validator};

use super::{attention, batch::Batch, embed, matmul, rms_norm, rope, swiglu};
use crate::gpu::{Kernel, Layout};

const LAYOUTS: [Layout; 4] = [Layout::F32, Layout::F16, Layout::Q8_0, Layout::Q4_0];

fn kernels() -> Vec<Kernel> {
    let mut kernels = vec![
        rms_norm::KERNEL,
        rope::KERNEL,
        attention::KERNEL,
        swiglu::KERNEL,
    ];
    for layout in LAYOUTS {
        kernels.push(embed::kernel(layout));
        kernels.push(matmul::matvec_kernel(layout));
        kernels.push(matmul::matmul_kernel(layout));
    }
    kernels
}

fn parse(kernel: &Kernel) -> naga::Module {
    let wgsl = kernel.wgsl();
    match naga::front::wgsl::parse_str(&wgsl) {
        Ok(module) => module,
        Err(error) => panic!("{}: {}", kernel.label(), error.emit_to_string(&wgsl)),
    }
}

/// Each member's name and offset, and the struct's size, as WGSL lays it out.
fn wgsl_struct(kernel: &Kernel, name: &str) -> (BTreeMap<String, u32>, u32) {
    let module = parse(kernel);
    let found = module
        .types
        .iter()
        .find(|(_, t)| t.name.as_deref() == Some(name));
    match found.map(|(_, t)| &t.inner) {
        Some(naga::TypeInner::Struct { members, span }) => {
            let named = members
                .iter()
                .filter_map(|m| Some((m.name.clone()?, m.offset)));
            (named.collect(), *span)
        }
        _ => panic!("{} has no struct `{name}`", kernel.label()),
    }
}

#[test]
fn every_kernel_is_valid_core_wgsl() {
    for kernel in kernels() {
        let module = parse(&kernel);
        // naga's name for `unpack2x16float`, which is core WGSL.
        let core = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
        let mut validator = Validator::new(ValidationFlags::all(), core);
        if let Err(error) = validator.validate(&module) {
            panic!(
                "{}: {}",
                kernel.label(),
                error.emit_to_string(&kernel.wgsl())
            );
        }
        let entry_points: Vec<_> = module
            .entry_points
            .iter()
            .map(|e| e.name.as_str())
            .collect();
        assert_eq!(
            entry_points,
            [kernel.name],
            "the one entry point is named as the file"
        );
        let invocations: u32 = module.entry_points[0].workgroup_size.iter().product();
        assert!(
            invocations <= 256,
            "{}: at most 256 invocations",
            kernel.label()
        );
        let n_storage = module
            .global_variables
            .iter()
            .filter(|(_, v)| matches!(v.space, naga::AddressSpace::Storage { .. }))
            .count();
        assert!(
            n_storage <= 8,
            "{}: at most 8 storage buffers",
            kernel.label()
        );
    }
}

/// Compares a Rust struct with the WGSL struct `name`; fields called `padding*` only count towards the size.
macro_rules! same_layout {
    ($kernel:expr, $name:literal, $params:ty, $($field:ident),+) => {{
        let (members, size) = wgsl_struct(&$kernel, $name);
        let label = $kernel.label();
        assert_eq!(size as usize, size_of::<$params>(), "{label}: size of `{}`", $name);
        let ours = BTreeMap::from([$((stringify!($field).to_owned(), offset_of!($params, $field))),+]);
        let theirs: BTreeMap<_, _> = members
            .into_iter()
            .filter(|(name, _)| !name.starts_with("padding"))
            .map(|(name, offset)| (name, offset as usize))
            .collect();
        assert_eq!(ours, theirs, "{label}: fields of `{}`", $name);
    }};
}

#[test]
fn params_lie_in_rust_as_in_wgsl() {
    same_layout!(
        rms_norm::KERNEL,
        "Batch",
        Batch,
        n_tokens,
        first_row,
        position
    );
    same_layout!(
        rms_norm::KERNEL,
        "Params",
        rms_norm::Params,
        n_cols,
        stride,
        eps
    );
    same_layout!(
        rope::KERNEL,
        "Params",
        rope::Params,
        n_heads,
        n_kv_heads,
        head_size,
        rope_dim,
        qkv_stride,
        kv_stride
    );
    same_layout!(
        attention::KERNEL,
        "Params",
        attention::Params,
        n_heads,
        n_queries,
        qkv_words,
        kv_words,
        y_words,
        scale
    );
    same_layout!(
        swiglu::KERNEL,
        "Params",
        swiglu::Params,
        n_words,
        x_words,
        up_offset,
        y_words
    );
    for layout in LAYOUTS {
        let embed = embed::kernel(layout);
        same_layout!(
            embed,
            "Params",
            embed::Params,
            n_words,
            y_words,
            first_row,
            n_rows
        );
        for kernel in [matmul::matvec_kernel(layout), matmul::matmul_kernel(layout)] {
            same_layout!(
                kernel,
                "Params",
                matmul::Params,
                n_words,
                n_rows,
                x_words,
                x_offset,
                y_stride,
                y_offset,
                accumulate
            );
        }
    }
}
