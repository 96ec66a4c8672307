//! Lists contradictions between the guide and the sources it describes: options, attributes, events, styles, files,
//! error codes and words of the page that only one of them has, and tables that differ from the results behind them.

mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::run;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only compare, which is the default.
    #[arg(long, conflicts_with = "write")]
    pub(crate) check: bool,
    /// Rewrite the tables from `tests/bench/results`, and compare the rest.
    #[arg(long)]
    pub(crate) write: bool,
}

/// Compares the guide with the sources, with the command line's own help and with the results of measurements.
pub(crate) fn run(is_writing: bool) -> anyhow::Result<()> {
    run::run(run::cargo().args(["build", "--quiet", "--bin=anchorite"]))?;
    let guide = Guide::read()?;
    let sources = read_all(
        &[
            "www/src/elements",
            "www/src/elements/messages",
            "www/src/engine",
            "www/src",
        ],
        "ts",
    )?;
    let mut wrong = tables::check(is_writing)?;
    wrong.extend(options(&guide)?);
    wrong.extend(elements(&guide, &sources));
    let listed = run::output(run::command("node").args(["www/build.mjs", "--list"]))?;
    wrong.extend(files(&guide, &listed));
    wrong.extend(codes(&guide, &sources)?);
    let ask = fs::read_to_string(run::root().join("crate/cli/src/ask.rs"))?;
    wrong.extend(words(&guide, &sources, &ask));
    for contradiction in &wrong {
        eprintln!("{contradiction}");
    }
    if !wrong.is_empty() {
        bail!(
            "the guide contradicts what it describes in {} place(s)",
            wrong.len()
        );
    }
    Ok(())
}

/// The pages of the guide and the README, by name.
struct Guide(BTreeMap<String, String>);

impl Guide {
    fn read() -> anyhow::Result<Self> {
        let mut pages = read_all(&["docs"], "md")?;
        // It quotes figures of other engines, and the options that they were measured with.
        pages.remove("docs/benchmarks.md");
        let readme = run::root().join("README.md");
        pages.insert("README.md".to_owned(), fs::read_to_string(readme)?);
        Ok(Self(pages))
    }

    fn says(&self, text: &str) -> bool {
        self.0.values().any(|page| page.contains(text))
    }
}

/// The files in some folders with this ending, by their path from the root of the checkout.
fn read_all(folders: &[&str], ending: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for folder in folders {
        for entry in fs::read_dir(run::root().join(folder))? {
            let path: PathBuf = entry?.path();
            if path.extension().is_some_and(|found| found == ending) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("could not read `{}`", path.display()))?;
                files.insert(format!("{folder}/{name}"), text);
            }
        }
    }
    Ok(files)
}

/// For each `start` in a text, the characters after it for as long as `belongs` is true.
fn all_after<'t>(
    text: &'t str,
    start: &'t str,
    belongs: fn(char) -> bool,
) -> impl Iterator<Item = &'t str> {
    text.match_indices(start).map(move |(at, _)| {
        let rest = &text[at + start.len()..];
        &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())]
    })
}

fn is_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

/// Options in the help that the guide does not mention, and commands in the guide with options that they do not take.
fn options(guide: &Guide) -> anyhow::Result<Vec<String>> {
    let binary = run::target().join("debug/anchorite");
    let help =
        |arguments: &[&str]| run::output(run::command(&binary).args(arguments).arg("--help"));
    let mut of_command: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut open = vec![Vec::new()];
    while let Some(command) = open.pop() {
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let text = help(&arguments)?;
        let options = all_after(&text, " --", is_name).map(str::to_owned);
        of_command.insert(command.join(" "), options.collect());
        let (_, list) = text.split_once("\nCommands:\n").unwrap_or_default();
        for line in list.lines().take_while(|line| !line.is_empty()) {
            let name = line.split_whitespace().next().unwrap_or_default();
            if line.starts_with("  ") && !line.starts_with("   ") && name != "help" {
                open.push([&command[..], &[name.to_owned()]].concat());
            }
        }
    }
    let mut wrong = Vec::new();
    for (command, options) in &of_command {
        let unsaid = options
            .iter()
            .filter(|option| !["help", "version", ""].contains(&option.as_str()))
            .filter(|option| !guide.says(&format!("--{option}")));
        wrong.extend(unsaid.map(|option| {
            format!("`anchorite {command} --{option}` is not in the guide: describe it in docs/terminal.md")
        }));
    }
    for (page, text) in &guide.0 {
        for line in text.lines() {
            for call in all_after(line, "anchorite ", |c| c != '`' && c != '|') {
                let mut command = String::new();
                for word in call.split_whitespace() {
                    let longer = format!("{command} {word}").trim_start().to_owned();
                    if !of_command.contains_key(&longer) {
                        break;
                    }
                    command = longer;
                }
                if command.is_empty() {
                    continue;
                }
                let unknown = all_after(call, " --", is_name)
                    .filter(|option| !option.is_empty() && !of_command[&command].contains(*option));
                wrong.extend(
                    unknown.map(|option| {
                        format!("{page}: `anchorite {command}` takes no `--{option}`")
                    }),
                );
            }
        }
    }
    Ok(wrong)
}

/// Attributes, events, styles and parts of the elements, compared both ways.
fn elements(guide: &Guide, sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut variables = BTreeSet::new();
    for (path, text) in sources
        .iter()
        .filter(|(path, _)| path.contains("/elements/"))
    {
        let (_, block) = text
            .split_once("static override properties: PropertyDeclarations = {\n")
            .unwrap_or_default();
        let is_public =
            |line: &&str| !line.contains("state: true") && !line.contains("attribute: false");
        // The chat creates these elements itself, so a page sets none of their attributes.
        let is_inner = path.ends_with("-answer.ts") || path.ends_with("-citation.ts");
        for line in block
            .lines()
            .take_while(|line| *line != "  };")
            .filter(is_public)
        {
            let name = line.trim().split(':').next().unwrap_or_default();
            if !is_inner && !name.starts_with("...") && !guide.says(&format!("`{name}`")) {
                wrong.push(format!(
                    "{path}: the attribute `{name}` is not in the guide"
                ));
            }
        }
        for event in all_after(text, "@fires ", is_name) {
            if !guide.says(&format!("`{event}`")) {
                wrong.push(format!("{path}: the event `{event}` is not in the guide"));
            }
        }
        for parts in all_after(text, " part=\"", |c| c != '"' && c != '$') {
            for part in parts.split_whitespace() {
                if !guide.says(&format!("`{part}`")) {
                    wrong.push(format!("{path}: the part `{part}` is not in the guide"));
                }
            }
        }
        variables.extend(all_after(text, "--anchorite-", is_name).map(str::to_owned));
    }
    let unsaid = variables
        .iter()
        .filter(|name| !guide.says(&format!("`--anchorite-{name}`")));
    wrong.extend(
        unsaid.map(|name| format!("the variable `--anchorite-{name}` is not in the guide")),
    );
    for (page, text) in &guide.0 {
        let unknown = all_after(text, "--anchorite-", is_name)
            .filter(|name| !name.is_empty() && !variables.contains(*name));
        wrong.extend(unknown.map(|name| format!("{page}: no element has `--anchorite-{name}`")));
    }
    wrong
}

/// Files that the guide's page on hosting names but the build does not write, or the other way round.
fn files(guide: &Guide, listed: &str) -> Vec<String> {
    let built: BTreeSet<&str> = listed.lines().collect();
    let page = &guide.0["docs/hosting.md"];
    let named: BTreeSet<&str> = all_after(page, "`anchorite", |c| c != '`' && c != ' ')
        .filter(|rest| [".js", ".wasm"].iter().any(|ending| rest.ends_with(ending)))
        .collect();
    let built: BTreeSet<&str> = built
        .into_iter()
        .filter_map(|file| file.strip_prefix("anchorite"))
        .collect();
    let unsaid = built
        .difference(&named)
        .map(|file| format!("docs/hosting.md: `anchorite{file}` is built and not named"));
    let unknown = named
        .difference(&built)
        .map(|file| format!("docs/hosting.md: `anchorite{file}` is named and not built"));
    unsaid.chain(unknown).collect()
}

/// Error codes that a page can meet but the guide does not list, or that the guide lists but no code returns.
fn codes(guide: &Guide, sources: &BTreeMap<String, String>) -> anyhow::Result<Vec<String>> {
    let is_code: fn(char) -> bool = |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let mut given = BTreeSet::new();
    for (path, types) in [
        ("crate/engine/src/error.rs", &["EngineError"][..]),
        ("crate/index/src/error.rs", &["BundleError"]),
        ("crate/model/src/error.rs", &["LoadError", "RunError"]),
    ] {
        let text = fs::read_to_string(run::root().join(path))?;
        for name in types {
            let (_, body) = text
                .split_once(&format!("impl {name} {{"))
                .and_then(|(_, rest)| rest.split_once("fn code(&self) -> &'static str {"))
                .with_context(|| format!("{path}: `{name}` has no codes"))?;
            let body = &body[..body.find("\n    }").unwrap_or(body.len())];
            given.extend(all_after(body, "=> \"", is_code).map(str::to_owned));
        }
    }
    for text in sources.values() {
        let codes = [
            "code: \"",
            "code: status === 404 ? \"",
            "\"file_missing\" : \"",
            "toPlain(thrown, \"",
        ];
        let codes = codes
            .iter()
            .flat_map(|start| all_after(text, start, is_code));
        // A comparison with a code does not return it.
        given.extend(codes.filter(|code| !code.is_empty()).map(str::to_owned));
    }
    // These are built from a rung's name.
    given.extend(
        [
            "keyword_failed",
            "meaning_failed",
            "quote_failed",
            "answer_failed",
        ]
        .map(str::to_owned),
    );
    let page = &guide.0["docs/javascript-api.md"];
    let (_, table) = page
        .split_once("| code | what failed |\n| --- | --- |\n")
        .context("docs/javascript-api.md has no table of error codes")?;
    let listed: BTreeSet<String> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| {
            let cell = line.split('|').nth(1).unwrap_or_default();
            cell.split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let unsaid = given
        .difference(&listed)
        .map(|code| format!("docs/javascript-api.md: the error code `{code}` is not in its table"));
    let unknown = listed
        .difference(&given)
        .map(|code| format!("docs/javascript-api.md: nothing gives the error code `{code}`"));
    Ok(unsaid.chain(unknown).collect())
}

/// Sentences that the guide quotes from the page or the command line, but that neither says.
fn words(guide: &Guide, sources: &BTreeMap<String, String>, ask: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (page, text) in &guide.0 {
        for intro in [
            "says \"",
            "say \"",
            "prints \"",
            "under \"",
            "under the words \"",
            "default is \"",
        ] {
            for quoted in all_after(text, intro, |c| c != '"') {
                let quoted = quoted.replace('\n', " ");
                // A quotation that is not a sentence is an example.
                if !quoted.ends_with('.') && intro != "default is \"" {
                    continue;
                }
                let is_said = sources
                    .values()
                    .map(String::as_str)
                    .chain([ask])
                    .any(|source| source.contains(&quoted));
                if !is_said {
                    wrong.push(format!(
                        "{page}: neither the page nor the terminal says \"{quoted}\""
                    ));
                }
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guide(pages: &[(&str, &str)]) -> Guide {
        let page = |&(name, text): &(&str, &str)| (name.to_owned(), text.to_owned());
        Guide(pages.iter().map(page).collect())
    }

    fn element(text: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(
            "www/src/elements/anchorite-box.ts".to_owned(),
            text.to_owned(),
        )])
    }

    const ELEMENT: &str = "
 * @fires anchorite-done - when it is
  static override properties: PropertyDeclarations = {
    ...BundleElement.properties,
    limit: { type: Number },
    hits: { state: true },
  };
    --_ink: var(--anchorite-ink, black);
    <p part=\"hit first\"></p>";

    #[test]
    fn an_element_and_the_guide_say_the_same() {
        let whole = "`limit` `anchorite-done` `hit` `first` `--anchorite-ink`";
        assert_eq!(
            elements(&guide(&[("a.md", whole)]), &element(ELEMENT)),
            [""; 0]
        );
        for missing in [
            "`limit`",
            "`anchorite-done`",
            "`hit`",
            "`first`",
            "`--anchorite-ink`",
        ] {
            let guide = guide(&[("a.md", &whole.replace(missing, ""))]);
            let wrong = elements(&guide, &element(ELEMENT));
            assert_eq!(wrong.len(), 1, "{missing}: {wrong:?}");
            assert!(wrong[0].contains(missing), "{wrong:?}");
        }
        let more = format!("{whole} `--anchorite-tint`");
        let wrong = elements(&guide(&[("a.md", &more)]), &element(ELEMENT));
        assert_eq!(wrong, ["a.md: no element has `--anchorite-tint`"]);
    }

    #[test]
    fn hosting_names_the_files_that_are_built() {
        let page = "| `anchorite.js` | `anchorite_answers_bg.wasm` | `anchorite serve` |";
        let guide = guide(&[("docs/hosting.md", page)]);
        assert_eq!(
            files(&guide, "anchorite.js\nanchorite_answers_bg.wasm\n"),
            [""; 0]
        );
        let wrong = files(&guide, "anchorite.js\nanchorite-new.js\n");
        assert_eq!(wrong.len(), 2, "one new, one gone: {wrong:?}");
    }

    #[test]
    fn quoted_sentences_are_the_pages_own() {
        let sources = element("silent: \"The documents do not say.\"");
        let said = guide(&[("a.md", "it says \"The documents\ndo not say.\"")]);
        assert_eq!(words(&said, &sources, ""), [""; 0]);
        let other = guide(&[("a.md", "it says \"Nobody knows.\"")]);
        assert_eq!(words(&other, &sources, "").len(), 1);
        assert_eq!(
            words(&other, &sources, "println!(\"Nobody knows.\")"),
            [""; 0]
        );
    }
}
