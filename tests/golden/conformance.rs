//! Shows that the graphics device runs every family and every type in every form of its kernels: some cells of the table
//! that `cargo xtask conformance` prints whole.

use anchorite_model::config::Architecture;
use anchorite_model::gguf::TensorType;
use harness::conformance::{Expected, FAMILIES, KINDS, bounds};
use harness::gpu::variants;

fn check(family: Architecture, kind: TensorType, adapters: &[bool]) {
    let devices = variants();
    if devices.is_empty() {
        return;
    }
    let expected = Expected::new(family, kind);
    for gpu in devices {
        let variant = gpu.variant();
        let mut model = expected.on(gpu).expect("it can run");
        for &has_adapter in adapters {
            let case = format!("{} {kind} {variant} adapter {has_adapter}", family.name());
            let found = expected.compare(&mut model, has_adapter).expect("it runs");
            let (nmse, agreement) = bounds(variant);
            eprintln!("{case}: NMSE bound {nmse:.0e}, got {:.1e}", found.nmse);
            assert!(
                found.nmse <= nmse && found.agreement >= agreement,
                "{case}: {found:?}, bounds {nmse:e} and {agreement}"
            );
        }
    }
}

#[test]
fn runs_every_type_of_llama() {
    for kind in KINDS {
        check(Architecture::Llama, kind, &[true]);
    }
}

#[test]
fn runs_every_family() {
    for family in FAMILIES {
        check(family, TensorType::Q4K, &[false, true]);
    }
}
