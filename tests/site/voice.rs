//! Voices of a build: their label reaches the manifest, and a voice that says something other than its base is refused.

use std::fs;

use anchorite_model::gguf::write::Writer;
use harness::{Run, Site, anchorite_in};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::generator::{build, put, site, speaking, tiny};

const LABEL: &str = "anchorite.voice.label";
const OPENINGS: &str = "anchorite.voice.openings";

/// A tiny generator, an adapter without a voice, and one with the same pairs and a voice.
fn with_voice(voice: impl FnOnce(&mut Writer)) -> Site {
    let site = site();
    put(&site, "tiny.gguf", &speaking(&tiny()).finish());
    put(&site, "base.gguf", &tiny().adapter_writer(2, 0.5).finish());
    let mut writer = tiny().adapter_writer(2, 0.5);
    voice(&mut writer);
    put(&site, "kind.gguf", &writer.finish());
    site
}

fn built(site: &Site) -> Run {
    let adapters = ["--adapter", "base.gguf", "--adapter", "kind.gguf"];
    let named = ["--generator", "tiny.gguf", "--models-dir", "kept"];
    build(site, &[&named[..], &adapters].concat())
}

#[test]
fn a_voice_that_says_the_same_ships_with_its_label() {
    let site = with_voice(|writer| {
        writer
            .set(LABEL, "Kind")
            .set(OPENINGS, vec!["Good question.".to_owned()]);
    });
    let run = built(&site);
    run.works();
    assert!(
        run.stderr
            .contains("comparing voice `kind.gguf` with `base.gguf`"),
        "{}",
        run.stderr
    );
    let manifest: Value =
        serde_json::from_slice(&fs::read(site.bundle().join("manifest.json")).expect("a manifest"))
            .expect("JSON");
    let labels: Vec<&Value> = manifest["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| &file["label"])
        .collect();
    assert_eq!(labels.iter().filter(|label| label.is_string()).count(), 1);
    assert_eq!(labels.last(), Some(&&Value::from("Kind")));
    let again = built(&site);
    again.works();
    assert!(
        !again.stderr.contains("comparing"),
        "it is known by now: {}",
        again.stderr
    );
}

#[test]
fn a_voice_that_says_other_things_is_refused() {
    let site = with_voice(|writer| {
        writer.set(LABEL, "Wild");
    });
    let sha256 = |name: &str| -> String {
        let bytes = fs::read(site.beside(name)).expect("an adapter");
        let digest = Sha256::digest(&bytes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let entry = |name: &str, file: &str, more: &str| {
        format!(
            "[[model]]\nname = '{name}'\nkind = 'adapter'\nfamily = 'llama'\nlicence = 'CC0-1.0'\nneeds = 'a CPU'\n\
             card = 'Random.'\nsource = {{ file = '{file}' }}\nsha256 = '{}'\n{more}\n",
            sha256(file)
        )
    };
    let built = |citations: f64, facts: f64| {
        let measured = format!(
            "measured = {{ against = 'Base', equal_citations = {citations}, equal_facts = {facts} }}"
        );
        let registry = entry("Base", "base.gguf", "") + &entry("Wild", "kind.gguf", &measured);
        put(&site, "registry.toml", registry.as_bytes());
        let named = ["--generator", "tiny.gguf", "--registry", "registry.toml"];
        let adapters = ["--adapter", "base.gguf", "--adapter", "kind.gguf"];
        build(&site, &[&named[..], &adapters].concat())
    };
    for (citations, facts) in [(0.98, 1.0), (1.0, 0.97)] {
        built(citations, facts).fails(&[
            "voice `kind.gguf` says other things than `base.gguf`",
            "as the registry has it",
            "adapter check kind.gguf",
        ]);
        assert!(!site.bundle().exists(), "nothing is half-written");
    }
    built(1.5, 1.0).fails(&["`equal_citations` is not possible", "0 to 1"]);
    let run = built(0.99, 0.98);
    run.works();
    assert!(
        !run.stderr.contains("comparing"),
        "the registry knows it: {}",
        run.stderr
    );
}

#[test]
fn a_phrase_that_could_be_a_fact_is_refused() {
    for (phrase, expected) in [
        ("The port is 80.", "no number"),
        ("Yes,", "answers or judges"),
        ("It is never so:", "no denial"),
    ] {
        let site = with_voice(|writer| {
            writer
                .set(LABEL, "Kind")
                .set(OPENINGS, vec![phrase.to_owned()]);
        });
        built(&site).fails(&["kind.gguf", phrase, expected]);
    }
}

#[test]
fn a_check_tells_equal_from_other() {
    let site = with_voice(|writer| {
        writer
            .set(LABEL, "Kind")
            .set(OPENINGS, vec!["Good question.".to_owned()]);
    });
    let check = |extra: &[&str]| {
        let fixed = [
            "adapter",
            "check",
            "kind.gguf",
            "--generator",
            "tiny.gguf",
            "--limit",
            "20",
        ];
        anchorite_in(&site.beside(""), &[], &[&fixed[..], extra].concat())
    };
    let run = check(&["--against", "base.gguf", "--prompted", "--json"]);
    run.works();
    let found: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(
        (&found["equal_citations"], &found["equal_facts"]),
        (&1.0.into(), &1.0.into())
    );
    assert_eq!(
        (&found["questions"], &found["style"]),
        (&20.into(), &0.0.into()),
        "random weights have no manner"
    );
    assert!(
        found["prompted_style"].is_number()
            && found["texts"]
                .as_array()
                .is_some_and(|texts| texts.len() == 20)
    );
    assert!(
        check(&["--against", "base.gguf"])
            .stdout
            .contains("equal citations     100.0 %")
    );
    check(&[]).fails(&["no adapter to compare the voice with", "--against"]);
    let fixed = [
        "adapter",
        "check",
        "base.gguf",
        "--generator",
        "tiny.gguf",
        "--against",
        "kind.gguf",
    ];
    anchorite_in(&site.beside(""), &[], &fixed).fails(&["is no voice", "--voice"]);
}
