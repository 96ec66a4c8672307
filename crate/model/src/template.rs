//! Turns messages into the one text that a model was trained to continue, by the Jinja template in its file.
//!
//! Templates are written for Python's Jinja as `transformers` sets it up; what differs in `minijinja` is bridged here.
//! A template comes with the weights and is not trusted: its work is metered, and it reaches nothing but its variables.

mod date;

use std::collections::BTreeMap;

use minijinja::value::{Kwargs, Value};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind};

use crate::error::{LoadError, RunError};
use crate::gguf::Gguf;

/// The largest template accepted, in bytes. Real ones have up to about 20,000.
const MAX_SOURCE_BYTES: usize = 256 << 10;
/// Work that one rendering may do: about one unit per instruction and per 64 bytes made, so at most 128 MB.
const FUEL: u64 = 2_000_000;
/// Calls in calls. A worker's stack holds 1 MB.
const RECURSION_LIMIT: usize = 128;
/// Templates name today's date; the one that Llama 3's fall back on keeps their prompts the same every day.
const DEFAULT_CLOCK: i64 = 1_721_952_000;
const NAME: &str = "chat_template";

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who speaks: `system`, `user` or `assistant`; a template may know more.
    pub role: String,
    /// What is said.
    pub content: String,
}

impl Message {
    /// A message of `role`.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Message {
        Message { role: role.into(), content: content.into() }
    }
}

/// A model's chat template.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos_token: String,
    eos_token: String,
}

impl ChatTemplate {
    /// The template in `tokenizer.chat_template`; `None` if the file has none.
    ///
    /// # Errors
    /// [`LoadError::Template`] if it does not parse or is absurdly long; [`LoadError::MetadataType`] and
    /// [`LoadError::MetadataValue`] for the tokens it may name.
    pub fn from_gguf(gguf: &Gguf) -> Result<Option<ChatTemplate>, LoadError> {
        let Some(source) = gguf.opt_string("tokenizer.chat_template")? else { return Ok(None) };
        let piece = |key: &str| -> Result<String, LoadError> {
            let Some(id) = gguf.opt_u32(key)? else { return Ok(String::new()) };
            let pieces = gguf.strings("tokenizer.ggml.tokens")?;
            let piece = usize::try_from(id).ok().and_then(|idx| pieces.get(idx));
            piece.map(|&piece| piece.into()).ok_or_else(|| LoadError::MetadataValue {
                key: key.into(),
                expected: format!("a token below {}", pieces.len()),
                found: id.to_string(),
            })
        };
        let bos_token = piece("tokenizer.ggml.bos_token_id")?;
        let eos_token = piece("tokenizer.ggml.eos_token_id")?;
        ChatTemplate::new(source, &bos_token, &eos_token).map(Some)
    }

    /// The template `source`, with the two tokens it may name.
    ///
    /// # Errors
    /// [`LoadError::Template`].
    pub fn new(source: &str, bos_token: &str, eos_token: &str) -> Result<ChatTemplate, LoadError> {
        if source.len() > MAX_SOURCE_BYTES {
            return Err(LoadError::Template {
                reason: format!("at most {MAX_SOURCE_BYTES} bytes expected: `{}`", source.len()),
            });
        }
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(RECURSION_LIMIT);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| LoadError::Template { reason: reason(&error) })?);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_filter("tojson", to_json);
        environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment
            .add_template_owned(NAME, without_generation_marks(source))
            .map_err(|error| LoadError::Template { reason: reason(&error) })?;
        let mut template = ChatTemplate {
            environment,
            bos_token: bos_token.into(),
            eos_token: eos_token.into(),
        };
        template.set_clock(DEFAULT_CLOCK);
        Ok(template)
    }

    /// Sets what `strftime_now` tells: seconds since 1970, UTC. Without this it is midnight of 26 July 2024.
    pub fn set_clock(&mut self, unix_seconds: i64) {
        self.environment
            .add_function("strftime_now", move |format: &str| date::format(unix_seconds, format));
    }

    /// The prompt for `messages`, followed by the opening of an answer if `add_generation_prompt`.
    ///
    /// # Errors
    /// [`RunError::Template`] if the template refuses the messages (two turns of one role, a role it does not know),
    /// fails, or does not come to an end.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String, RunError> {
        let message = |message: &Message| {
            Value::from(BTreeMap::from([
                ("role", Value::from(message.role.as_str())),
                ("content", Value::from(message.content.as_str())),
            ]))
        };
        self.render_variables([
            ("messages".into(), messages.iter().map(message).collect()),
            ("add_generation_prompt".into(), add_generation_prompt.into()),
        ])
    }

    /// As [`ChatTemplate::render`], with every variable that a template may read in a JSON object: `messages` in any
    /// form, `tools`, `documents`, `enable_thinking`. It replaces `bos_token` and `eos_token` too.
    ///
    /// # Errors
    /// [`RunError::Template`], also if `variables` is no JSON object.
    pub fn render_json(&self, variables: &str) -> Result<String, RunError> {
        let variables: BTreeMap<String, Value> = serde_json::from_str(variables)
            .map_err(|error| RunError::Template { reason: format!("variables: {error}") })?;
        self.render_variables(variables)
    }

    fn render_variables(
        &self,
        variables: impl IntoIterator<Item = (String, Value)>,
    ) -> Result<String, RunError> {
        let failed = |error: Error| RunError::Template { reason: reason(&error) };
        let mut context: BTreeMap<String, Value> = BTreeMap::from([
            ("bos_token".into(), Value::from(self.bos_token.as_str())),
            ("eos_token".into(), Value::from(self.eos_token.as_str())),
            // `transformers` always defines these two, and templates ask whether they are none.
            ("tools".into(), Value::from(())),
            ("documents".into(), Value::from(())),
        ]);
        context.extend(variables);
        self.environment.get_template(NAME).and_then(|template| template.render(context)).map_err(failed)
    }
}

/// What `error` says, with the errors behind it.
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

/// `{% generation %}` of `transformers` marks what to train on; it means nothing here, and `minijinja` lacks it.
fn without_generation_marks(source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("{%") {
        let (tag, behind) = after.split_once("%}").unwrap_or((after, ""));
        kept.push_str(before);
        let is_closed = tag.len() < after.len();
        let replaced = match tag.trim_matches(['-', '+']).trim() {
            "generation" if is_closed => tag.replace("generation", "if true"),
            "endgeneration" if is_closed => tag.replace("endgeneration", "endif"),
            _ => tag.to_owned(),
        };
        kept.push_str("{%");
        kept.push_str(&replaced);
        if is_closed {
            kept.push_str("%}");
        }
        rest = behind;
    }
    kept.push_str(rest);
    kept
}

/// `tojson` as `transformers` has it: JSON as Python writes it. The filter of `minijinja` spells four characters as
/// escapes that are safe in HTML; a model would see them.
fn to_json(value: &Value, indent: Option<Value>, options: Kwargs) -> Result<Value, Error> {
    // Python's other arguments ask for what is done here anyway.
    let indent = indent.or(options.get::<Option<Value>>("indent")?).filter(|indent| !indent.is_none());
    let escaped = minijinja::filters::tojson(value, indent, std::iter::empty::<(&str, Value)>().collect())?;
    let escaped = escaped.as_str().unwrap_or_default();
    let mut text = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        text.push_str(before);
        let plain = match escape.get(..6) {
            Some(r"\u003c") => Some('<'),
            Some(r"\u003e") => Some('>'),
            Some(r"\u0026") => Some('&'),
            Some(r"\u0027") => Some('\''),
            _ => None,
        };
        // An escape is at least two bytes, both ASCII; the second must not be taken for the start of another.
        let n_bytes = if plain.is_some() { 6 } else { 2 };
        match plain {
            Some(c) => text.push(c),
            None => text.push_str(&escape[..n_bytes]),
        }
        rest = &escape[n_bytes..];
    }
    text.push_str(rest);
    Ok(Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(source: &str) -> ChatTemplate {
        ChatTemplate::new(source, "<s>", "</s>").unwrap()
    }

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let messages = [Message::new("system", "Be <kind>."), Message::new("user", "\"Hi\" \\u003c")];
        let found = template(source).render(&messages, true);
        assert_eq!(found.as_deref(), Ok(expected), "`{source}`");
    }

    #[test]
    fn renders_messages_with_the_tokens_of_the_model() {
        check(
            "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m['content'] }}{{ eos_token }}\n{% endfor %}\
             {% if add_generation_prompt %}[assistant]{% endif %}",
            "<s>[system] Be <kind>.</s>\n[user] \"Hi\" \\u003c</s>\n[assistant]",
        );
    }

    #[test]
    fn behaves_as_python_where_templates_rely_on_it() {
        check("{{ messages[0].content.strip('.').upper() }}", "BE <KIND>");
        check("{{ messages[1].content | tojson }}", r#""\"Hi\" \\u003c""#);
        check("{{ ['<', '&', \"'\", '\\\\'] | tojson }}", r#"["<", "&", "'", "\\"]"#);
        check("{{ {'a': 1} | tojson(indent=2) }}", "{\n  \"a\": 1\n}");
        check("{% if tools is not none %}tools{% else %}none{% endif %}", "none");
        check("  {% if true %}\nx\n  {% endif %}\ny\n", "x\ny");
        check("{% for m in messages %}{% if loop.last %}{% break %}{% endif %}a{% endfor %}", "a");
        check("{%- generation -%} a {%- endgeneration %} b", "a b");
        check("{{ strftime_now('%d %b %Y') }}", "26 Jul 2024");
    }

    #[test]
    fn a_template_may_refuse_the_messages() {
        let refusing = template("{{ raise_exception('roles must alternate') }}");
        let error = refusing.render(&[], false).unwrap_err().to_string();
        assert!(error.contains("roles must alternate"), "says why: {error}");
    }

    #[test]
    fn a_hostile_template_comes_to_an_end() {
        for source in [
            "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
            "{% set ns = namespace(x='xxxxxxxx') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
            "{{ 'x' * 99999999 }}{{ 'x' * 99999999 }}{{ 'x' * 99999999 }}",
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "{{ [0] * 99999999 | length }}",
            "{{ 'x' | center(999999999999) }}",
            "{{ '%999999999d' | format(1) }}",
        ] {
            let error = template(source).render(&[], false);
            assert!(matches!(error, Err(RunError::Template { .. })), "`{source}` gave {error:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_template() {
        let nested = format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000));
        let long = " ".repeat(MAX_SOURCE_BYTES + 1);
        for source in ["{% if %}", "{{ x", "{% for %}{% endif %}", "{% unknown %}", &nested, &long] {
            let found = ChatTemplate::new(source, "", "");
            let start: String = source.chars().take(40).collect();
            assert!(matches!(found, Err(LoadError::Template { .. })), "`{start}` gave {found:?}");
        }
    }

    #[test]
    fn a_file_need_not_have_a_template() {
        assert!(ChatTemplate::from_gguf(&Gguf::default()).unwrap().is_none(), "no key, no template");
        let mut gguf = Gguf::default();
        gguf.metadata.insert("tokenizer.chat_template".into(), "{{ bos_token }}".into());
        gguf.metadata.insert("tokenizer.ggml.tokens".into(), vec!["<s>"].into());
        gguf.metadata.insert("tokenizer.ggml.bos_token_id".into(), 0u32.into());
        let template = ChatTemplate::from_gguf(&gguf).unwrap().unwrap();
        assert_eq!(template.render(&[], false).as_deref(), Ok("<s>"), "names the file's token");
        gguf.metadata.insert("tokenizer.ggml.bos_token_id".into(), 7u32.into());
        assert!(ChatTemplate::from_gguf(&gguf).is_err(), "a token outside the vocabulary");
    }
}
