//! Reads and writes batches of rows as files and streams of Parquet and Arrow IPC.
//!
//! The file's name decides the format: `.parquet`, `.arrow` (the file format), and `-` for an Arrow stream on standard
//! input or output. A folder means all of these files in it.

use std::fs::File;
use std::io::{BufReader, BufWriter, IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::report::Hint;

/// Number of rows in memory at once.
const BATCH_ROWS: usize = 1024;

/// Consecutive batches.
pub(crate) type Batches = Box<dyn Iterator<Item = anyhow::Result<RecordBatch>>>;

/// Reads everything that `paths` name.
pub(crate) fn read(paths: &[PathBuf]) -> anyhow::Result<Batches> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut inside = Vec::new();
            tables_below(path, &mut inside)?;
            if inside.is_empty() {
                return Err(Hint::error(
                    format!("no table in `{}`", path.display()),
                    "give a folder with .parquet or .arrow files",
                ));
            }
            inside.sort();
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    Ok(Box::new(files.into_iter().flat_map(
        |path| match read_file(&path) {
            Ok(batches) => batches,
            Err(error) => Box::new(std::iter::once(Err(error))),
        },
    )))
}

/// The tables of a folder and its subfolders, skipping names that start with `_` or `.`, where engines keep their
/// notes.
fn tables_below(dir: &Path, tables: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let unreadable = || format!("could not list `{}`", dir.display());
    for entry in std::fs::read_dir(dir).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let name = entry.file_name();
        let kind = entry.file_type().with_context(unreadable)?;
        if name.to_string_lossy().starts_with(['_', '.']) {
            continue;
        }
        if kind.is_dir() {
            tables_below(&entry.path(), tables)?;
        } else if format(&entry.path()).is_some() {
            tables.push(entry.path());
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Format {
    Parquet,
    Arrow,
}

fn format(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "parquet" => Some(Format::Parquet),
        "arrow" | "feather" | "ipc" => Some(Format::Arrow),
        _ => None,
    }
}

fn unknown(path: &Path) -> anyhow::Error {
    Hint::error(
        format!("`{}` is no table", path.display()),
        "give a .parquet or .arrow file, or `-` for an Arrow stream",
    )
}

fn read_file(path: &Path) -> anyhow::Result<Batches> {
    let named = path.display().to_string();
    let about = move |error: String| {
        Hint::error(
            format!("could not read `{named}`: {error}"),
            "write the table again; Parquet may be uncompressed or compressed with Snappy",
        )
    };
    if path == Path::new("-") {
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            bail!("standard input is a terminal, not an Arrow stream");
        }
        let reader =
            StreamReader::try_new_buffered(stdin, None).map_err(|e| about(e.to_string()))?;
        return Ok(Box::new(
            reader.map(move |batch| batch.map_err(|e| about(e.to_string()))),
        ));
    }
    let file = File::open(path).map_err(|cause| about(cause.to_string()))?;
    match format(path) {
        Some(Format::Parquet) => {
            let batches = guarded(move || parquet_batches(file)).map_err(&about)?;
            Ok(Box::new(batches.map(move |batch| batch.map_err(&about))))
        }
        Some(Format::Arrow) => {
            let reader = FileReader::try_new(BufReader::new(file), None)
                .map_err(|error| about(error.to_string()))?;
            Ok(Box::new(
                reader.map(move |batch| batch.map_err(|e| about(e.to_string()))),
            ))
        }
        None => Err(unknown(path)),
    }
}

/// Batches of a Parquet file or of its bytes; the error says what is wrong with the file.
fn parquet_batches(
    file: impl parquet::file::reader::ChunkReader + 'static,
) -> Result<Box<dyn Iterator<Item = Result<RecordBatch, String>>>, String> {
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|builder| builder.with_batch_size(BATCH_ROWS).build())
        .map_err(|error| error.to_string())?;
    let mut is_over = false;
    Ok(Box::new(std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let next = guarded(|| Ok(reader.next()));
        let next = match next {
            Ok(None) => return None,
            Ok(Some(Ok(batch))) => return Some(Ok(batch)),
            Ok(Some(Err(error))) => error.to_string(),
            Err(error) => error,
        };
        is_over = true;
        Some(Err(next))
    })))
}

/// Runs a reader and turns a panic into an error: files come from other machines.
fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("its pages contradict each other".to_owned()))
}

/// Reads the rows of chunks or embeddings from a Parquet file in memory, and returns their number.
///
/// # Errors
/// If a file or a row is malformed.
pub fn check_parquet(bytes: Vec<u8>) -> anyhow::Result<usize> {
    let batches =
        guarded(|| parquet_batches(bytes::Bytes::from(bytes))).map_err(anyhow::Error::msg)?;
    let mut n_rows = 0;
    for batch in batches {
        let batch = batch.map_err(anyhow::Error::msg)?;
        n_rows += if batch.column_by_name("vector").is_some() {
            crate::build::arrow_rows::embedding_rows(&batch)?.len()
        } else {
            crate::build::arrow_rows::chunk_rows(&batch)?.len()
        };
    }
    Ok(n_rows)
}

/// A table being written.
pub(crate) enum TableWriter {
    /// To a Parquet file.
    Parquet(Box<ArrowWriter<File>>),
    /// To an Arrow file.
    Arrow(Box<FileWriter<BufWriter<File>>>),
    /// To standard output.
    Stream(Box<StreamWriter<BufWriter<std::io::Stdout>>>),
}

impl TableWriter {
    /// Starts a table.
    pub(crate) fn create(path: &Path, schema: &SchemaRef) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            let stdout = std::io::stdout();
            if stdout.is_terminal() {
                return Err(Hint::error(
                    "standard output is a terminal, and an Arrow stream is not for reading",
                    "give a .parquet or .arrow file with --out, or pipe the output on",
                ));
            }
            let writer = StreamWriter::try_new_buffered(stdout, schema)?;
            return Ok(Self::Stream(Box::new(writer)));
        }
        let format = format(path).ok_or_else(|| unknown(path))?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("could not make `{}`", folder.display()))?;
        }
        let file =
            File::create(path).with_context(|| format!("could not write `{}`", path.display()))?;
        Ok(match format {
            Format::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .build();
                let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
                Self::Parquet(Box::new(writer))
            }
            Format::Arrow => Self::Arrow(Box::new(FileWriter::try_new_buffered(file, schema)?)),
        })
    }

    /// Adds rows.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        match self {
            Self::Parquet(writer) => writer.write(batch)?,
            Self::Arrow(writer) => writer.write(batch)?,
            Self::Stream(writer) => writer.write(batch)?,
        }
        Ok(())
    }

    /// Ends the table; without this call it is incomplete.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Parquet(writer) => {
                writer.close()?;
            }
            Self::Arrow(mut writer) => writer.finish()?,
            Self::Stream(mut writer) => {
                writer.finish()?;
                writer.get_mut().flush()?;
            }
        }
        Ok(())
    }
}
