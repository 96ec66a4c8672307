//! `--generator` and `--adapter` of a build: by name, as files, and refusals before anything ships.

use std::fs;
use std::path::PathBuf;

use anchorite_model::config::Architecture;
use anchorite_model::gguf::TensorType;
use anchorite_model::gguf::write::{TensorOut, Writer};
use harness::tiny::Tiny;
use harness::{Run, Site, anchorite_in, path_text};
use serde_json::Value;
use sha2::{Digest, Sha256};

const TEMPLATE: &str = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}";

pub(crate) fn tiny() -> Tiny {
    Tiny {
        context_length: 2048,
        ..Tiny::default()
    }
}

pub(crate) fn speaking(tiny: &Tiny) -> Writer {
    let mut writer = tiny.writer();
    writer.set("tokenizer.chat_template", TEMPLATE);
    writer
}

pub(crate) fn site() -> Site {
    Site::new(&[("pumps.md", b"# Pumps\n\nA pump moves water uphill.\n")])
}

pub(crate) fn put(site: &Site, name: &str, bytes: &[u8]) -> PathBuf {
    let path = site.beside(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(&path, bytes).expect("written");
    path
}

/// Builds in the folder next to the pages.
pub(crate) fn build(site: &Site, arguments: &[&str]) -> Run {
    let fixed = [
        "build",
        "pages",
        "--bundle",
        "bundle",
        "--no-cache",
        "--no-reader",
    ];
    anchorite_in(&site.beside(""), &[], &[&fixed[..], arguments].concat())
}

/// The bundle's weights, as `(role, name)`.
pub(crate) fn weights(site: &Site) -> Vec<(String, String)> {
    let manifest = fs::read(site.bundle().join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let files = manifest["files"].as_array().expect("files").clone();
    let text = |file: &Value, key: &str| file[key].as_str().unwrap_or_default().to_owned();
    let pairs = files
        .iter()
        .map(|file| (text(file, "role"), text(file, "name")));
    pairs
        .filter(|(role, _)| ["generator", "adapter"].contains(&role.as_str()))
        .collect()
}

#[test]
fn a_generator_is_taken_by_name_from_the_cache_folder() {
    let site = site();
    let bytes = speaking(&tiny()).finish();
    let digest = Sha256::digest(&bytes);
    let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let entry = format!(
        "[[model]]\nname = 'Tiny-1'\nfamily = 'llama'\nlicence = 'CC0-1.0'\nneeds = 'a CPU'\ncard = 'Random.'\n\
         source = {{ file = 'tiny.gguf' }}\nsha256 = '{sha256}'\n"
    );
    put(&site, "registry.toml", entry.as_bytes());
    put(&site, "tiny.gguf", &bytes);
    let named = ["--registry", "registry.toml", "--models-dir", "kept"];
    let with = |generator: &str| build(&site, &[&named[..], &["--generator", generator]].concat());
    with("Tiny-1").fails(&["`Tiny-1` is not in `kept`", "run `anchorite pull Tiny-1`"]);
    with("Tiny-3").fails(&["no model is called `Tiny-3`", "did you mean `Tiny-1`?"]);
    let pull = anchorite_in(
        &site.beside(""),
        &[],
        &[&["pull", "Tiny-1"], &named[..]].concat(),
    );
    pull.works();
    with("tiny-1").works();
    assert_eq!(
        weights(&site),
        [("generator".to_owned(), "Tiny-1.gguf".to_owned())]
    );
    let inspected = site.run("inspect", &[]);
    assert!(
        inspected.stdout.contains("Tiny-1.gguf"),
        "{}",
        inspected.stdout
    );
    let run = build(
        &site,
        &[&named[..], &["--generator", "none", "--adapter", "Tiny-1"]].concat(),
    );
    run.fails(&["an adapter was given, and no generator"]);
    let run = build(
        &site,
        &[
            &named[..],
            &["--generator", "tiny.gguf", "--adapter", "Tiny-1"],
        ]
        .concat(),
    );
    run.fails(&["`Tiny-1` is of another kind, expected adapter: `generator`"]);
    // The published bytes must be the pulled ones.
    let mut damaged = bytes.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    put(&site, "kept/Tiny-1.gguf", &damaged);
    with("Tiny-1").fails(&["has another SHA-256", "run `anchorite pull Tiny-1`"]);
}

#[test]
fn a_generator_brings_the_adapter_that_the_registry_names() {
    let site = site();
    let hash = |bytes: &[u8]| -> String {
        let digest = Sha256::digest(bytes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let (base, voice) = (
        speaking(&tiny()).finish(),
        tiny().adapter_writer(2, 4.0).finish(),
    );
    let entry = |name: &str, file: &str, bytes: &[u8], more: &str| {
        let sha256 = hash(bytes);
        format!(
            "[[model]]\nname = '{name}'\nfamily = 'llama'\nlicence = 'CC0-1.0'\nneeds = 'a CPU'\ncard = 'Random.'\n\
             source = {{ file = '{file}' }}\nsha256 = '{sha256}'\n{more}\n"
        )
    };
    let registry = |adapter: &str| {
        let base = entry(
            "Base",
            "base.gguf",
            &base,
            &format!("adapter = '{adapter}'"),
        );
        let voice = entry("Voice", "voice.gguf", &voice, "kind = 'adapter'");
        put(&site, "registry.toml", format!("{base}{voice}").as_bytes());
    };
    registry("Voice");
    put(&site, "base.gguf", &base);
    put(&site, "voice.gguf", &voice);
    let named = ["--registry", "registry.toml", "--models-dir", "kept"];
    let pull = || {
        anchorite_in(
            &site.beside(""),
            &[],
            &[&["pull", "Base"], &named[..]].concat(),
        )
    };
    let run = pull();
    run.works();
    for kept in ["kept/Base.gguf", "kept/Voice.gguf"] {
        assert!(site.beside(kept).exists(), "{kept}: {}", run.stdout);
    }
    let with = |more: &[&str]| {
        build(
            &site,
            &[&named[..], &["--generator", "Base"], more].concat(),
        )
    };
    let names = || -> Vec<String> { weights(&site).into_iter().map(|(_, name)| name).collect() };
    with(&[]).works();
    assert_eq!(names(), ["Base.gguf", "Voice.gguf"]);
    with(&["--adapter", "none"]).works();
    assert_eq!(names(), ["Base.gguf"]);
    let calm = Tiny { seed: 8, ..tiny() }.adapter_writer(2, 4.0);
    put(&site, "calm.gguf", &calm.finish());
    with(&["--adapter", "calm.gguf"]).works();
    assert_eq!(names(), ["Base.gguf", "calm.gguf"], "the one given instead");
    with(&["--adapter", "none", "--adapter", "calm.gguf"]).fails(&["none was asked for"]);
    build(&site, &["--generator", "base.gguf"]).works();
    assert_eq!(names(), ["base.gguf"], "a file has no entry");
    for (adapter, expected) in [
        ("Voise", "no model is called `Voise`"),
        ("Base", "expected the name of an adapter"),
    ] {
        registry(adapter);
        with(&[]).fails(&[expected]);
        pull().fails(&[expected]);
    }
}

#[test]
fn without_a_word_there_is_no_generator() {
    let site = site();
    build(&site, &[]).works();
    assert!(weights(&site).is_empty(), "search and quotations");
    put(&site, "voice.gguf", &tiny().adapter_writer(2, 4.0).finish());
    build(&site, &["--adapter", "voice.gguf"]).fails(&["an adapter was given, and no generator"]);
}

#[test]
fn none_is_no_generator_and_the_stronger_source_counts() {
    let site = site();
    put(&site, "weights/tiny.gguf", &speaking(&tiny()).finish());
    put(
        &site,
        "weights/voice.gguf",
        &tiny().adapter_writer(2, 4.0).finish(),
    );
    build(&site, &["--generator", "none"]).works();
    assert!(weights(&site).is_empty(), "none");
    let run = build(
        &site,
        &["--generator", "weights/tiny.gguf", "--no-generator"],
    );
    run.fails(&["a generator was given, and none was asked for"]);
    let config = "generator = 'tiny.gguf'\nadapter = ['voice.gguf']\n";
    put(&site, "weights/anchorite.toml", config.as_bytes());
    let configured = ["--config", "weights/anchorite.toml"];
    build(&site, &configured).works();
    assert_eq!(weights(&site).len(), 2, "beside the file that names them");
    build(&site, &[&configured[..], &["--no-generator"]].concat()).works();
    assert!(
        weights(&site).is_empty(),
        "the flag is stronger, and adapters go along"
    );
    put(&site, "weights/anchorite.toml", b"no_generator = true\n");
    build(
        &site,
        &[&configured[..], &["--generator", "weights/tiny.gguf"]].concat(),
    )
    .works();
    assert_eq!(
        weights(&site),
        [("generator".to_owned(), "tiny.gguf".to_owned())]
    );
}

#[test]
fn a_bundle_holds_several_adapters_and_one_speaks() {
    let site = site();
    put(&site, "tiny.gguf", &speaking(&tiny()).finish());
    let calm = Tiny { seed: 8, ..tiny() }.adapter_writer(2, 4.0);
    put(&site, "calm.gguf", &calm.finish());
    put(&site, "loud.gguf", &tiny().adapter_writer(4, 64.0).finish());
    let run = build(
        &site,
        &[
            "--generator",
            "tiny.gguf",
            "--adapter",
            "calm.gguf",
            "--adapter",
            "loud.gguf",
        ],
    );
    run.works();
    let names: Vec<String> = weights(&site).into_iter().map(|(_, name)| name).collect();
    assert_eq!(
        names,
        ["tiny.gguf", "calm.gguf", "loud.gguf"],
        "in the order they were given"
    );
    let ask = |extra: &[&str]| {
        let words = [&["water", "--max-tokens", "8"], extra].concat();
        site.run("ask", &words)
    };
    for extra in [&[][..], &["--adapter", "calm"], &["--adapter", "loud.gguf"]] {
        ask(extra).works();
    }
    let run = site.run("ask", &["water", "--adapter", "quiet"]);
    run.fails(&[
        "the bundle has no adapter `quiet`",
        "its adapters are: calm, loud",
    ]);
    // Removing one shows which of the two is read.
    let manifest = fs::read(site.bundle().join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let files = manifest["files"].as_array().expect("files");
    let loud = files.iter().find(|file| file["name"] == "loud.gguf");
    let path = loud.and_then(|file| file["parts"][0]["path"].as_str());
    fs::remove_file(site.bundle().join(path.expect("its part"))).expect("removed");
    ask(&[]).works();
    ask(&["--adapter", "calm"]).works();
    ask(&["--no-adapter"]).works();
    ask(&["--adapter", "loud"]).fails(&["could not read"]);
    let twice = [
        "--generator",
        "tiny.gguf",
        "--adapter",
        "calm.gguf",
        "--adapter",
        "./calm.gguf",
    ];
    build(&site, &twice).fails(&["two adapters are called `calm.gguf`"]);
}

#[test]
fn what_a_browser_would_refuse_is_refused_by_the_build() {
    let site = site();
    put(&site, "tiny.gguf", &speaking(&tiny()).finish());
    let mut mamba = speaking(&tiny());
    mamba.set("general.architecture", "mamba");
    let unknown = speaking(&tiny()).finish();
    let unknown = replaced(
        unknown,
        b"general.architecture\x08\0\0\0\x05\0\0\0\0\0\0\0llama",
        b"mamba",
    );
    let mut damaged = speaking(&tiny());
    let last = damaged.tensors.len() - 1;
    damaged.tensors[last].bytes[..4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    for (case, bytes, expected) in [
        ("no file", None, "could not read"),
        (
            "no GGUF",
            Some(b"GGML".to_vec()),
            "file does not start with `GGUF`",
        ),
        (
            "twice",
            Some(mamba.finish()),
            "`general.architecture` occurs twice",
        ),
        (
            "family",
            Some(unknown),
            "model architecture is not supported, expected llama",
        ),
        (
            "numbers",
            Some(damaged.finish()),
            "holds a number that is infinite or none",
        ),
        (
            "silent",
            Some(tiny().writer().finish()),
            "has no chat template",
        ),
    ] {
        if let Some(bytes) = bytes {
            put(&site, "wrong.gguf", &bytes);
        }
        let run = build(&site, &["--generator", "wrong.gguf"]);
        run.fails(&["wrong.gguf", expected]);
        assert!(!site.bundle().exists(), "{case}: nothing was written");
    }

    let wide = Tiny {
        n_ff: 128,
        ..tiny()
    }
    .adapter_writer(2, 4.0);
    let qwen = Tiny {
        family: Architecture::Qwen2,
        ..tiny()
    }
    .adapter_writer(2, 4.0);
    let mut none = tiny().adapter_writer(2, 4.0);
    for (tensor, shape) in none.tensors.iter_mut().zip([[64, 0], [0, 64]]) {
        *tensor = TensorOut::pack(&tensor.name, TensorType::F32, &shape, &[]);
    }
    let mut damaged = tiny().adapter_writer(2, 4.0);
    damaged.tensors[0].bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    let other = "give the generator that the adapter was trained for";
    for (writer, expected, hint) in [
        (wide, "has the wrong shape", other),
        (qwen, "expected `llama`: `qwen2`", other),
        (none, "expected 1 to 1024: `0`", "convert the adapter again"),
        (
            damaged,
            "holds a number that is infinite or none",
            "damaged",
        ),
        (tiny().writer(), "metadata `general.type` is missing", ""),
    ] {
        put(&site, "voice.gguf", &writer.finish());
        let run = build(
            &site,
            &["--generator", "tiny.gguf", "--adapter", "voice.gguf"],
        );
        run.fails(&[
            "adapter `voice.gguf` does not fit generator `tiny.gguf`",
            expected,
            hint,
        ]);
        assert!(!site.bundle().exists(), "{expected}: nothing was written");
    }
    let run = build(
        &site,
        &["--generator", path_text(&site.beside("nowhere.gguf"))],
    );
    run.fails(&["nowhere.gguf", "a name that `anchorite models` lists"]);
}

/// The bytes with the end of `found` replaced.
fn replaced(mut bytes: Vec<u8>, found: &[u8], end: &[u8]) -> Vec<u8> {
    let at = bytes
        .windows(found.len())
        .position(|window| window == found);
    let at = at.expect("the key and its value") + found.len();
    bytes[at - end.len()..at].copy_from_slice(end);
    bytes
}
