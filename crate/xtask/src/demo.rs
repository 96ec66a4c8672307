//! Serves a page that answers from a folder of documents on this machine, and asks it questions when told to check.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::{page, run, setup};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of Markdown or HTML pages; default: the user guide.
    #[arg(long, default_value = "docs")]
    site: PathBuf,
    /// The port on 127.0.0.1.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Open the page headless, ask the questions of `tests/fixtures/questions`, print and exit.
    #[arg(long)]
    check: bool,
    /// With `--check`: JSON lines on standard output.
    #[arg(long)]
    json: bool,
    /// With `--check`: how many questions are asked in full; all of them are searched. WebGPU gets [`N_ON_WEBGPU`] of them.
    #[arg(long, default_value_t = 1000)]
    asked: usize,
    /// The generator: a name that `anchorite models` lists, which is pulled, a GGUF file, or `none`.
    #[arg(long, default_value = setup::GENERATOR)]
    generator: String,
}

/// Questions that are asked in full on WebGPU: a software adapter takes half a minute for each.
const N_ON_WEBGPU: usize = 2;

impl Arguments {
    /// `--check --json` of a site, as the tests run it.
    pub(crate) fn checking(site: &str) -> Arguments {
        Arguments {
            site: run::root().join(site),
            port: 0,
            check: true,
            json: true,
            asked: 8,
            generator: setup::GENERATOR.to_owned(),
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let site = arguments
        .site
        .canonicalize()
        .with_context(|| format!("there is no folder `{}`", arguments.site.display()))?;
    let questions = questions(&site)?;
    page::build()?;
    let generator = generator(&arguments.generator)?;
    let (folder, summary) = assemble(&site, questions.as_ref(), generator)?;
    if arguments.check {
        let Some((path, _)) = questions else {
            bail!(
                "no file in `tests/fixtures/questions` names the corpus `{}`",
                corpus_name(&site)
            );
        };
        let backends: &[&str] = match generator {
            "none" => &["auto"],
            _ => &["webgpu", "auto"],
        };
        return check(&folder, &path, &summary, backends, arguments);
    }
    let mut server = serve(&folder, arguments.port)?;
    eprintln!("serving `{}`; stop with Ctrl+C", site.display());
    println!("{}", server.address);
    server.child.wait().context("the server stopped")?;
    Ok(())
}

/// The page's generator: the one asked for, or none if it is unavailable.
fn generator(wanted: &str) -> anyhow::Result<&str> {
    if wanted == setup::GENERATOR && !setup::generator()? {
        eprintln!("the page answers with quotations alone");
        return Ok("none");
    }
    Ok(wanted)
}

/// Pages for the README's screenshots: a site, a name for its pictures, and a question.
const SHOTS: [(&str, &str, &str); 4] = [
    ("docs", "demo", "What happens when the GPU device is lost?"),
    (
        "www/demo/voices/support",
        "support",
        "How long is the warranty on lamps?",
    ),
    (
        "www/demo/voices/reviewer",
        "reviewer",
        "What must a bug fix come with?",
    ),
    (
        "www/demo/voices/research",
        "research",
        "How deep is the channel at low tide?",
    ),
];

/// Takes the screenshots for the README: of the page with the user guide, and of one for each voice.
pub(crate) fn shots() -> anyhow::Result<()> {
    page::build()?;
    let generator = generator(setup::GENERATOR)?;
    for (site, name, question) in SHOTS {
        let site = run::root().join(site);
        let questions = questions(&site)?;
        let (folder, _) = assemble(&site, questions.as_ref(), generator)?;
        let server = serve(&folder, 0)?;
        run::run(
            run::command("node")
                .args(["www/shots.mjs", "--url", &server.address])
                .args(["--out", "docs/images", "--name", name])
                .args(["--question", question])
                .env("ANCHORITE_CHROMIUM", setup::chromium()?),
        )?;
    }
    Ok(())
}

/// The corpus's name, taken from its folder; in a public checkout the pages may be in a subfolder `raw` or `src`.
pub(crate) fn corpus_name(site: &Path) -> String {
    site.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The question file for the corpus of that name, if there is one.
fn questions(site: &Path) -> anyhow::Result<Option<(PathBuf, Value)>> {
    let path = run::root().join(format!(
        "tests/fixtures/questions/{}.json",
        corpus_name(site)
    ));
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path)
        .with_context(|| format!("could not read `{}`", path.display()))?;
    let value = serde_json::from_str(&text)
        .with_context(|| format!("could not read `{}`", path.display()))?;
    Ok(Some((path, value)))
}

/// Puts the page, the bundle and the rendered documents into one folder; returns it with the build's summary.
fn assemble(
    site: &Path,
    questions: Option<&(PathBuf, Value)>,
    generator: &str,
) -> anyhow::Result<(PathBuf, Value)> {
    let folder = run::target().join("demo").join(corpus_name(site));
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("could not empty `{}`", folder.display()))?;
    }
    copy_folder(&run::root().join("www/dist"), &folder)?;
    eprintln!("building the command line");
    run::run(run::cargo().args(["build", "--quiet", "--bin=anchorite"]))?;
    let pages = folder.join("pages");
    let adapters: &[&str] = match generator == setup::GENERATOR {
        true => &setup::ADAPTERS,
        false => &[],
    };
    let summary = run::output(
        Command::new(anchorite())
            .arg("build")
            .arg(documents_root(site))
            .arg("--json")
            .args(["--generator", generator])
            .args(adapters.iter().flat_map(|name| ["--adapter", name]))
            .arg("--out")
            .arg(&pages),
    )?;
    let summary: Value =
        serde_json::from_str(&summary).context("the build's summary is not JSON")?;
    let title = match corpus_name(site).as_str() {
        "docs" => "The anchorite guide".to_owned(),
        "support" => "Help pages of a lamp shop".to_owned(),
        "reviewer" => "A team's rules for its code".to_owned(),
        "research" => "Sources on a harbour".to_owned(),
        name => name.to_owned(),
    };
    let examples: Vec<&Value> = questions
        .and_then(|(_, questions)| questions["questions"].as_array())
        .map(|questions| {
            questions
                .iter()
                .take(4)
                .map(|question| &question["question"])
                .collect()
        })
        .unwrap_or_default();
    let voice = adapters
        .iter()
        .find(|name| name.ends_with(&format!("-{}", corpus_name(site))));
    let demo = json!({ "title": title, "questions": examples, "voice": voice });
    fs::write(folder.join("demo.json"), demo.to_string()).context("could not write `demo.json`")?;
    Ok((folder, summary))
}

/// The folder below `site` that holds all its pages: folders on the way down that contain only another folder are skipped.
///
/// `book/raw/src/a.md` then has the address `a.html`, as on the book's own site.
pub(crate) fn documents_root(site: &Path) -> PathBuf {
    let mut root = site.to_owned();
    while let Ok(entries) = fs::read_dir(&root) {
        let entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        let is_page = |path: &&PathBuf| {
            path.extension()
                .is_some_and(|extension| extension == "md" || extension == "html")
        };
        // A note about the corpus's origin next to the folder is not one of its pages.
        let has_pages = entries
            .iter()
            .filter(is_page)
            .any(|path| path.file_name().is_none_or(|name| name != "ORIGIN.md"));
        let folders: Vec<&PathBuf> = entries.iter().filter(|path| path.is_dir()).collect();
        match folders.as_slice() {
            [folder] if !has_pages => root = (*folder).clone(),
            _ => break,
        }
    }
    root
}

fn anchorite() -> PathBuf {
    run::target().join("debug/anchorite")
}

/// A server that stops when this value is dropped.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have stopped by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(folder: &Path, port: u16) -> anyhow::Result<Server> {
    let mut child = Command::new(anchorite())
        .arg("serve")
        .arg(folder)
        .arg("--strict-csp")
        .args(["--port", &port.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start `anchorite serve`")?;
    let stdout = child
        .stdout
        .take()
        .context("the server has no standard output")?;
    let mut address = String::new();
    BufReader::new(stdout)
        .read_line(&mut address)
        .context("the server printed no address")?;
    let server = Server {
        child,
        address: address.trim().to_owned(),
    };
    if server.address.is_empty() {
        bail!("the server did not start; its error stands above");
    }
    Ok(server)
}

/// Opens the page once for each backend: a requested one, or the page's own choice (`auto`).
fn check(
    folder: &Path,
    questions: &Path,
    summary: &Value,
    backends: &[&str],
    arguments: &Arguments,
) -> anyhow::Result<()> {
    let server = serve(folder, 0)?;
    let chromium = setup::chromium()?;
    println!("{}", json!({ "kind": "build", "summary": summary }));
    for backend in backends {
        let asked = match *backend {
            "webgpu" => arguments.asked.min(N_ON_WEBGPU),
            _ => arguments.asked,
        };
        run::run(
            run::command("node")
                .arg("tests/browser/check.mjs")
                .args([
                    "--url",
                    &server.address,
                    "--backend",
                    backend,
                    "--mode",
                    "ask",
                ])
                .args(["--limit", &asked.to_string()])
                .args(arguments.json.then_some("--json"))
                .arg("--questions")
                .arg(questions)
                .env("ANCHORITE_CHROMIUM", &chromium),
        )?;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("could not make `{}`", to.display()))?;
    for entry in
        fs::read_dir(from).with_context(|| format!("could not read `{}`", from.display()))?
    {
        let path = entry
            .with_context(|| format!("could not read `{}`", from.display()))?
            .path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            fs::copy(&path, &target)
                .with_context(|| format!("could not copy `{}`", path.display()))?;
        }
    }
    Ok(())
}
