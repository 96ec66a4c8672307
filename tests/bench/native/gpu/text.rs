//! Loads a GGUF file onto the device, and reports the time or the commands of running prompts through it.

use std::error::Error;
use std::time::Instant;

use anchorite_model::forward::GpuForward;
use anchorite_model::gpu::Gpu;
use anchorite_model::sample::SampleOptions;
use anchorite_model::{Adapter, Gguf, ModelConfig, Parts, TokenId, Weights};
use serde_json::{Value, json};

/// Command buffers in flight while tokens are read back, as when an answer is written.
const N_AHEAD: usize = 2;

pub(crate) struct Model {
    forward: GpuForward,
    config: ModelConfig,
}

impl Model {
    pub(crate) fn load(gpu: Gpu, path: &str) -> Result<Self, Box<dyn Error>> {
        let mut parts = read(path)?;
        let gguf = Gguf::parse(&parts)?;
        let config = ModelConfig::from_gguf(&gguf)?;
        let weights = Weights::load(&gguf, &mut parts, &config)?;
        let forward = pollster::block_on(GpuForward::load_on(gpu, &config, weights))?;
        Ok(Self { forward, config })
    }

    /// The number of layers, the bytes of weights that a token reads, and the bytes of keys and values (f16) per
    /// earlier position.
    pub(crate) fn sizes(&self) -> Value {
        json!({
            "n_layers": self.config.n_layers,
            "weight_bytes": self.forward.weight_bytes(),
            "place_bytes": 2 * 2 * self.config.kv_width() * self.config.n_layers,
            "context_length": self.forward.context_length(),
        })
    }

    pub(crate) fn adapt(&mut self, path: Option<&str>) -> Result<Value, Box<dyn Error>> {
        let adapter = match path {
            Some(path) => Some(Adapter::load(&read(path)?, &self.config)?),
            None => None,
        };
        let start = Instant::now();
        self.forward.set_adapter(adapter)?;
        Ok(json!({ "ms": ms(start) }))
    }

    pub(crate) fn prefill(&mut self, ids: &[u32]) -> Result<Value, Box<dyn Error>> {
        let start = Instant::now();
        self.begin(ids, 0)?;
        Ok(json!({ "ms": ms(start), "n": ids.len() }))
    }

    pub(crate) fn decode(
        &mut self,
        ids: &[u32],
        position: usize,
        n: usize,
    ) -> Result<Value, Box<dyn Error>> {
        self.begin(ids, position)?;
        let start = Instant::now();
        let n_written = self.write(n)?;
        let ms = ms(start);
        self.drain()?;
        Ok(json!({ "ms": ms, "n": n_written }))
    }

    /// Commands for `n` tokens in the middle of a text, without those of the prompt and those sent ahead once.
    pub(crate) fn trace(&mut self, ids: &[u32], n: usize) -> Result<Value, Box<dyn Error>> {
        self.begin(ids, 0)?;
        self.write(1)?;
        let before = self.forward.gpu().trace();
        let n_written = self.write(n)?;
        let trace = self.forward.gpu().trace() - before;
        self.drain()?;
        Ok(json!({ "n": n_written, "trace": trace }))
    }

    /// Runs the prompt until the first token after it is known.
    fn begin(&mut self, ids: &[u32], position: usize) -> Result<(), Box<dyn Error>> {
        let prompt: Vec<TokenId> = ids.iter().copied().map(TokenId).collect();
        // Nothing ends the text, so all runs are equally long.
        self.forward
            .begin(&prompt, position, &prompt, &SampleOptions::default(), &[])?;
        match pollster::block_on(self.forward.next(1))?.len() {
            1 => Ok(()),
            n => Err(format!("the prompt gave {n} tokens, expected 1").into()),
        }
    }

    /// Generates at least `n` tokens, and any that come with the last of them; returns how many.
    fn write(&mut self, n: usize) -> Result<usize, Box<dyn Error>> {
        let mut n_written = 0;
        while n_written < n {
            match pollster::block_on(self.forward.next(N_AHEAD))?.len() {
                0 => return Err(format!("the text ended after {n_written} tokens").into()),
                n => n_written += n,
            }
        }
        Ok(n_written)
    }

    /// Waits for commands sent ahead, which must not run into the next timing.
    fn drain(&mut self) -> Result<(), Box<dyn Error>> {
        for _ in 1..N_AHEAD {
            pollster::block_on(self.forward.next(1))?;
        }
        self.forward.end();
        Ok(())
    }
}

fn read(path: &str) -> Result<Parts, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|error| format!("could not read `{path}`: {error}"))?;
    Ok(Parts::new(vec![bytes]))
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
