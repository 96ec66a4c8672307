//! Turns an adapter's metadata into a voice: the label that visitors choose it by, and the set phrases it was trained
//! to write.
//!
//! The keys are anchorite's own: `anchorite.voice.label`, `.openings` and `.closings`. A file without the label has no
//! voice.

use serde::{Deserialize, Serialize};

use crate::error::LoadError;
use crate::gguf::Gguf;
use crate::gguf::write::Writer;

const LABEL: &str = "anchorite.voice.label";
const OPENINGS: &str = "anchorite.voice.openings";
const CLOSINGS: &str = "anchorite.voice.closings";

/// Longest label, in characters: it has to fit on a button or in a list.
pub const MAX_LABEL: usize = 40;
/// Most phrases of each kind; then the longest phrase, in characters.
const MAX_PHRASES: usize = 16;
const MAX_PHRASE: usize = 120;

/// The style in which an adapter answers. Its phrases may frame what the documents say, but claim nothing themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Voice {
    /// The name that visitors see, at most [`MAX_LABEL`] characters.
    pub label: String,
    /// Phrases that may open an answer or a sentence: a whole sentence, or a lead-in such as `Note:` or `{title} says
    /// that`.
    #[serde(default)]
    pub openings: Vec<String>,
    /// Sentences that may close an answer.
    #[serde(default)]
    pub closings: Vec<String>,
}

impl Voice {
    /// The voice of a LoRA file, if it has one.
    pub(super) fn read(gguf: &Gguf) -> Result<Option<Self>, LoadError> {
        let Some(label) = gguf.opt_string(LABEL)? else {
            return Ok(None);
        };
        let phrases = |key: &str| match gguf.metadata.contains_key(key) {
            true => gguf.strings(key).map(owned),
            false => Ok(Vec::new()),
        };
        let voice = Self {
            label: label.to_owned(),
            openings: phrases(OPENINGS)?,
            closings: phrases(CLOSINGS)?,
        };
        voice.check()?;
        Ok(Some(voice))
    }

    /// Writes the voice into a LoRA file's metadata.
    pub(super) fn write(&self, writer: &mut Writer) {
        writer.set(LABEL, self.label.as_str());
        for (key, phrases) in [(OPENINGS, &self.openings), (CLOSINGS, &self.closings)] {
            if !phrases.is_empty() {
                writer.set(key, phrases.clone());
            }
        }
    }

    /// Refuses texts that a page can't show.
    ///
    /// # Errors
    /// [`LoadError::MetadataValue`], naming the key.
    pub fn check(&self) -> Result<(), LoadError> {
        text(LABEL, &self.label, MAX_LABEL)?;
        for (key, phrases) in [(OPENINGS, &self.openings), (CLOSINGS, &self.closings)] {
            if phrases.len() > MAX_PHRASES {
                let (expected, found) = (format!("at most {MAX_PHRASES} phrases"), phrases.len());
                return Err(refuse(key, expected, found.to_string()));
            }
            for phrase in phrases {
                text(key, phrase, MAX_PHRASE)?;
            }
        }
        Ok(())
    }
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

/// Accepts one line of 1 to `limit` characters that is not blank.
fn text(key: &str, text: &str, limit: usize) -> Result<(), LoadError> {
    let n_chars = text.chars().count();
    if n_chars > limit || text.trim().is_empty() {
        let found = format!("{n_chars} characters");
        return Err(refuse(key, format!("1 to {limit} characters"), found));
    }
    if text.contains(char::is_control) {
        let found = format!("{text:?}");
        return Err(refuse(key, "one line of text".to_owned(), found));
    }
    Ok(())
}

fn refuse(key: &str, expected: String, found: String) -> LoadError {
    LoadError::MetadataValue {
        key: key.to_owned(),
        expected,
        found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::{Adapter, Summary};
    use crate::config::ModelConfig;
    use crate::parts::Parts;
    use crate::tiny::Tiny;

    fn support() -> Voice {
        Voice {
            label: "Support".to_owned(),
            openings: vec!["Good question.".to_owned(), "Note:".to_owned()],
            closings: Vec::new(),
        }
    }

    fn load(writer: &Writer) -> Result<Option<Voice>, LoadError> {
        let gguf = Gguf::parse(&Parts::new(vec![Tiny::default().gguf()])).unwrap();
        let config = ModelConfig::from_gguf(&gguf).unwrap();
        let parts = Parts::new(vec![writer.finish()]);
        let adapter = Adapter::load(&parts, &config)?;
        assert_eq!(Summary::read(&parts)?.voice, adapter.voice, "both readings");
        Ok(adapter.voice)
    }

    #[test]
    fn reads_what_was_written_and_nothing_where_nothing_was() {
        let mut writer = Tiny::default().adapter_writer(4, 8.0);
        assert_eq!(load(&writer).unwrap(), None);
        support().write(&mut writer);
        assert_eq!(load(&writer).unwrap(), Some(support()));
    }

    #[test]
    fn refuses_what_no_page_could_show() {
        for (key, value, message) in [
            (LABEL, "".into(), "1 to 40 characters"),
            (LABEL, "x".repeat(41).into(), "1 to 40 characters"),
            (LABEL, "two\nlines".into(), "one line of text"),
            (OPENINGS, vec![String::new()].into(), "1 to 120 characters"),
            (
                CLOSINGS,
                vec!["x".repeat(121)].into(),
                "1 to 120 characters",
            ),
            (
                OPENINGS,
                vec!["Well:".to_owned(); 17].into(),
                "at most 16 phrases",
            ),
        ] as [(&str, crate::gguf::Value, &str); 6]
        {
            let mut writer = Tiny::default().adapter_writer(4, 8.0);
            support().write(&mut writer);
            writer.unset(key).set(key, value);
            let error = load(&writer).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains(message), "{error}");
        }
        let mut writer = Tiny::default().adapter_writer(4, 8.0);
        support().write(&mut writer);
        writer.unset(OPENINGS).set(OPENINGS, "not a list");
        assert!(load(&writer).is_err(), "of another type");
    }
}
