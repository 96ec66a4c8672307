//! Compares rendered chat templates with the output of their authors' tools.
//!
//! - `llama.cpp-cases`: 30 models, one conversation; expected by llama.cpp's test at c392e509 (2025-02-20).
//! - `huggingface.js`: 53 conversations, with tools, documents and images; expected by `transformers`, recorded in
//!   huggingface.js at fe42e680 (2026-08-21), clock fixed at 2025-07-10 12:00 UTC.

use std::collections::BTreeSet;

use anchorite_model::{ChatTemplate, Message};
use minijinja::Value;
use serde::Deserialize;

/// 2025-07-10 12:00 UTC.
const CLOCK: i64 = 1_752_148_800;

#[derive(Deserialize)]
struct LlamaCpp {
    messages: Vec<Turn>,
    add_generation_prompt: bool,
    cases: Vec<LlamaCppCase>,
}

#[derive(Deserialize)]
struct Turn {
    role: String,
    content: String,
}

#[derive(Deserialize)]
struct LlamaCppCase {
    name: String,
    template: String,
    expected_jinja: String,
    bos_token: String,
    eos_token: String,
    supported_with_jinja: bool,
}

#[derive(Deserialize)]
struct HuggingFaceCase {
    name: String,
    template: String,
    /// This type keeps the order of keys.
    data: Value,
    expected: String,
}

fn read(path: &str) -> Option<String> {
    let path = harness::data_dir()?.join("conformance").join(path);
    let text = std::fs::read_to_string(&path);
    if text.is_err() {
        harness::skipped(&format!("no {}", path.display()));
    }
    text.ok()
}

/// Fails unless exactly the cases in `known` differ, and shows the output of the others.
#[track_caller]
fn demand_exactly(known: &[&str], differing: &[(String, String)]) {
    let known: BTreeSet<&str> = known.iter().copied().collect();
    let found: BTreeSet<&str> = differing.iter().map(|(name, _)| name.as_str()).collect();
    let shown: Vec<_> = differing
        .iter()
        .filter(|(name, _)| !known.contains(name.as_str()))
        .collect();
    let newly_right: Vec<_> = known.difference(&found).collect();
    assert!(shown.is_empty(), "{} cases differ: {shown:#?}", shown.len());
    assert!(
        newly_right.is_empty(),
        "no longer differ, take them from the list: {newly_right:?}"
    );
}

/// The place where `found` departs from `expected`, with a little of what follows in both.
fn first_difference(expected: &str, found: &Result<String, String>) -> String {
    let Ok(found) = found else {
        return format!("{found:?}");
    };
    let at = expected
        .chars()
        .zip(found.chars())
        .take_while(|(left, right)| left == right)
        .count();
    let rest = |text: &str| {
        text.chars()
            .skip(at.saturating_sub(20))
            .take(60)
            .collect::<String>()
    };
    format!(
        "at {at}: expected {:?}, found {:?}",
        rest(expected),
        rest(found)
    )
}

fn trimmed<'t>(text: &'t str, case: &LlamaCppCase) -> &'t str {
    let text = text.strip_prefix(&case.bos_token).unwrap_or(text);
    text.strip_suffix(&case.eos_token).unwrap_or(text)
}

#[test]
fn renders_the_templates_of_llama_cpp() {
    let Some(text) = read("chat-templates/llama.cpp-cases/cases.json") else {
        return;
    };
    let LlamaCpp {
        messages,
        add_generation_prompt,
        cases,
    } = serde_json::from_str(&text).expect("the cases");
    let messages: Vec<Message> = messages
        .into_iter()
        .map(|turn| Message::new(turn.role, turn.content))
        .collect();
    let mut differing = Vec::new();
    for case in cases {
        if !case.supported_with_jinja {
            continue;
        }
        let found = ChatTemplate::new(&case.template, &case.bos_token, &case.eos_token)
            .map_err(|error| error.to_string())
            .and_then(|template| {
                template
                    .render(&messages, add_generation_prompt)
                    .map_err(|error| error.to_string())
            });
        // llama.cpp strips these after the template, because its tokenizer adds them again.
        let found = found.map(|text| trimmed(&text, &case).to_owned());
        let expected = trimmed(&case.expected_jinja, &case);
        if found.as_deref() != Ok(expected) {
            differing.push((case.name.clone(), first_difference(expected, &found)));
        }
    }
    // Its own engine drops the space that starts a line before `{{`; Python's Jinja keeps it, and so do we.
    demand_exactly(&["ChatGLM3"], &differing);
}

#[test]
fn renders_the_templates_of_transformers() {
    let Some(text) = read("jinja/huggingface.js/chat_templates_e2e.json") else {
        return;
    };
    let cases: Vec<HuggingFaceCase> = serde_json::from_str(&text).expect("the cases");
    assert_eq!(cases.len(), 53, "cases recorded");
    let mut differing = Vec::new();
    for case in &cases {
        let found = ChatTemplate::new(&case.template, "", "")
            .map_err(|error| error.to_string())
            .and_then(|mut template| {
                template.set_clock(CLOCK);
                let variables = serde_json::to_string(&case.data).expect("JSON again");
                template
                    .render_json(&variables)
                    .map_err(|error| error.to_string())
            });
        if found.as_ref() != Ok(&case.expected) {
            differing.push((case.name.clone(), first_difference(&case.expected, &found)));
        }
    }
    // It prints a list (`tools|string`) as JSON; Python's Jinja prints it as Python does, and so do we.
    demand_exactly(&["MadeAgents/Hammer2.1"], &differing);
}
