//! Measures the speed of a generator's GGUF: time per token and per prompt, on one core or on the graphics device.
//!
//! `cargo run --release -p anchorite-model --example speed -- cpu|gpu generator.gguf [adapter.gguf|-] [n_prompt]`

use std::time::Instant;

use anchorite_model::forward::{CpuForward, Forward, GpuForward};
use anchorite_model::{Adapter, Gguf, ModelConfig, Parts, TokenId, Weights};

const N_DECODE: usize = 64;

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a native tool that measures"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let device = args.next().ok_or("give `cpu` or `gpu`")?;
    let path = args.next().ok_or("give the path of a GGUF file")?;
    let mut parts = Parts::new(vec![std::fs::read(path)?]);
    let gguf = Gguf::parse(&parts)?;
    let config = ModelConfig::from_gguf(&gguf)?;
    let adapter = match args.next() {
        Some(path) if path != "-" => Some(Adapter::load(
            &Parts::new(vec![std::fs::read(path)?]),
            &config,
        )?),
        _ => None,
    };
    let n_prompt = args.next().map_or(Ok(256), |n| n.parse())?;

    let start = Instant::now();
    let mut model = match device.as_str() {
        "cpu" => Forward::Cpu(Box::new(CpuForward::load(&gguf, &mut parts, &config)?)),
        "gpu" => {
            let weights = Weights::load(&gguf, &mut parts, &config)?;
            let model = pollster::block_on(GpuForward::load(&config, weights))?;
            println!(
                "{} ({}, software: {}); {} dispatches per token",
                model.gpu_info().name,
                model.gpu_info().kind,
                model.gpu_info().is_software,
                model.n_dispatches(),
            );
            Forward::Gpu(Box::new(model))
        }
        _ => return Err(format!("expected `cpu` or `gpu`, found `{device}`").into()),
    };
    let load_ms = start.elapsed().as_secs_f64() * 1e3;
    model.set_adapter(adapter)?;
    println!(
        "{} layers, {} wide; load {load_ms:.0} ms",
        config.n_layers, config.n_embd,
    );
    let prompt: Vec<TokenId> = (0..n_prompt)
        .map(|i| TokenId((i * 7919 % 500) as u32))
        .collect();
    for _ in 0..3 {
        model.reset();
        let start = Instant::now();
        pollster::block_on(model.forward(&prompt, 0))?;
        let prefill_s = start.elapsed().as_secs_f64();
        let start = Instant::now();
        for (token, past) in (0..).map(TokenId).zip(prompt.len()..).take(N_DECODE) {
            pollster::block_on(model.forward(&[token], past))?;
        }
        let decode_s = start.elapsed().as_secs_f64();
        println!(
            "prefill {n_prompt} tokens: {:.0} tok/s; decode behind them: {:.1} tok/s, {:.2} ms each",
            n_prompt as f64 / prefill_s,
            N_DECODE as f64 / decode_s,
            decode_s * 1e3 / N_DECODE as f64,
        );
    }
    Ok(())
}
