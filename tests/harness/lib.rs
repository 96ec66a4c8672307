//! Provides what tests need (public corpora, devices, small models), so that no test sets it up itself.

pub mod script;
pub mod stories;
pub mod gpu;
pub mod tiny;
pub mod blocks;
pub mod families;
pub mod conformance;
pub mod smollm2;
pub mod pulled;
mod skipped;

use std::io::{Seek, Write};
use std::path::PathBuf;

pub use skipped::skipped;

/// The folder of public test corpora: `ANCHORITE_DATA`, or `../shared/data` next to the checkout.
///
/// Prints `skipped: ...` and returns `None` if it is absent, so that a fresh clone anywhere passes.
pub fn data_dir() -> Option<PathBuf> {
    beside_checkout("data", "ANCHORITE_DATA")
}

/// The folder of reported situations: `ANCHORITE_CASES`, or `../shared/cases` next to the checkout; may be absent, like
/// [`data_dir`].
pub fn cases_dir() -> Option<PathBuf> {
    beside_checkout("cases", "ANCHORITE_CASES")
}

fn beside_checkout(name: &str, variable: &str) -> Option<PathBuf> {
    let default = root().join("../shared").join(name);
    let dir = std::env::var_os(variable).map_or(default, PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    skipped(&format!(
        "no public test {name} at {}; set {variable}",
        dir.display()
    ));
    None
}

/// True if `ANCHORITE_GOLDEN=all` asks for every comparison, some of which take minutes; without it the tests take a sample.
pub fn compares_all() -> bool {
    std::env::var_os("ANCHORITE_GOLDEN").is_some_and(|which| which == "all")
}

/// The root of the checkout.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Normalised mean squared error: the power of the difference over that of the expected values.
pub fn nmse(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len(), "as many values as expected");
    let power =
        |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let error = power(
        &mut found
            .iter()
            .zip(expected)
            .map(|(a, b)| f64::from(*a) - f64::from(*b)),
    );
    error / power(&mut expected.iter().map(|value| f64::from(*value)))
}

/// A finished run of the command line: its output and exit code.
pub struct Run {
    /// The exit code: 0 done, 1 done with warnings under `--strict`, 2 failed.
    pub code: i32,
    /// Its data.
    pub stdout: String,
    /// Its progress, warnings and errors.
    pub stderr: String,
}

impl Run {
    /// Asserts that it failed with each of `expected` in its message, and a hint.
    #[track_caller]
    pub fn fails(&self, expected: &[&str]) {
        assert_eq!(self.code, 2, "{}{}", self.stdout, self.stderr);
        for expected in expected.iter().chain(&["hint: "]) {
            assert!(
                self.stderr.contains(expected),
                "expected `{expected}` in: {}",
                self.stderr
            );
        }
    }

    /// Asserts that it succeeded.
    #[track_caller]
    pub fn works(&self) {
        assert_eq!(self.code, 0, "{}", self.stderr);
    }
}

/// A folder of pages, deleted when this value is dropped, and the command line to run on it.
pub struct Site {
    dir: tempfile::TempDir,
}

impl Site {
    /// A site with these pages, as `(path, bytes)`.
    pub fn new(pages: &[(&str, &[u8])]) -> Site {
        let site = Site {
            dir: tempfile::tempdir().expect("a temporary folder"),
        };
        std::fs::create_dir(site.pages()).expect("the folder of pages");
        for (path, bytes) in pages {
            site.write(path, bytes);
        }
        site
    }

    /// Adds a page.
    pub fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.pages().join(path);
        let folder = path.parent().expect("a page lies in a folder");
        std::fs::create_dir_all(folder).expect("the page's folder");
        std::fs::write(path, bytes).expect("the page");
    }

    /// The folder of pages.
    pub fn pages(&self) -> PathBuf {
        self.dir.path().join("pages")
    }

    /// The folder that `build` writes.
    pub fn bundle(&self) -> PathBuf {
        self.dir.path().join("bundle")
    }

    /// A path next to the pages, for a test's own files.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Builds the bundle from a folder of documents, without a generator, with `extra` arguments.
    pub fn build(&self, extra: &[&str]) -> Run {
        let pages = self.pages();
        self.build_with(&[&[path_text(&pages)], extra].concat())
    }

    /// Builds the bundle from the pages as a deployed site, with `extra` arguments.
    pub fn build_site(&self, extra: &[&str]) -> Run {
        let pages = self.pages();
        self.build_with(&[&["--site", path_text(&pages)], extra].concat())
    }

    fn build_with(&self, arguments: &[&str]) -> Run {
        let (bundle, cache) = (self.bundle(), self.beside("cache"));
        let mut all = vec!["build", "--bundle", path_text(&bundle)];
        if !arguments.contains(&"--no-cache") {
            all.extend(["--cache", path_text(&cache)]);
        }
        all.extend(arguments);
        anchorite(&all)
    }

    /// The answers to `questions`, in order; `ask` gets `extra` arguments.
    #[track_caller]
    pub fn answers(&self, questions: &[&str], extra: &[&str]) -> Vec<serde_json::Value> {
        let bundle = self.bundle();
        let words = [&["ask", path_text(&bundle), "--json", "-"], extra].concat();
        let run = anchorite_reading(&questions.join("\n"), &words);
        run.works();
        let answers: Vec<serde_json::Value> = run
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("an answer a line"))
            .collect();
        assert_eq!(answers.len(), questions.len(), "one each");
        answers
    }

    /// Runs `command BUNDLE words`.
    pub fn run(&self, command: &str, words: &[&str]) -> Run {
        let bundle = self.bundle();
        let mut arguments = vec![command, path_text(&bundle)];
        arguments.extend(words);
        anchorite(&arguments)
    }
}

/// Runs the command line, which `cargo xtask test` has built.
pub fn anchorite(arguments: &[&str]) -> Run {
    anchorite_in(&root(), &[], arguments)
}

/// Runs the command line in a folder, with environment variables.
pub fn anchorite_in(dir: &std::path::Path, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    let mut command = std::process::Command::new(program());
    command.current_dir(dir).envs(variables.iter().copied());
    finish(command.args(arguments))
}

/// Runs the command line with at most `seconds` of processor time and `kilobytes` of address space.
pub fn anchorite_limited((seconds, kilobytes): (u32, u32), arguments: &[&str]) -> Run {
    let limits = format!("ulimit -t {seconds} -v {kilobytes} && exec \"$0\" \"$@\"");
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &limits]).arg(program());
    finish(command.args(arguments))
}

/// Runs the command line, with `input` on its standard input.
pub fn anchorite_reading(input: &str, arguments: &[&str]) -> Run {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(input.as_bytes()).expect("the input");
    file.rewind().expect("a file can be rewound");
    let mut command = std::process::Command::new(program());
    finish(command.args(arguments).stdin(file))
}

/// Runs the command line with a standard output that is closed at once; returns its standard error.
pub fn anchorite_unread(arguments: &[&str]) -> String {
    let mut command = std::process::Command::new(program());
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = command.args(arguments).stdout(writer).output();
    String::from_utf8(output.expect("the program starts").stderr).expect("standard error is UTF-8")
}

/// Runs a copy of the command line that lies in a folder, as an unpacked release does.
pub fn anchorite_installed_in(dir: &std::path::Path, arguments: &[&str]) -> Run {
    let copy = dir.join("anchorite");
    // A copy that is still open for writing in a process that another test forks could not be started.
    if !copy.exists() && std::fs::hard_link(program(), &copy).is_err() {
        std::fs::copy(program(), &copy).expect("room for a copy");
    }
    finish(std::process::Command::new(copy).args(arguments))
}

fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    // target/debug/deps/site-<hash> -> target/debug/anchorite
    let program = test
        .ancestors()
        .nth(2)
        .expect("the target folder")
        .join("anchorite");
    assert!(
        program.exists(),
        "{} is not built: run `cargo build --bin anchorite` first",
        program.display()
    );
    program
}

fn finish(command: &mut std::process::Command) -> Run {
    let output = command.output().expect("the program starts");
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
    }
}

/// A path as an argument.
pub fn path_text(path: &std::path::Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}
