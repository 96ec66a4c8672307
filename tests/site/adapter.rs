//! `anchorite adapter`: PEFT's files become a file that a build accepts, or an error that names the obstacle.

use std::fs;
use std::path::PathBuf;

use harness::tiny::{Random, Tiny};
use harness::{Run, anchorite_in};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;

/// Query and value matrices of each layer, in bfloat16: the upper halves of floats.
fn tensors(tiny: &Tiny, rank: usize) -> Vec<u8> {
    let mut random = Random(5);
    let mut bytes = Vec::new();
    for layer_idx in 0..tiny.n_layers {
        for (module, n_rows) in [
            ("q_proj", tiny.n_heads * tiny.head_size()),
            ("v_proj", tiny.n_kv_heads * tiny.head_size()),
        ] {
            for (side, shape) in [("A", [rank, tiny.n_embd]), ("B", [n_rows, rank])] {
                let name = format!(
                    "base_model.model.model.layers.{layer_idx}.self_attn.{module}.lora_{side}.weight"
                );
                let upper = |value: f32| value.to_le_bytes()[2..].to_vec();
                let values = (0..shape[0] * shape[1]).flat_map(|_| upper(random.draw()));
                bytes.push((name, shape.to_vec(), values.collect::<Vec<u8>>()));
            }
        }
    }
    let views = bytes.iter().map(|(name, shape, bytes)| {
        (
            name.as_str(),
            TensorView::new(Dtype::BF16, shape.clone(), bytes).expect("a tensor"),
        )
    });
    safetensors::serialize(views, None).expect("safetensors")
}

struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    fn new(config: &str) -> Folder {
        let folder = Folder {
            dir: tempfile::tempdir().expect("a temporary folder"),
        };
        fs::create_dir(folder.path("peft")).expect("a folder");
        fs::write(folder.path("base.gguf"), Tiny::default().gguf()).expect("the base");
        fs::write(folder.path("peft/adapter_config.json"), config).expect("the configuration");
        let tensors = tensors(&Tiny::default(), 4);
        fs::write(folder.path("peft/adapter_model.safetensors"), tensors).expect("the tensors");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Run {
        anchorite_in(self.dir.path(), &[], arguments)
    }

    fn convert(&self, from: &str, extra: &[&str]) -> Run {
        let fixed = [
            "adapter",
            "convert",
            from,
            "--base",
            "base.gguf",
            "--out",
            "voice.gguf",
        ];
        self.run(&[&fixed[..], extra].concat())
    }
}

#[track_caller]
fn fails(folder: &Folder, run: &Run, expected: &str) {
    run.fails(&[expected]);
    assert!(!folder.path("voice.gguf").exists(), "nothing was written");
}

#[test]
fn what_peft_wrote_becomes_an_adapter() {
    let folder = Folder::new(r#"{"peft_type": "LORA", "r": 4, "lora_alpha": 16, "bias": "none"}"#);
    let run = folder.convert("peft", &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let found = folder.run(&["adapter", "inspect", "voice.gguf", "--json"]);
    let found: Value = serde_json::from_str(&found.stdout).expect("JSON");
    assert_eq!(found["name"], "voice");
    assert_eq!(found["architecture"], "llama");
    assert_eq!(found["alpha"], 16.0);
    assert_eq!(found["ranks"]["4"], 4, "two matrices in each of two layers");
    assert_eq!(found["targets"]["attn_q"]["matrices"], 2);
    let norm = found["targets"]["attn_v"]["norm"].as_f64().unwrap_or(0.0);
    assert!(norm > 0.0, "{found}");
    let printed = folder.run(&["adapter", "inspect", "voice.gguf"]).stdout;
    assert!(
        printed.contains("attn_q      2 matrices, norm of the change"),
        "{printed}"
    );

    let whole = fs::read(folder.path("voice.gguf")).expect("written");
    let run = folder.convert("peft/adapter_model.safetensors", &[]);
    assert_eq!(
        run.code, 0,
        "the file instead of the folder: {}",
        run.stderr
    );
    let again = fs::read(folder.path("voice.gguf")).expect("written");
    assert!(whole == again, "the same bytes");
    let run = folder.convert("peft", &["--type", "f16", "--name", "calm"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let half = fs::read(folder.path("voice.gguf")).expect("written");
    assert!(
        half.len() < whole.len() * 6 / 10,
        "{} of {} bytes",
        half.len(),
        whole.len()
    );
}

#[test]
fn what_is_in_the_way_is_named() {
    let folder = Folder::new(r#"{"r": 4, "use_dora": true}"#);
    fails(
        &folder,
        &folder.convert("peft", &[]),
        "`use_dora` in `adapter_config.json`",
    );
    let folder = Folder::new(r#"{"r": 8}"#);
    fails(
        &folder,
        &folder.convert("peft", &[]),
        "expected 8 x 64: `4 x 64`",
    );
    fails(
        &folder,
        &folder.convert("nowhere", &[]),
        "there is no `nowhere`",
    );
    let base = Tiny {
        n_embd: 32,
        ..Tiny::default()
    };
    fs::write(folder.path("base.gguf"), base.gguf()).expect("another base");
    fails(
        &folder,
        &folder.convert("peft", &[]),
        "does not fit the base",
    );
    fs::write(folder.path("base.gguf"), b"GGML").expect("no base");
    fails(
        &folder,
        &folder.convert("peft", &[]),
        "could not read `base.gguf`: file does not start with",
    );
    fs::remove_file(folder.path("peft/adapter_model.safetensors")).expect("removed");
    fails(
        &folder,
        &folder.convert("peft", &[]),
        "adapter_model.safetensors",
    );
    fs::write(folder.path("peft/adapter_model.bin"), b"pickle").expect("a pickle");
    fails(
        &folder,
        &folder.convert("peft", &[]),
        "holds its tensors as a pickle",
    );
    fails(
        &folder,
        &folder.run(&["adapter", "inspect", "base.gguf"]),
        "could not read `base.gguf`",
    );
}
