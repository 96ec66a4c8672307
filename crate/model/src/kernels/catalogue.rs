//! Lists every kernel that any permutation yields, for tests and for reading the assembled shaders.

use std::collections::BTreeMap;

use super::compose::Kernel;
use super::permutations::{self, Epilogue, Input, Matmul, Tiling};
use crate::gguf::TensorType;
use crate::gpu::{ByteBlocks, Layout, Precision, Reduction, Variant};

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

/// Every layout of 8-bit codes; unquantised types have none.
fn bytes() -> Vec<Layout> {
    let all = TensorType::ALL[3..]
        .iter()
        .map(|&kind| ByteBlocks::of(kind));
    all.map(Layout::Bytes).collect()
}

/// Every way of multiplying with one or two layouts, and [`Epilogue::Linear`] with every layout.
pub(super) fn products() -> Vec<Matmul> {
    let mut all = Vec::new();
    let forms = [
        (Epilogue::Qkv { rotates: true }, Input::Stream),
        (Epilogue::Qkv { rotates: false }, Input::StreamPending),
        (Epilogue::GateUp { is_gelu: false }, Input::Stream),
        (Epilogue::GateUp { is_gelu: true }, Input::StreamPending),
        (Epilogue::Project { adds: true }, Input::Splits),
        (Epilogue::Project { adds: false }, Input::StepOutput),
        (Epilogue::Linear, Input::Stream),
        (Epilogue::Linear, Input::StepOutput),
    ];
    for (epilogue, input) in forms {
        for tiling in [Tiling::Vec, Tiling::Few, Tiling::Tiled] {
            for has_inline_lora in [false, true] {
                let needs_one =
                    has_inline_lora || matches!(input, Input::StreamPending | Input::Splits);
                if needs_one && tiling != Tiling::Vec {
                    continue;
                }
                let layouts = match epilogue {
                    Epilogue::Linear => {
                        [&TensorType::ALL.map(Layout::Streams)[..], &bytes()].concat()
                    }
                    _ => vec![Layout::Streams(TensorType::Q8_0), bytes()[0]],
                };
                all.extend(layouts.into_iter().map(|layout| Matmul {
                    epilogue,
                    layout,
                    tiling,
                    input,
                    has_inline_lora,
                    n_threads: 64,
                }));
            }
        }
    }
    all
}

/// Every kernel that some device could run, by its label.
pub(super) fn kernels() -> Vec<Kernel> {
    let mut kernels = vec![
        permutations::heads(),
        permutations::residual(),
        permutations::attention(),
    ];
    kernels.extend([Input::Stream, Input::StepOutput].map(permutations::quantise));
    kernels.extend(permutations::sample());
    kernels.extend(
        TensorType::ALL
            .map(Layout::Streams)
            .map(permutations::embed),
    );
    kernels.extend(bytes().into_iter().map(permutations::embed));
    kernels.extend([1, 4, 16, 20, 32, 64].map(permutations::attention_tiled));
    for variant in variants() {
        kernels.push(permutations::attention_split(variant));
        for product in products() {
            let has_barriers = variant.reduction != Reduction::BarrierFree;
            let needs_barriers = product.has_inline_lora
                || product.tiling == Tiling::Tiled
                || matches!(product.input, Input::StreamPending | Input::Splits);
            let can_run = match product.layout.is_bytes() {
                true => !has_barriers && !needs_barriers,
                false => has_barriers || !needs_barriers,
            };
            if can_run {
                kernels.push(product.kernel(variant));
            }
        }
    }
    let by_label: BTreeMap<_, _> = kernels
        .into_iter()
        .map(|kernel| (kernel.label(), kernel))
        .collect();
    by_label.into_values().collect()
}

/// The label and the WGSL of every shader that can be assembled.
pub fn shaders() -> Vec<(String, String)> {
    kernels()
        .iter()
        .map(|kernel| (kernel.label(), kernel.wgsl()))
        .collect()
}
