//! Measures the cost of building a folder of documents: from nothing, again, and after one page has changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::Value;

use crate::run;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of documents; default: `docs`.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The folder of a deployed site instead.
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
    /// Print JSON lines on standard output.
    #[arg(long)]
    json: bool,
}

/// One build.
#[derive(Serialize)]
struct Row {
    build: &'static str,
    seconds: f64,
    read_seconds: f64,
    embed_seconds: f64,
    index_seconds: f64,
    pages_read: u64,
    chunks_embedded: u64,
    files_changed: u64,
    bytes_changed: u64,
    peak_memory_mib: u64,
    bundle: String,
}

/// Fails if a bundle depends on the number of threads or on earlier builds.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    run::run(run::cargo().args(["build", "--quiet", "--bin=anchorite"]))?;
    let work = run::target().join("bench-build");
    if work.exists() {
        fs::remove_dir_all(&work)
            .with_context(|| format!("could not empty `{}`", work.display()))?;
    }
    let default = PathBuf::from("docs");
    let (from, flag) = match (&arguments.site, &arguments.dir) {
        (Some(site), _) => (site, Some("--site")),
        (None, dir) => (dir.as_ref().unwrap_or(&default), None),
    };
    let pages = work.join("pages");
    copy(&run::root().join(from), &pages)?;
    let build = |name: &'static str, out: &str, options: &[&str]| -> anyhow::Result<Row> {
        let printed = run::output(
            run::command(run::target().join("debug/anchorite"))
                .arg("build")
                .args(flag)
                .arg(&pages)
                .arg("--bundle")
                .arg(work.join(out))
                .arg("--cache")
                .arg(work.join("cache"))
                .args(["--no-generator", "--json"])
                .args(options),
        )?;
        row(
            name,
            &serde_json::from_str(&printed).context("the summary is not JSON")?,
        )
    };
    let one = build(
        "from nothing, 1 thread",
        "one",
        &["--no-cache", "--threads", "1"],
    )?;
    let two = build(
        "from nothing, 2 threads",
        "two",
        &["--no-cache", "--threads", "2"],
    )?;
    let kept = build(
        "from nothing, 2 threads, kept for later",
        "bundle",
        &["--threads", "2"],
    )?;
    let again = build("again, nothing changed", "bundle", &["--threads", "2"])?;
    let changed = change_one(&pages)?;
    let after = build("again, one page changed", "bundle", &["--threads", "2"])?;
    let check = build(
        "the same from nothing, 2 threads",
        "check",
        &["--no-cache", "--threads", "2"],
    )?;
    eprintln!("changed `{}`", changed.display());
    for (a, b) in [
        (&one, &two),
        (&two, &kept),
        (&kept, &again),
        (&after, &check),
    ] {
        if a.bundle != b.bundle {
            bail!("`{}` and `{}` made different bundles", a.build, b.build);
        }
    }
    let rows = [one, two, kept, again, after, check];
    if arguments.json {
        for row in &rows {
            println!("{}", serde_json::to_string(row)?);
        }
        return Ok(());
    }
    println!(
        "| build | seconds | reading, embedding, indexing | pages read | chunks embedded | files, bytes changed | peak MiB |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for row in &rows {
        println!(
            "| {} | {:.2} | {:.2}, {:.2}, {:.2} | {} | {} | {}, {} | {} |",
            row.build,
            row.seconds,
            row.read_seconds,
            row.embed_seconds,
            row.index_seconds,
            row.pages_read,
            row.chunks_embedded,
            row.files_changed,
            row.bytes_changed,
            row.peak_memory_mib
        );
    }
    println!("\nthe bundles are the same, whatever the threads and the cache");
    Ok(())
}

fn row(build: &'static str, summary: &Value) -> anyhow::Result<Row> {
    let number = |path: &str| {
        let value = summary
            .pointer(path)
            .with_context(|| format!("no `{path}` in the summary"))?;
        value
            .as_f64()
            .with_context(|| format!("`{path}` is no number"))
    };
    let count = |path: &str| {
        summary
            .pointer(path)
            .and_then(Value::as_u64)
            .with_context(|| format!("no count `{path}` in the summary"))
    };
    Ok(Row {
        build,
        seconds: number("/seconds")?,
        read_seconds: number("/steps/read")?,
        embed_seconds: number("/steps/embed")?,
        index_seconds: number("/steps/index")?,
        pages_read: count("/reuse/pages_read")?,
        chunks_embedded: count("/reuse/chunks_embedded")?,
        files_changed: count("/files_changed")?,
        bytes_changed: count("/bytes_changed")?,
        peak_memory_mib: count("/peak_memory_bytes").unwrap_or(0) >> 20,
        bundle: summary["bundle"].as_str().unwrap_or_default().to_owned(),
    })
}

/// Adds a sentence to the middle page in path order.
fn change_one(pages: &Path) -> anyhow::Result<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![pages.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|kind| kind == "md" || kind == "html")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    let path = files
        .get(files.len() / 2)
        .context("no page to change")?
        .clone();
    let mut text = fs::read_to_string(&path)?;
    let sentence = "A sentence that was not here before.";
    match text.find("</main>") {
        Some(at) => text.insert_str(at, &format!("<p>{sentence}</p>")),
        None => text.push_str(&format!("\n\n{sentence}\n")),
    }
    fs::write(&path, text)?;
    Ok(path)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    let entries =
        fs::read_dir(from).with_context(|| format!("could not list `{}`", from.display()))?;
    for entry in entries.flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(&path, &to).with_context(|| format!("could not copy `{}`", path.display()))?;
        }
    }
    Ok(())
}
