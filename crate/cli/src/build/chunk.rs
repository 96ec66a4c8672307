//! Turns pages into rows of chunks: a map that any engine can run in parts, leaving decisions that span pages to
//! `anchorite index`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use rayon::prelude::*;

use crate::build::arrow_rows::{self, TextColumn};
use crate::build::book::Books;
use crate::build::folder::bar;
use crate::build::read::{Outcome, Reading};
use crate::build::table_io::{self, TableWriter};
use crate::build::walk;
use crate::build::warnings::Warnings;
use crate::settings::{PageArguments, use_threads};

/// Number of pages read before their rows are written.
const PAGES_AT_ONCE: usize = 256;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) pages: PageArguments,
    /// Read pages from a table with columns `source` and `content` instead of a folder: a .parquet or .arrow file, or `-`
    /// for an Arrow stream on standard input. `--site` then only says how they are addressed.
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Where the table of chunks goes: a .parquet or .arrow file, or `-` for an Arrow stream on standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    use_threads(arguments.pages.threads)?;
    let options = arguments.pages.parse_options()?;
    let books = match arguments.table {
        Some(_) => None,
        None => Some(Books::new(arguments.pages.folder()?.0)),
    };
    let reading = Reading {
        options: &options,
        books: books.as_ref(),
        max_chunks: arguments.pages.max_page_chunks,
        cache: None,
    };
    let mut table = Table {
        writer: TableWriter::create(&arguments.out, &arrow_rows::chunk_schema())?,
        warnings: Warnings::default(),
        n_pages: 0,
        n_chunks: 0,
        n_left_out: 0,
    };
    match &arguments.table {
        Some(path) => from_table(path, &reading, &mut table)?,
        None => {
            let (files, unlisted) = walk::pages(&arguments.pages, None)?;
            for (path, error) in &unlisted {
                table.warnings.add_error(path, error);
            }
            let progress = bar(files.len(), "reading");
            for files in files.chunks(PAGES_AT_ONCE) {
                for (file, (outcome, _)) in files.iter().zip(reading.files(files, &progress)) {
                    table.add(&file.source, outcome)?;
                }
            }
            progress.finish_and_clear();
        }
    }
    table.writer.finish()?;
    table.warnings.print();
    eprintln!(
        "{} pages, {} chunks; {} page(s) left out, {} warning(s)",
        table.n_pages,
        table.n_chunks,
        table.n_left_out,
        table.warnings.count()
    );
    let is_failure = arguments.pages.strict && table.warnings.count() > 0;
    Ok(ExitCode::from(u8::from(is_failure)))
}

fn from_table(path: &Path, reading: &Reading<'_>, table: &mut Table) -> anyhow::Result<()> {
    for batch in table_io::read(&[path.to_owned()])? {
        let batch = batch?;
        let source = TextColumn::of(&batch, "source")?;
        let pages: Vec<(&str, &[u8])> = (0..batch.num_rows())
            .map(|row| {
                let source = source
                    .get(row)
                    .with_context(|| format!("row {row} has no source"))?;
                if source.starts_with('/') || source.split('/').any(|part| part == "..") {
                    bail!("the source of row {row} is no path below a site: `{source}`");
                }
                Ok((source, arrow_rows::bytes(&batch, "content", row)?))
            })
            .collect::<anyhow::Result<_>>()?;
        let outcomes: Vec<Outcome> = pages
            .par_iter()
            .map(|(source, bytes)| reading.bytes(source, bytes))
            .collect();
        for ((source, _), outcome) in pages.into_iter().zip(outcomes) {
            table.add(source, outcome)?;
        }
    }
    Ok(())
}

/// The table of chunks, with the warnings and counts from making it.
struct Table {
    writer: TableWriter,
    warnings: Warnings,
    n_pages: usize,
    n_chunks: usize,
    n_left_out: usize,
}

impl Table {
    fn add(&mut self, source: &str, outcome: Outcome) -> anyhow::Result<()> {
        match outcome {
            Outcome::Page(page) => {
                self.n_pages += 1;
                self.n_chunks += page.chunks.len();
                self.writer.write(&arrow_rows::chunk_batch(&page)?)?;
            }
            Outcome::LeftOut(_) => self.n_left_out += 1,
            Outcome::Bad(error) => self.warnings.add_error(source, &error),
        }
        Ok(())
    }
}
