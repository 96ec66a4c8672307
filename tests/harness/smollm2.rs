//! Turns the pulled SmolLM2-135M-Instruct, its prompts and llama.cpp's continuations into cases to compare.

use std::path::PathBuf;

use anchorite_model::Message;
use anchorite_model::sample::SampleOptions;
use serde::Deserialize;

/// The model's name in `models/registry.toml`.
const NAME: &str = "SmolLM2-135M-Instruct";

/// Options for drawing tokens when backends are compared.
pub const DRAWN: SampleOptions = SampleOptions {
    temperature: 0.8,
    top_k: 40,
    top_p: 0.95,
    min_p: 0.0,
    repetition_penalty: 1.0,
    seed: 26,
};
/// Index of the prompt after which they are drawn.
pub const DRAWN_PROMPT: usize = 0;
/// The most tokens drawn.
pub const N_DRAWN: usize = 32;

/// `tests/fixtures/golden/smollm2_prompts.json`.
#[derive(Deserialize)]
struct Prompts {
    instructions: String,
    texts: std::collections::BTreeMap<String, String>,
    prompts: Vec<Prompt>,
}

#[derive(Deserialize)]
struct Prompt {
    #[serde(flatten)]
    asks: Asks,
    passages: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Asks {
    Question(String),
    Request(String),
}

impl Prompts {
    /// The conversation of a prompt; `record_smollm2.py` has the same rule.
    fn messages(&self, prompt: &Prompt) -> Vec<Message> {
        let texts = prompt.passages.iter().map(|name| &self.texts[name]);
        let question = match &prompt.asks {
            Asks::Request(request) => {
                let paragraphs: Vec<&str> = std::iter::once(request)
                    .chain(texts)
                    .map(String::as_str)
                    .collect();
                return vec![Message::new("user", paragraphs.join("\n\n"))];
            }
            Asks::Question(question) => question,
        };
        if prompt.passages.is_empty() {
            return vec![Message::new("user", question)];
        }
        let mut user = String::new();
        for (number, (name, text)) in (1..).zip(prompt.passages.iter().zip(texts)) {
            user.push_str(&format!("[{number}] {name}\n{text}\n\n"));
        }
        user.push_str(&format!("Question: {question}"));
        vec![
            Message::new("system", &self.instructions),
            Message::new("user", user),
        ]
    }
}

/// `tests/fixtures/golden/smollm2.json`, by `record_smollm2.py`.
#[derive(Deserialize)]
struct Record {
    model_sha256: String,
    prompts: Vec<Written>,
}

/// llama.cpp's tokens of a prompt, and its continuation.
#[derive(Deserialize)]
pub struct Written {
    /// Tokens of the prompt in the model's template.
    pub n_tokens: usize,
    /// SHA-256 of their ids, four bytes each, little-endian.
    pub tokens_sha256: String,
    /// The greedy tokens: 32, or up to the one that ends the message.
    pub greedy: Vec<u32>,
    /// The margin of each token's logit over the runner-up's.
    pub margins: Vec<f32>,
    /// Their text.
    pub text: String,
}

/// A prompt, and llama.cpp's record of it.
pub struct Case {
    /// The conversation.
    pub messages: Vec<Message>,
    /// llama.cpp's record.
    pub written: Written,
}

/// The recorded cases, and the hash of the model's file.
pub fn cases() -> (Vec<Case>, String) {
    let read = |name: &str| {
        let path = crate::root().join("tests/fixtures/golden").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let prompts: Prompts = serde_json::from_str(&read("smollm2_prompts.json")).expect("prompts");
    let record: Record = serde_json::from_str(&read("smollm2.json")).expect("a record");
    assert_eq!(
        prompts.prompts.len(),
        record.prompts.len(),
        "prompts were added: record anew (tests/golden/record_llama_cpp)"
    );
    let cases = prompts.prompts.iter().zip(record.prompts);
    let cases = cases.map(|(prompt, written)| Case {
        messages: prompts.messages(prompt),
        written,
    });
    (cases.collect(), record.model_sha256)
}

/// The model's file, if it was pulled: [`crate::pulled::path`].
pub fn path() -> Option<PathBuf> {
    crate::pulled::path(NAME)
}
