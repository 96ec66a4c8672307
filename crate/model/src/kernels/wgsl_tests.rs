//! Parses and validates every shader, checks that each file defines what its folder requires, and compares each Rust
//! struct with its WGSL counterpart.

use std::collections::BTreeSet;
use std::mem::{offset_of, size_of};
use std::path::Path;

use naga::valid::{Capabilities, ValidationFlags, Validator};

use super::batch::Batch;
use super::catalogue::{kernels, products};
use super::compose::{FILES, Kernel};
use super::params::{
    AttentionParams, AttentionStepParams, EmbedParams, HeadsParams, InputParams, LoraParams,
    MatmulParams, OutputParams, ResidualParams, WeightParams,
};
use super::permutations::{self, Input};
use super::sample::Sampling;
use crate::gguf::TensorType;
use crate::gpu::{Layout, Precision, Reduction, Variant};

fn parse(kernel: &Kernel) -> naga::Module {
    let wgsl = kernel.wgsl();
    match naga::front::wgsl::parse_str(&wgsl) {
        Ok(module) => module,
        Err(error) => panic!("{}: {}", kernel.label(), error.emit_to_string(&wgsl)),
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
        let (label, wgsl) = (kernel.label(), kernel.wgsl());
        if label.contains("/subgroups") {
            allowed |= Capabilities::SUBGROUP;
        }
        if label.contains("tile/f16") {
            allowed |= Capabilities::SHADER_FLOAT16;
        }
        let mut validator = Validator::new(ValidationFlags::all(), allowed);
        validator
            .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
            .subgroup_operations(naga::valid::SubgroupOperationSet::all());
        if let Err(error) = validator.validate(&module) {
            panic!("{label}: {}", error.emit_to_string(&wgsl));
        }
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

/// The functions, constants and types that each file of a folder must define.
const GIVES: [(&str, &[&str]); 9] = [
    ("entry", &["fn main("]),
    (
        "input",
        &[
            "const NORMED ",
            "const STORES_INPUT ",
            "fn prepare_input(",
            "fn input(",
            "fn store_input(",
        ],
    ),
    ("lora", &["fn prepare_lora(", "fn adapted("]),
    ("matmul", &["fn store("]),
    ("reduce", &["const SLICES ", "fn over_slices("]),
    ("reduce_max", &["fn over_places_max("]),
    ("scales", &["fn block_at("]),
    ("tile", &["alias Word "]),
    (
        "weights",
        &[
            "const UNITS ",
            "const UNIT_WORDS ",
            "const HAS_SCALES ",
            "const HAS_MINS ",
            "struct Block ",
            "struct Unit ",
            "fn block_at(",
            "fn unit_at(",
            "fn unit_words(",
        ],
    ),
];

#[test]
fn every_file_of_a_folder_gives_what_the_folder_gives() {
    let kernels = kernels();
    for (path, _) in FILES {
        let made_of_it: Vec<&Kernel> = kernels
            .iter()
            .filter(|kernel| kernel.wgsl().contains(&format!("// from {path}.wgsl\n")))
            .collect();
        assert!(!made_of_it.is_empty(), "{path}: no kernel imports it");
        let folder = path.split('/').next();
        let gives = GIVES.iter().find(|gives| Some(gives.0) == folder);
        for kernel in made_of_it {
            let (label, wgsl) = (kernel.label(), kernel.wgsl());
            assert_eq!(
                wgsl.matches("fn main(").count(),
                1,
                "{label}: one entry point"
            );
            for name in gives.map_or(&[][..], |gives| gives.1) {
                assert_eq!(
                    wgsl.matches(name).count(),
                    1,
                    "{label}: `{name}` once, for {path}"
                );
            }
        }
    }
}

/// The bindings that a file declares itself.
fn bindings(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("@group(0) @binding(")?.split(')').next())
        .collect()
}

#[test]
fn a_binding_has_one_meaning() {
    for (path, text) in FILES {
        let allowed: &[&str] = match (path.split('/').next().unwrap_or_default(), *path) {
            (_, "shared/step") => &["0", "1"],
            (_, "shared/weight_streams" | "weights/bytes") => &["2"],
            (_, "shared/vectors") => &["3"],
            ("input", _) | (_, "shared/int8_products") => &["4"],
            (_, "shared/cache") => &["5"],
            (_, "shared/rope") => &["6"],
            ("lora", _) => &["7"],
            ("steps", _) => &["8"],
            // Attention binds queries and output.
            ("attention", _) => &["4", "8"],
            // Steps that choose a token have a layout of their own.
            ("sample", _) | (_, "shared/sampling") => &["0", "1", "2", "3", "4", "5"],
            _ => &[],
        };
        let declared = bindings(text);
        assert!(
            declared.iter().all(|binding| allowed.contains(binding)),
            "{path}: bindings {declared:?}, expected of {allowed:?}"
        );
    }
}

#[test]
fn every_file_is_listed_and_every_import_names_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kernels");
    let mut on_disk = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).expect("the kernels") {
        let path = entry.expect("an entry").path();
        let Ok(files) = std::fs::read_dir(&path) else {
            continue;
        };
        for file in files {
            let file = file.expect("an entry").path();
            let name = file
                .strip_prefix(&folder)
                .expect("within it")
                .with_extension("");
            on_disk.insert(name.to_str().expect("ASCII").replace('\\', "/"));
        }
    }
    let listed: BTreeSet<String> = FILES.iter().map(|file| file.0.to_owned()).collect();
    assert_eq!(listed, on_disk);
    for (path, text) in FILES {
        for import in text
            .lines()
            .filter_map(|line| line.strip_prefix("#import "))
        {
            let is_known = match import.strip_suffix("/*") {
                Some(folder) => GIVES.iter().any(|gives| gives.0 == folder),
                None => listed.contains(import),
            };
            assert!(
                is_known,
                "{path}: `#import {import}` names no file and no folder"
            );
        }
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
        _ => panic!("{} has no struct `{name}`", kernel.label()),
    }
}

/// A struct's fields and their offsets, in order, and its size.
type Fields = (Vec<(&'static str, usize)>, usize);

fn assert_lies(kernel: &Kernel, name: &str, (fields, size): Fields) {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(field, offset)| (field.to_owned(), offset))
        .collect();
    let label = kernel.label();
    assert_eq!((fields, size), wgsl_struct(kernel, name), "{label}: {name}");
}

/// The same, for structs that the parameter macro does not define.
macro_rules! fields {
    ($type:ty: $($field:ident),+) => {
        (vec![$((stringify!($field), offset_of!($type, $field))),+], size_of::<$type>())
    };
}

#[test]
fn structs_lie_in_rust_as_in_wgsl() {
    let residual = permutations::residual();
    let [penalise, choose] = permutations::sample();
    for kernel in [&residual, &choose] {
        let batch = fields!(Batch: n_tokens, first_row, position, padding, tokens);
        assert_lies(kernel, "Batch", batch);
    }
    let sampling =
        fields!(Sampling: n_vocab, temperature, top_k, top_p, min_p, penalty, seed, n_ends, ends);
    assert_lies(&penalise, "Sampling", sampling);
    for (name, fields) in [
        ("InputParams", InputParams::fields()),
        ("WeightParams", WeightParams::fields()),
        ("LoraParams", LoraParams::fields()),
        ("OutputParams", OutputParams::fields()),
        ("AttentionParams", AttentionParams::fields()),
        ("Params", ResidualParams::fields()),
    ] {
        assert_lies(&residual, name, fields);
    }
    assert_lies(&permutations::heads(), "Params", HeadsParams::fields());
    let embed = permutations::embed(Layout::Streams(TensorType::F32));
    assert_lies(&embed, "Params", EmbedParams::fields());
    assert_lies(
        &permutations::attention(),
        "Params",
        AttentionStepParams::fields(),
    );
}

#[test]
fn a_products_params_end_where_the_step_has_no_use_for_more() {
    let (fields, size) = MatmulParams::fields();
    for product in products() {
        let kernel = product.kernel(Variant {
            reduction: Reduction::Workgroup,
            precision: Precision::F32,
        });
        if product.layout.is_bytes() {
            continue;
        }
        let (found, found_size) = wgsl_struct(&kernel, "Params");
        let expected: Vec<_> = fields[..found.len()]
            .iter()
            .map(|&(field, offset)| (field.to_owned(), offset))
            .collect();
        assert_eq!(found, expected, "{}", kernel.label());
        let end = fields.get(found.len()).map_or(size, |&(_, offset)| offset);
        assert_eq!(found_size, end, "{}", kernel.label());
    }
    let quantise = permutations::quantise(Input::Stream);
    assert_eq!(wgsl_struct(&quantise, "Params").1, size_of::<InputParams>());
}
