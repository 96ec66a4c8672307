//! Runs every family, type and kernel variant, with and without an adapter, into the Markdown table that `cargo xtask
//! conformance` prints.

use anchorite_model::gguf::TensorType;
use anchorite_model::gpu::Variant;
use harness::conformance::{Expected, FAMILIES, bounds};
use harness::gpu::variants;

#[expect(clippy::print_stdout, reason = "the table is what it is for")]
fn main() -> Result<(), String> {
    let devices = variants();
    let device = devices.first().ok_or("no device: ANCHORITE_GPU=none")?;
    let forms: Vec<Variant> = devices.iter().map(|gpu| gpu.variant()).collect();
    println!("Device: {}.\n", device.info().name);
    let mut n_failed = 0;
    for family in FAMILIES {
        println!("## {}\n", family.name());
        let heads: Vec<String> = forms.iter().map(ToString::to_string).collect();
        println!("| type | adapter | {} |", heads.join(" | "));
        println!("| --- | --- |{}", " ---: |".repeat(forms.len()));
        for kind in TensorType::ALL {
            let expected = Expected::new(family, kind);
            let mut rows = [false, true].map(|has_adapter| {
                format!("| {kind} | {} |", if has_adapter { "on" } else { "off" })
            });
            for gpu in &devices {
                let (nmse, agreement) = bounds(gpu.variant());
                let mut model = expected.on(gpu.clone());
                for (has_adapter, row) in [false, true].into_iter().zip(&mut rows) {
                    let found = model
                        .as_mut()
                        .map_err(|error| error.clone())
                        .and_then(|model| {
                            expected
                                .compare(model, has_adapter)
                                .map_err(|error| error.to_string())
                        });
                    let cell = match found {
                        Ok(found) => {
                            let is_within = found.nmse <= nmse && found.agreement >= agreement;
                            n_failed += u32::from(!is_within);
                            let mark = if is_within { "" } else { " **missed**" };
                            format!("{:.1e}, {:.1} %{mark}", found.nmse, 100.0 * found.agreement)
                        }
                        Err(reason) => {
                            n_failed += 1;
                            format!("cannot run: {reason}")
                        }
                    };
                    row.push_str(&format!(" {cell} |"));
                }
            }
            rows.iter().for_each(|row| println!("{row}"));
        }
        println!();
    }
    match n_failed {
        0 => Ok(()),
        n => Err(format!("{n} cells miss their bound; they are marked")),
    }
}
