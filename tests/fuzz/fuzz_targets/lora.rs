//! Feeds libFuzzer's bytes to the target `lora`.

#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code, reason = "each binary runs one target")]
mod targets;
#[path = "../../harness/tiny.rs"]
#[allow(dead_code, reason = "only some targets need a model")]
mod tiny;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::lora(data));
