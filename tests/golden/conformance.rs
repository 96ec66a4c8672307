//! Shows that the graphics device runs every family, type and kernel variant, on a sample of the table that `cargo
//! xtask conformance` prints in full.

use anchorite_model::config::Architecture;
use anchorite_model::gguf::TensorType;
use harness::conformance::{Expected, FAMILIES, bounds};
use harness::gpu::variants;

/// A software adapter takes seconds per variant, so each row of the table tries every third one, shifted by one from
/// row to row; `ANCHORITE_GOLDEN=all` tries all.
const FORMS_PER_CELL: usize = 3;

fn check(row: usize, family: Architecture, kind: TensorType, adapters: &[bool]) {
    let devices = variants();
    if devices.is_empty() {
        return;
    }
    let expected = Expected::new(family, kind);
    let is_tried =
        |form: usize| harness::compares_all() || (row + form).is_multiple_of(FORMS_PER_CELL);
    let tried = devices
        .into_iter()
        .enumerate()
        .filter(|(form, _)| is_tried(*form));
    for (_, gpu) in tried {
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
    for (row, kind) in TensorType::ALL.into_iter().enumerate() {
        check(row, Architecture::Llama, kind, &[true]);
    }
}

#[test]
fn runs_every_family() {
    for (row, family) in FAMILIES.into_iter().enumerate() {
        check(row, family, TensorType::Q4K, &[false, true]);
    }
}
