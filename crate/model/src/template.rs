//! Turns messages into the prompt that a model was trained to continue, by the Jinja template in its file.
//!
//! Templates are written for Python's Jinja as `transformers` sets it up; the differences of `minijinja` are bridged
//! here. A template comes with the weights and is not trusted: its work is metered, and it can reach nothing but its
//! variables.

mod date;
mod filters;
mod methods;
mod prompt;
mod rewrite;
mod text;

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Value};

use crate::error::{LoadError, RunError};
use crate::gguf::Gguf;
use prompt::Prompt;

/// The largest template accepted, in bytes. Real ones take up to about 20,000.
const MAX_SOURCE_BYTES: usize = 256 << 10;
/// Work that one rendering may do: about one unit per instruction and per 64 bytes of output. Real templates take under
/// 1,000. The limit also keeps a template from nesting values so deep (about one level per 10 units, 250 bytes of stack
/// each) that freeing them overflows the stack.
const FUEL: u64 = 10_000;
/// Additional work allowed per message.
const FUEL_PER_MESSAGE: u64 = 500;
/// Bytes of variables that allow one more unit of work: enough for four copies.
const BYTES_PER_FUEL: u64 = 16;
/// Deepest nesting of calls: a web worker's stack has 1 MB.
const RECURSION_LIMIT: usize = 128;
/// The time used until [`ChatTemplate::set_clock`] is called, for templates that print today's date: the date that
/// Llama 3's templates fall back to, so their prompts stay the same every day.
const DEFAULT_CLOCK: i64 = 1_721_952_000;
const NAME: &str = "chat_template";
/// A text that no template writes by itself.
const PROBE: &str = "anchorite-system-message";

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The speaker: `system`, `user` or `assistant`; a template may know more.
    pub role: String,
    /// The text of the message.
    pub content: String,
}

impl Message {
    /// A message of `role`.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Message {
        Message {
            role: role.into(),
            content: content.into(),
        }
    }
}

/// A model's chat template.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos_token: String,
    eos_token: String,
    /// True if a system message reaches the prompt: some templates refuse it, some drop it.
    takes_system: bool,
}

impl ChatTemplate {
    /// The template in `tokenizer.chat_template`; `None` if the file has none.
    ///
    /// # Errors
    /// [`LoadError::Template`] if it does not parse or exceeds the size limit; [`LoadError::MetadataType`] and
    /// [`LoadError::MetadataValue`] for the ids of the tokens it may name.
    pub fn from_gguf(gguf: &Gguf) -> Result<Option<ChatTemplate>, LoadError> {
        let Some(source) = gguf.opt_string("tokenizer.chat_template")? else {
            return Ok(None);
        };
        let piece = |key: &str| -> Result<String, LoadError> {
            let Some(id) = gguf.opt_u32(key)? else {
                return Ok(String::new());
            };
            let pieces = gguf.strings("tokenizer.ggml.tokens")?;
            // An id outside the vocabulary counts as none, as in the tokenizer.
            let piece = usize::try_from(id).ok().and_then(|idx| pieces.get(idx));
            Ok(piece.map_or_else(String::new, |&piece| piece.into()))
        };
        let bos_token = piece("tokenizer.ggml.bos_token_id")?;
        let eos_token = piece("tokenizer.ggml.eos_token_id")?;
        ChatTemplate::new(source, &bos_token, &eos_token).map(Some)
    }

    /// Compiles the template `source`, given the two tokens it may name.
    ///
    /// # Errors
    /// [`LoadError::Template`].
    pub fn new(source: &str, bos_token: &str, eos_token: &str) -> Result<ChatTemplate, LoadError> {
        if source.len() > MAX_SOURCE_BYTES {
            return Err(LoadError::Template {
                reason: format!(
                    "at most {MAX_SOURCE_BYTES} bytes expected: `{}`",
                    source.len()
                ),
            });
        }
        let mut environment = Environment::new();
        environment.set_recursion_limit(RECURSION_LIMIT);
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        environment.set_syntax(syntax.map_err(|error| LoadError::Template {
            reason: reason(&error),
        })?);
        environment.set_unknown_method_callback(methods::call);
        environment.add_filter(rewrite::PERCENT, filters::percent);
        environment.add_filter("tojson", filters::to_json);
        environment.add_filter("indent", filters::indent);
        environment.add_filter("format", filters::format);
        environment.add_function(
            "raise_exception",
            |message: String| -> Result<Value, Error> {
                Err(Error::new(ErrorKind::InvalidOperation, message))
            },
        );
        environment
            .add_template_owned(NAME, rewrite::rewrite(source))
            .map_err(|error| LoadError::Template {
                reason: reason(&error),
            })?;
        let mut template = ChatTemplate {
            environment,
            bos_token: bos_token.into(),
            eos_token: eos_token.into(),
            takes_system: true,
        };
        template.set_clock(DEFAULT_CLOCK);
        let probe = [Message::new("system", PROBE), Message::new("user", "?")];
        template.takes_system = template
            .render(&probe, true)
            .is_ok_and(|prompt| prompt.contains(PROBE));
        Ok(template)
    }

    /// Sets the time that `strftime_now` formats: seconds since 1970, UTC. The default is midnight of 26 July 2024.
    pub fn set_clock(&mut self, unix_seconds: i64) {
        self.environment
            .add_function("strftime_now", move |format: &str| {
                date::format(unix_seconds, format)
            });
    }

    /// The prompt for `messages`, followed by the opening of an answer if `add_generation_prompt`.
    ///
    /// If the template takes no system message, its text opens the next user message, on lines of its own.
    ///
    /// # Errors
    /// [`RunError::Template`] if the template refuses the messages (two turns of one role, an unknown role), fails, or
    /// does not terminate.
    pub fn render(
        &self,
        messages: &[Message],
        add_generation_prompt: bool,
    ) -> Result<String, RunError> {
        let merged;
        let messages = if self.takes_system {
            messages
        } else {
            merged = without_system(messages);
            &merged
        };
        let message = |message: &Message| {
            Value::from(BTreeMap::from([
                ("role", Value::from(message.role.as_str())),
                ("content", Value::from(message.content.as_str())),
            ]))
        };
        let n_bytes: usize = messages.iter().map(|message| message.content.len()).sum();
        let fuel =
            FUEL + FUEL_PER_MESSAGE * messages.len() as u64 + n_bytes as u64 / BYTES_PER_FUEL;
        self.render_variables(
            fuel,
            [
                ("messages".into(), messages.iter().map(message).collect()),
                ("add_generation_prompt".into(), add_generation_prompt.into()),
            ],
        )
    }

    /// As [`ChatTemplate::render`], with the template's variables from a JSON object: `messages` in any form, `tools`,
    /// `documents`, `enable_thinking`. It may also override `bos_token` and `eos_token`.
    ///
    /// # Errors
    /// [`RunError::Template`], also if `variables` is not a JSON object.
    pub fn render_json(&self, variables: &str) -> Result<String, RunError> {
        let n_bytes = variables.len() as u64;
        let variables: BTreeMap<String, Value> =
            serde_json::from_str(variables).map_err(|error| RunError::Template {
                reason: format!("variables: {error}"),
            })?;
        self.render_variables(FUEL + n_bytes / BYTES_PER_FUEL, variables)
    }

    fn render_variables(
        &self,
        fuel: u64,
        variables: impl IntoIterator<Item = (String, Value)>,
    ) -> Result<String, RunError> {
        let failed = |error: Error| RunError::Template {
            reason: reason(&error),
        };
        let mut context: BTreeMap<String, Value> = BTreeMap::from([
            ("bos_token".into(), Value::from(self.bos_token.as_str())),
            ("eos_token".into(), Value::from(self.eos_token.as_str())),
            // `transformers` always defines these two, and templates test them for `none`.
            ("tools".into(), Value::from(())),
            ("documents".into(), Value::from(())),
        ]);
        context.extend(variables);
        let mut environment = self.environment.clone();
        environment.set_fuel(Some(fuel));
        let template = environment.get_template(NAME).map_err(failed)?;
        let mut prompt = Prompt::default();
        template
            .render_captured_to(context, &mut prompt)
            .map_err(failed)?;
        String::from_utf8(prompt.0).map_err(|error| RunError::Template {
            reason: format!("it writes what is not UTF-8: {error}"),
        })
    }
}

/// The message of `error`, followed by those of its causes.
fn reason(error: &Error) -> String {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        reason.push_str(": ");
        reason.push_str(&error.to_string());
        source = error.source();
    }
    reason
}

/// `messages` with each system message merged into the next user message, or turned into one.
fn without_system(messages: &[Message]) -> Vec<Message> {
    let mut merged: Vec<Message> = Vec::with_capacity(messages.len());
    let mut said = String::new();
    for message in messages {
        let is_user = message.role == "user";
        if message.role == "system" || (is_user && !said.is_empty()) {
            if !said.is_empty() {
                said.push('\n');
            }
            said.push_str(&message.content);
        } else if !said.is_empty() {
            merged.push(Message::new("user", std::mem::take(&mut said)));
        }
        if is_user && !said.is_empty() {
            merged.push(Message::new("user", std::mem::take(&mut said)));
        } else if message.role != "system" {
            merged.push(message.clone());
        }
    }
    if !said.is_empty() {
        merged.push(Message::new("user", said));
    }
    merged
}

#[cfg(test)]
mod python_tests;
#[cfg(test)]
mod tests;
