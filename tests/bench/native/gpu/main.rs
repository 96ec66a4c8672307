//! Runs requests from standard input on a graphics device, and answers each with a line of results and times.
//!
//! | request | answer |
//! |---------|--------|
//! | `{"do": "describe"}` | the adapter, every form of the kernels that it runs, and the one it runs best |
//! | `{"do": "load", "model": FILE, "variant": FORM}` | the bytes that the model reads for a token |
//! | `{"do": "adapt", "adapter": FILE or null}` | |
//! | `{"do": "prefill", "ids": [..]}` | milliseconds until the next token is known |
//! | `{"do": "decode", "ids": [..], "position": .., "n": ..}` | milliseconds for `n` tokens following the one after `ids` |
//! | `{"do": "trace", "ids": [..], "n": ..}` | the commands sent to the device for `n` such tokens |
//! | `{"do": "multiply", "variant": .., "type": .., "n_tokens": .., "n_reps": ..}` | milliseconds of a product, that often |
//!
//! A request that fails is answered with `{"error": ..}`.

#![expect(clippy::print_stdout, reason = "answers go to standard output")]
#![expect(
    clippy::disallowed_methods,
    reason = "a native tool that measures holds the clock"
)]

#[path = "../../../harness/blocks.rs"]
#[expect(unreachable_pub, reason = "public where the tests use it")]
mod blocks;
#[path = "../../../harness/tiny.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "public where the tests use it; here only the random numbers are"
)]
mod tiny;
mod product;
mod text;

use std::error::Error;
use std::io::BufRead;

use anchorite_model::gpu::{Gpu, Variant};
use serde::Deserialize;
use serde_json::{Value, json};

use text::Model;

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Request {
    Describe,
    Load {
        model: String,
        variant: String,
    },
    Adapt {
        adapter: Option<String>,
    },
    Prefill {
        ids: Vec<u32>,
    },
    Decode {
        ids: Vec<u32>,
        position: usize,
        n: usize,
    },
    Trace {
        ids: Vec<u32>,
        n: usize,
    },
    Multiply {
        variant: String,
        r#type: String,
        n_tokens: usize,
        n_reps: usize,
    },
}

struct Bench {
    gpu: Gpu,
    model: Option<Model>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench {
        gpu: pollster::block_on(Gpu::open())?,
        model: None,
    };
    for line in std::io::stdin().lock().lines() {
        let answer = match bench.answer(&line?) {
            Ok(answer) => answer,
            Err(error) => json!({ "error": error.to_string() }),
        };
        println!("{answer}");
    }
    Ok(())
}

impl Bench {
    fn answer(&mut self, line: &str) -> Result<Value, Box<dyn Error>> {
        match serde_json::from_str(line)? {
            Request::Describe => {
                let info = self.gpu.info();
                let variants = self.gpu.variants();
                Ok(json!({
                    "device": format!("{} ({})", info.name, info.kind),
                    "is_software": info.is_software,
                    "variants": variants.iter().map(Variant::to_string).collect::<Vec<_>>(),
                    "best": self.gpu.variant().to_string(),
                }))
            }
            Request::Load { model, variant } => {
                let gpu = self.in_form(&variant)?;
                // Free the last model's memory before the next one asks for its own.
                self.model = None;
                let model = Model::load(gpu, &model)?;
                let sizes = model.sizes();
                self.model = Some(model);
                Ok(sizes)
            }
            Request::Adapt { adapter } => self.loaded()?.adapt(adapter.as_deref()),
            Request::Prefill { ids } => self.loaded()?.prefill(&ids),
            Request::Decode { ids, position, n } => self.loaded()?.decode(&ids, position, n),
            Request::Trace { ids, n } => self.loaded()?.trace(&ids, n),
            Request::Multiply {
                variant,
                r#type,
                n_tokens,
                n_reps,
            } => product::multiply(&self.in_form(&variant)?, &r#type, n_tokens, n_reps),
        }
    }

    fn loaded(&mut self) -> Result<&mut Model, Box<dyn Error>> {
        Ok(self.model.as_mut().ok_or("no model was loaded")?)
    }

    /// The device, set to the form of the kernels with this name.
    fn in_form(&self, name: &str) -> Result<Gpu, Box<dyn Error>> {
        let mut variants = self.gpu.variants().into_iter();
        let variant = variants
            .find(|variant| variant.to_string() == name)
            .ok_or_else(|| format!("the adapter runs no form `{name}`"))?;
        let mut gpu = self.gpu.clone();
        gpu.set_variant(variant)?;
        Ok(gpu)
    }
}
