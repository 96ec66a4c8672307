//! Turns pages, chunks and embeddings into Arrow rows and back: the data passed between the machines of a large build.
//!
//! | rows | columns |
//! |------|---------|
//! | pages | `source` text, `content` bytes |
//! | chunks | those of [`chunk_schema`]: one row per chunk, with the facts of its page |
//! | embeddings | `hash` text, `model` text, `vector` list of f32 |

use std::sync::Arc;

use anchorite::index::chunk::Chunk;
use anchorite::index::document::Document;
use anchorite::index::parse::PageFacts;
use anyhow::{Context, bail};
use arrow_array::builder::{Float32Builder, ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Int32Array, RecordBatch, StringArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::build::cache::{hex, text_key};
use crate::build::read::ChunkedPage;

/// Maximum length of a vector that is read.
const MAX_DIMENSION: usize = 1 << 16;

fn field(name: &str, kind: DataType, nullable: bool) -> Field {
    Field::new(name, kind, nullable)
}

fn list_of(kind: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", kind, true)))
}

/// The columns of chunks. `ordinal` counts a page's chunks from 0, `hash` identifies `embedding_text`, `attributes` is JSON.
pub(crate) fn chunk_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        field("source", DataType::Utf8, false),
        field("url", DataType::Utf8, false),
        field("title", DataType::Utf8, false),
        field("key", DataType::Utf8, false),
        field("copy_of", DataType::Utf8, true),
        field("is_marked", DataType::Boolean, false),
        field("language", DataType::Utf8, true),
        field("weight", DataType::Float32, false),
        field("attributes", DataType::Utf8, false),
        field("sections", DataType::Int32, false),
        field("ordinal", DataType::Int32, false),
        field("id", DataType::Utf8, false),
        field("anchor", DataType::Utf8, true),
        field("headings", list_of(DataType::Utf8), false),
        field("text", DataType::Utf8, false),
        field("hash", DataType::Utf8, false),
        field("embedding_text", DataType::Utf8, false),
    ]))
}

/// The columns of embeddings.
pub(crate) fn embedding_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        field("hash", DataType::Utf8, false),
        field("model", DataType::Utf8, false),
        field("vector", list_of(DataType::Float32), false),
    ]))
}

/// The attributes of a page, as one JSON text.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Attributes {
    filters: std::collections::BTreeMap<String, Vec<String>>,
    meta: std::collections::BTreeMap<String, String>,
    sort: std::collections::BTreeMap<String, String>,
}

/// The rows of one page's chunks.
pub(crate) fn chunk_batch(page: &ChunkedPage) -> anyhow::Result<RecordBatch> {
    let (document, facts, n) = (&page.document, &page.facts, page.chunks.len());
    let count = |n: usize| i32::try_from(n).context("a page with too many chunks");
    let same = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; n])) };
    let maybe = |text: Option<&str>| -> ArrayRef { Arc::new(StringArray::from(vec![text; n])) };
    let each = |text: &dyn Fn(&Chunk) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(page.chunks.iter().map(text)))
    };
    let attributes = serde_json::to_string(&Attributes {
        filters: document.filters.clone(),
        meta: document.meta.clone(),
        sort: document.sort.clone(),
    })?;
    let mut headings = ListBuilder::new(StringBuilder::new());
    for chunk in &page.chunks {
        chunk
            .headings
            .iter()
            .for_each(|heading| headings.values().append_value(heading));
        headings.append(true);
    }
    let embedding_text = |chunk: &Chunk| chunk.embedding_text(&document.title);
    let anchors = page.chunks.iter().map(|chunk| chunk.anchor.as_deref());
    let columns: Vec<ArrayRef> = vec![
        same(&document.source),
        same(&document.url),
        same(&document.title),
        same(&facts.key),
        maybe(facts.copy_of.as_deref()),
        Arc::new(BooleanArray::from(vec![facts.is_marked; n])),
        maybe(document.language.as_deref()),
        Arc::new(Float32Array::from(vec![document.weight; n])),
        same(&attributes),
        Arc::new(Int32Array::from(vec![count(page.n_sections)?; n])),
        Arc::new(Int32Array::from_iter_values(0..count(n)?)),
        each(&|chunk| chunk.id.clone()),
        Arc::new(anchors.collect::<StringArray>()),
        Arc::new(headings.finish()),
        each(&|chunk| chunk.text.clone()),
        each(&|chunk| hex(&text_key(&embedding_text(chunk)))),
        each(&embedding_text),
    ];
    Ok(RecordBatch::try_new(chunk_schema(), columns)?)
}

/// The rows of embeddings; `hashes` and `vectors` are in the same order.
pub(crate) fn embedding_batch(
    hashes: &[&str],
    model: &str,
    vectors: &[Vec<f32>],
) -> anyhow::Result<RecordBatch> {
    let mut lists = ListBuilder::new(Float32Builder::new());
    for vector in vectors {
        lists.values().append_slice(vector);
        lists.append(true);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(hashes.to_vec())),
        Arc::new(StringArray::from(vec![model; hashes.len()])),
        Arc::new(lists.finish()),
    ];
    Ok(RecordBatch::try_new(embedding_schema(), columns)?)
}

/// A text column, in any of the types that engines write for text.
pub(crate) struct TextColumn<'b>(&'b dyn Array);

impl<'b> TextColumn<'b> {
    /// The column of this name.
    pub(crate) fn of(batch: &'b RecordBatch, name: &str) -> anyhow::Result<Self> {
        let column = column(batch, name)?;
        match column.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(Self(column.as_ref())),
            other => bail!("column `{name}` is not text: found `{other}`"),
        }
    }

    /// The text of a row; `None` if it is null.
    pub(crate) fn get(&self, row: usize) -> Option<&'b str> {
        if self.0.is_null(row) {
            return None;
        }
        Some(match self.0.data_type() {
            DataType::Utf8 => self.0.as_string::<i32>().value(row),
            DataType::LargeUtf8 => self.0.as_string::<i64>().value(row),
            _ => self.0.as_string_view().value(row),
        })
    }

    fn need(&self, row: usize, name: &str) -> anyhow::Result<&'b str> {
        self.get(row)
            .with_context(|| format!("column `{name}` has no value in row {row}"))
    }
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> anyhow::Result<&'b ArrayRef> {
    batch.column_by_name(name).with_context(|| {
        let schema = batch.schema();
        let found: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        format!("column `{name}` is missing: found `{}`", found.join("`, `"))
    })
}

/// The bytes of a row of a binary or text column.
pub(crate) fn bytes<'b>(
    batch: &'b RecordBatch,
    name: &str,
    row: usize,
) -> anyhow::Result<&'b [u8]> {
    let column = column(batch, name)?;
    if column.is_null(row) {
        bail!("column `{name}` has no value in row {row}");
    }
    Ok(match column.data_type() {
        DataType::Binary => column.as_binary::<i32>().value(row),
        DataType::LargeBinary => column.as_binary::<i64>().value(row),
        DataType::BinaryView => column.as_binary_view().value(row),
        _ => TextColumn::of(batch, name)?.need(row, name)?.as_bytes(),
    })
}

/// One chunk of one page, as in its row.
pub(crate) struct ChunkRow {
    /// The chunk's position in its page.
    pub(crate) ordinal: i32,
    /// The page, with this chunk only.
    pub(crate) page: ChunkedPage,
}

/// The chunks of a batch.
pub(crate) fn chunk_rows(batch: &RecordBatch) -> anyhow::Result<Vec<ChunkRow>> {
    let text = |name: &str| TextColumn::of(batch, name);
    let [
        source,
        url,
        title,
        key,
        copy_of,
        language,
        attributes,
        id,
        anchor,
        body,
    ] = [
        text("source")?,
        text("url")?,
        text("title")?,
        text("key")?,
        text("copy_of")?,
        text("language")?,
        text("attributes")?,
        text("id")?,
        text("anchor")?,
        text("text")?,
    ];
    let is_marked = column(batch, "is_marked")?
        .as_boolean_opt()
        .context("column `is_marked` is not true or false")?;
    let weight = column(batch, "weight")?
        .as_primitive_opt::<Float32Type>()
        .context("column `weight` is not f32")?;
    let whole = |name: &str| {
        column(batch, name)?
            .as_primitive_opt::<Int32Type>()
            .with_context(|| format!("column `{name}` is not i32"))
    };
    let (sections, ordinal) = (whole("sections")?, whole("ordinal")?);
    let headings = column(batch, "headings")?
        .as_list_opt::<i32>()
        .context("column `headings` is not a list")?;
    let row = |row: usize| -> anyhow::Result<ChunkRow> {
        let attributes: Attributes = serde_json::from_str(attributes.need(row, "attributes")?)
            .with_context(|| {
                format!("column `attributes` is not the JSON it must be in row {row}")
            })?;
        let list = headings.value(row);
        let list = match list.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => TextColumn(list.as_ref()),
            other => bail!("column `headings` holds no texts: found `{other}`"),
        };
        let n_headings = headings.value_length(row);
        let chunk = Chunk {
            id: id.need(row, "id")?.to_owned(),
            document: 0,
            anchor: anchor.get(row).map(str::to_owned),
            headings: (0..usize::try_from(n_headings).unwrap_or(0))
                .map(|at| Ok(list.need(at, "headings")?.to_owned()))
                .collect::<anyhow::Result<_>>()?,
            text: body.need(row, "text")?.to_owned(),
        };
        let document = Document {
            source: source.need(row, "source")?.to_owned(),
            url: url.need(row, "url")?.to_owned(),
            title: title.need(row, "title")?.to_owned(),
            sections: Vec::new(),
            filters: attributes.filters,
            meta: attributes.meta,
            sort: attributes.sort,
            weight: weight.value(row),
            language: language.get(row).map(str::to_owned),
        };
        let facts = PageFacts {
            is_marked: is_marked.value(row),
            key: key.need(row, "key")?.to_owned(),
            copy_of: copy_of.get(row).map(str::to_owned),
            ..PageFacts::default()
        };
        Ok(ChunkRow {
            ordinal: ordinal.value(row),
            page: ChunkedPage {
                document,
                n_sections: usize::try_from(sections.value(row)).unwrap_or(0),
                chunks: vec![chunk],
                n_cut: 0,
                facts,
                unincluded: Vec::new(),
            },
        })
    };
    (0..batch.num_rows()).map(row).collect()
}

/// The embeddings of a batch, as `(hash, model, vector)`.
pub(crate) fn embedding_rows(batch: &RecordBatch) -> anyhow::Result<Vec<(&str, &str, Vec<f32>)>> {
    let (hash, model) = (
        TextColumn::of(batch, "hash")?,
        TextColumn::of(batch, "model")?,
    );
    let vectors = column(batch, "vector")?;
    let vector = |row: usize| -> anyhow::Result<Vec<f32>> {
        if vectors.is_null(row) {
            bail!("column `vector` has no value in row {row}");
        }
        let values = match vectors.data_type() {
            DataType::List(_) => vectors.as_list::<i32>().value(row),
            DataType::LargeList(_) => vectors.as_list::<i64>().value(row),
            DataType::FixedSizeList(..) => vectors.as_fixed_size_list().value(row),
            other => bail!("column `vector` is not a list: found `{other}`"),
        };
        if values.len() > MAX_DIMENSION || values.null_count() > 0 {
            bail!("column `vector` is no embedding in row {row}");
        }
        if let Some(values) = values.as_primitive_opt::<Float32Type>() {
            return Ok(values.values().to_vec());
        }
        // Python's floats have double precision; each came from a single-precision one.
        let values = values
            .as_primitive_opt::<Float64Type>()
            .context("column `vector` holds no floats")?;
        #[expect(clippy::cast_possible_truncation, reason = "they were single before")]
        Ok(values.values().iter().map(|value| *value as f32).collect())
    };
    (0..batch.num_rows())
        .map(|row| {
            Ok((
                hash.need(row, "hash")?,
                model.need(row, "model")?,
                vector(row)?,
            ))
        })
        .collect()
}
