//! Merges `anchorite.toml`, the environment and the command line, each taking precedence over the one before, into one
//! set of arguments under the same names.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, Command};
use toml::de::{DeTable, DeValue};

use crate::capped;
use crate::models::choice;
use crate::report::Hint;

/// The file that is read by default.
pub(crate) const FILE_NAME: &str = "anchorite.toml";
/// Names the file, and takes precedence over `anchorite.toml` in the working directory.
const FILE_VARIABLE: &str = "ANCHORITE_CONFIG";
/// Maximum length of a configuration, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// The commands that read a configuration; the others have nothing to configure.
const COMMANDS: [&str; 4] = ["build", "chunk", "embed", "index"];
/// Keys whose values are paths, which are relative to the file's folder.
const PATHS: [&str; 8] = [
    "dir",
    "site",
    "out",
    "bundle",
    "models",
    "cache",
    "models_dir",
    "registry",
];
/// Keys whose values are names or paths.
const NAMES_OR_PATHS: [&str; 3] = ["embedder", "generator", "adapter"];

/// A key of a configuration file, with its value as on the command line: several for a list.
pub type Entry = (String, Vec<String>);

/// Gives the called command its environment variables, and the values of a configuration file as defaults.
///
/// # Errors
/// If the named file can't be read, is not TOML, or has a key that no command knows.
pub(crate) fn prepare(command: Command, arguments: &[OsString]) -> anyhow::Result<Command> {
    let words = || arguments.iter().skip(1).filter_map(|word| word.to_str());
    let Some(name) = words().find(|word| COMMANDS.contains(word)) else {
        return Ok(command);
    };
    let named = words()
        .skip_while(|word| *word != "--config")
        .nth(1)
        .or_else(|| words().find_map(|word| word.strip_prefix("--config=")))
        .map(PathBuf::from)
        .or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from));
    let file = match named {
        Some(path) => Some(path),
        None => Some(PathBuf::from(FILE_NAME)).filter(|path| path.is_file()),
    };
    let mut entries = Vec::new();
    if let Some(path) = file {
        let known = known_keys(&command);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let where_ = |message: String| format!("{}: {message}", path.display());
        let text = read(&path)?;
        entries =
            parse(&text, &known).map_err(|error| Hint::error(where_(error.message), error.hint))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for (key, values) in &mut entries {
            let key = key.as_str();
            for value in values {
                let may_be_name = NAMES_OR_PATHS.contains(&key) && !choice::is_file(value);
                if (PATHS.contains(&key) || NAMES_OR_PATHS.contains(&key)) && !may_be_name {
                    *value = folder.join(&value).to_string_lossy().into_owned();
                }
            }
        }
    }
    let name = name.to_owned();
    Ok(command.mut_subcommand(name, |command| {
        command.mut_args(|argument| configured(argument, &entries))
    }))
}

fn read(path: &Path) -> anyhow::Result<String> {
    let hint = "name a configuration file with --config, or leave it out";
    capped::read(path, MAX_BYTES, hint, std::fs::read_to_string)
}

/// The keys of all commands, because one file may serve several.
fn known_keys(command: &Command) -> Vec<String> {
    let mut keys: Vec<String> = command
        .get_subcommands()
        .filter(|command| COMMANDS.contains(&command.get_name()))
        .flat_map(Command::get_arguments)
        .map(|argument| argument.get_id().to_string())
        .filter(|key| !["config", "help", "version"].contains(&key.as_str()))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// An argument that falls back to its variable, and then to the file. A switch accepts `=false`, so that a flag can
/// override the file.
fn configured(argument: Arg, entries: &[Entry]) -> Arg {
    let key = argument.get_id().to_string();
    let mut argument = match argument.get_action() {
        ArgAction::SetTrue => argument
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .value_name("true|false")
            .value_parser(BoolishValueParser::new())
            .default_missing_value("true")
            .default_value("false")
            .hide_default_value(true)
            .hide_possible_values(true),
        _ => argument,
    };
    if !["help", "version"].contains(&key.as_str()) {
        argument = argument
            .env(format!("ANCHORITE_{}", key.to_uppercase()))
            .hide_env_values(true);
    }
    match entries.iter().find(|(name, _)| *name == key) {
        Some((_, values)) if !values.is_empty() => argument.default_values(values),
        _ => argument,
    }
}

/// A mistake in a configuration, with its line, and advice.
#[derive(Debug)]
pub struct ConfigError {
    /// Place and cause.
    pub message: String,
    /// The correction to write instead.
    pub hint: String,
}

/// Reads a configuration: `key = value` lines of TOML, where a value is text, an integer, true, false, or a list of texts.
///
/// # Errors
/// If the text is not TOML, a key is not among `known`, or a value is of another kind.
pub fn parse(text: &str, known: &[&str]) -> Result<Vec<Entry>, ConfigError> {
    let line = |offset: usize| {
        let before = text.get(..offset.min(text.len())).unwrap_or("");
        before.matches('\n').count() + 1
    };
    let table = DeTable::parse(text).map_err(|error| ConfigError {
        message: format!(
            "line {}: {}",
            line(error.span().map_or(0, |span| span.start)),
            error.message()
        ),
        hint: "write one `key = value` on a line, as TOML has it".to_owned(),
    })?;
    let mut entries = Vec::new();
    for (key, value) in table.get_ref() {
        let line = line(key.span().start);
        let name: &str = key.get_ref();
        if !known.contains(&name) {
            let hint = match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys are: {}", known.join(", ")),
            };
            return Err(ConfigError {
                message: format!("line {line}: unknown key `{name}`"),
                hint,
            });
        }
        let values = match value.get_ref() {
            DeValue::Array(list) => list.iter().map(|item| scalar(item.get_ref())).collect(),
            other => scalar(other).map(|value| vec![value]),
        };
        let values = values.ok_or_else(|| ConfigError {
            message: format!(
                "line {line}: `{name}` has a value of another kind: {}",
                value.get_ref().type_str()
            ),
            hint: "write text in quotes, a whole number, true, false, or a list of texts"
                .to_owned(),
        })?;
        entries.push((name.to_owned(), values));
    }
    Ok(entries)
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(|number| number.to_string()),
        _ => None,
    }
}

/// The known key at the smallest edit distance, if that is less than half of its letters.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let folded = name.to_lowercase().replace('-', "_");
    let (distance, near) = known
        .iter()
        .map(|key| (strsim::damerau_levenshtein(&folded, key), *key))
        .min()?;
    (distance * 2 < near.len()).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["base_url", "exclude_selectors", "strict", "threads"];

    #[test]
    fn values_stand_as_on_the_command_line() {
        let text =
            "base_url = '/docs'\nstrict = true\nthreads = 0x2\nexclude_selectors = ['nav', '.x']\n";
        let mut found = parse(text, &KNOWN).expect("a good configuration");
        found.sort();
        let entry = |key: &str, values: &[&str]| {
            (
                key.to_owned(),
                values
                    .iter()
                    .map(|value| (*value).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            found,
            [
                entry("base_url", &["/docs"]),
                entry("exclude_selectors", &["nav", ".x"]),
                entry("strict", &["true"]),
                entry("threads", &["2"])
            ]
        );
    }

    #[test]
    fn mistakes_are_named_with_line_and_nearest_key() {
        let error = |text: &str| {
            let error = parse(text, &KNOWN).expect_err("a mistake");
            format!("{} / {}", error.message, error.hint)
        };
        assert_eq!(
            error("\nbase-url = ''"),
            "line 2: unknown key `base-url` / did you mean `base_url`?"
        );
        assert_eq!(
            error("strcit = true"),
            "line 1: unknown key `strcit` / did you mean `strict`?"
        );
        assert!(
            error("zzz = 1").contains("the keys are: base_url, "),
            "{}",
            error("zzz = 1")
        );
        assert!(
            error("[strict]\na = 1").contains("another kind: table"),
            "{}",
            error("[strict]")
        );
        assert!(
            error("threads = 1.5").contains("another kind: float"),
            "no float"
        );
        assert!(
            error("strict = true\nstrict = tru").starts_with("line 2: "),
            "{}",
            error("x = =")
        );
    }
}
