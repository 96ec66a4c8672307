//! Files given as a generator: templates that fail, models in several parts, and files that were never fetched.

use std::fs;

use anchorite_model::gguf::Value;
use anchorite_model::gguf::write::Writer;
use anchorite_model::{Gguf, Parts};

use crate::generator::{build, put, site, speaking, tiny, weights};

/// A random model with this template.
fn with_template(template: &str) -> Vec<u8> {
    let mut writer = tiny().writer();
    writer.set("tokenizer.chat_template", template);
    writer.finish()
}

#[test]
fn a_template_that_fails_is_found_by_the_build() {
    let site = site();
    for (template, named) in [
        (
            "{{ messages[0].content.encode() }}",
            "no method named encode",
        ),
        ("{{ '%d' % messages[0].content }}", "format"),
        (
            "{% set x = messages.append('a') %}",
            "`append` changes a list",
        ),
        ("{{ raise_exception('only for tools') }}", "only for tools"),
        ("{{ messages[7].content.strip() }}", "undefined"),
        (
            "{% for m in messages %}{% if m.role == 'user' %}{{ m.content|wordwrap }}{% endif %}{% endfor %}",
            "wordwrap",
        ),
        ("{{ tools.items() }}", "items"),
        (
            "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
            "fuel",
        ),
    ] {
        put(&site, "broken.gguf", &with_template(template));
        let run = build(&site, &["--generator", "broken.gguf"]);
        run.fails(&["generator `broken.gguf` cannot be used", "template", named]);
        assert!(
            !site.bundle().exists(),
            "nothing is written for `{template}`"
        );
    }
    for template in [
        "{% for m in messages %}{{ m.role.rsplit('s', 1)|join }}: {{ '%s' % m.content.removeprefix('x') }}\n{% endfor %}",
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ messages[0].content }}",
    ] {
        put(&site, "whole.gguf", &with_template(template));
        build(&site, &["--generator", "whole.gguf"]).works();
    }
}

/// The model in `count` files, as llama.cpp's `gguf-split` cuts it.
fn parts(whole: &Writer, count: u16) -> Vec<Vec<u8>> {
    let share = whole.tensors.len().div_ceil(usize::from(count));
    let mut shares = whole.tensors.chunks(share);
    let cut = |no: u16| {
        let mut part = match no {
            0 => whole.clone(),
            _ => Writer::new(),
        };
        let n_tensors = i32::try_from(whole.tensors.len()).expect("few");
        part.set("split.no", Value::U16(no))
            .set("split.count", Value::U16(count))
            .set("split.tensors.count", n_tensors);
        part.tensors = shares.next().expect("a share").to_vec();
        part.finish()
    };
    (0..count).map(cut).collect()
}

#[test]
fn any_part_of_a_split_model_stands_for_all() {
    let site = site();
    let whole = speaking(&tiny());
    let parts = parts(&whole, 3);
    let name = |no: usize| format!("models/voice-{no:05}-of-00003.gguf");
    for (idx, part) in parts.iter().enumerate() {
        put(&site, &name(idx + 1), part);
    }
    for no in 1..=3 {
        build(&site, &["--generator", &name(no)]).works();
        let found = weights(&site);
        assert_eq!(
            found,
            [("generator".to_owned(), "voice.gguf".to_owned())],
            "part {no}"
        );
    }
    // The bundle holds the model in one piece.
    let tensors = |bytes: Vec<u8>| {
        let parts = Parts::new(vec![bytes]);
        let gguf = Gguf::parse(&parts).expect("a GGUF file");
        let bytes = |name: &String| gguf.tensor(&parts, name).expect("a tensor").into_owned();
        gguf.tensors
            .keys()
            .map(|name| (name.clone(), bytes(name)))
            .collect::<Vec<_>>()
    };
    let manifest = fs::read(site.bundle().join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    let file = manifest["files"]
        .as_array()
        .and_then(|files| files.iter().find(|file| file["role"] == "generator"))
        .expect("the generator");
    let joined: Vec<u8> = file["parts"]
        .as_array()
        .expect("its parts")
        .iter()
        .flat_map(|part| {
            let path = part["path"].as_str().expect("a path");
            fs::read(site.bundle().join(path)).expect("a part")
        })
        .collect();
    assert!(
        tensors(joined) == tensors(whole.finish()),
        "the bundle's generator has the tensors of the whole model"
    );

    fs::remove_file(site.beside(&name(2))).expect("removed");
    let run = build(&site, &["--generator", &name(3)]);
    run.fails(&[
        "there is no `models/voice-00002-of-00003.gguf`",
        "all 3 parts",
    ]);
    put(&site, &name(2), &parts[2]);
    let run = build(&site, &["--generator", &name(1)]);
    run.fails(&[
        "the parts of `models/voice.gguf` do not fit together",
        "split.no",
    ]);
    put(&site, "models/other.gguf", &parts[1]);
    let run = build(&site, &["--generator", "models/other.gguf"]);
    run.fails(&["is part 2 of 3 of a split model", "-00002-of-00003.gguf"]);
}

#[test]
fn what_stands_for_a_file_is_named() {
    let site = site();
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 98000000\n";
    put(&site, "pointer.gguf", pointer);
    let run = build(&site, &["--generator", "pointer.gguf"]);
    run.fails(&[
        "generator `pointer.gguf` cannot be used",
        "a Git LFS pointer",
        "git lfs pull",
    ]);
    put(
        &site,
        "page.gguf",
        b"<!doctype html>\n<title>Sign in</title>",
    );
    let run = build(&site, &["--generator", "page.gguf"]);
    run.fails(&["a web page", "download link"]);
    put(&site, "base.gguf", &tiny().gguf());
    put(
        &site,
        "peft/adapter_config.json",
        br#"{"peft_type": "LORA", "r": 4}"#,
    );
    put(&site, "peft/adapter_model.safetensors", pointer);
    let run = harness::anchorite_in(
        &site.beside(""),
        &[],
        &[
            "adapter",
            "convert",
            "peft",
            "--base",
            "base.gguf",
            "--out",
            "voice.gguf",
        ],
    );
    run.fails(&[
        "`adapter_model.safetensors` is a Git LFS pointer",
        "git lfs pull",
    ]);
}
