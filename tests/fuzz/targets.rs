//! Feeds arbitrary bytes to each parser and reader: none may panic, run on, or let control characters through.
//!
//! `fuzz_targets` runs these under libFuzzer, `replay.rs` in every run of the tests.

use std::sync::OnceLock;

use anchorite::unit;
use anchorite_index::bundle::{self, Bundle, Manifest, Role};
use anchorite_index::chunk::{ChunkOptions, chunk_document, chunk_documents};
use anchorite_index::parse::{Addresses, ParseOptions, markdown, read_page};
use anchorite_index::vector::{VectorChoice, VectorOptions};
use anchorite_index::{Index, IndexOptions, SearchOptions, Sort};
use anchorite_model::adapter::{ConvertOptions, Summary, convert};
use anchorite_model::gguf::{Gguf, split};
use anchorite_model::{Adapter, ChatTemplate, Message, ModelConfig, Parts, Tokenizer};
use sha2::{Digest, Sha256};

/// A parser under the name of its corpus.
pub struct Target {
    /// The folder of its corpus.
    pub name: &'static str,
    /// The function under test.
    pub run: fn(&[u8]),
    /// Freshly made valid input, so that a changed format is tested without a new corpus.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: [Target; 18] = [
    Target {
        name: "html",
        run: html,
        seeds: none,
    },
    Target {
        name: "markdown",
        run: markdown_page,
        seeds: none,
    },
    Target {
        name: "text",
        run: text,
        seeds: none,
    },
    Target {
        name: "units",
        run: units,
        seeds: none,
    },
    Target {
        name: "config",
        run: config,
        seeds: none,
    },
    Target {
        name: "judged",
        run: judged,
        seeds: none,
    },
    Target {
        name: "manifest",
        run: manifest,
        seeds: manifest_seeds,
    },
    Target {
        name: "index_file",
        run: index_file,
        seeds: index_seeds,
    },
    Target {
        name: "shards",
        run: shards,
        seeds: shard_seeds,
    },
    Target {
        name: "vectors",
        run: vectors,
        seeds: vector_seeds,
    },
    Target {
        name: "gguf",
        run: gguf,
        seeds: gguf_seeds,
    },
    Target {
        name: "tokenizer",
        run: tokenizer,
        seeds: tokenizer_seeds,
    },
    Target {
        name: "template",
        run: template,
        seeds: none,
    },
    Target {
        name: "lora",
        run: lora,
        seeds: lora_seeds,
    },
    Target {
        name: "peft",
        run: peft,
        seeds: peft_seeds,
    },
    Target {
        name: "registry",
        run: registry,
        seeds: none,
    },
    Target {
        name: "parquet",
        run: parquet,
        seeds: none,
    },
    Target {
        name: "selector",
        run: selector,
        seeds: none,
    },
];

fn none() -> Vec<Vec<u8>> {
    Vec::new()
}

fn page(source: &str, data: &[u8]) {
    for addresses in [Addresses::Files, Addresses::Served] {
        let options = ParseOptions {
            addresses,
            max_bytes: 1 << 20,
            ..ParseOptions::default()
        };
        let Ok(page) = read_page(source, data, &options) else {
            continue;
        };
        let document = &page.document;
        let acts = |text: &str| {
            text.chars().any(|c| {
                (c.is_control() && !"\n\t\r".contains(c)) || "\u{202e}\u{2066}".contains(c)
            })
        };
        assert!(
            !acts(&document.title),
            "control characters in a title: {:?}",
            document.title
        );
        for chunk in chunk_document(0, document, &ChunkOptions::default()) {
            assert!(
                !acts(&chunk.text),
                "control characters in a text: {:?}",
                chunk.text
            );
            assert!(
                chunk.text.len() < 64 << 10,
                "a chunk of {} bytes",
                chunk.text.len()
            );
            std::hint::black_box(chunk.embedding_text(&document.title));
        }
    }
}

/// An HTML page.
pub fn html(data: &[u8]) {
    page("guide/page.html", data);
}

/// A Markdown page, as sections, as HTML, and with its includes, itself among them, inserted.
pub fn markdown_page(data: &[u8]) {
    page("guide/page.md", data);
    if let Ok(text) = std::str::from_utf8(data) {
        let read = |path: &str| (path.len() < 40).then(|| format!("{path}\n{text}"));
        if let Some(included) = markdown::insert_includes("guide/page.md", text, &read) {
            let n = included.text.len();
            assert!(n < (8 << 20) + text.len(), "{n} bytes of {}", text.len());
        }
        let html = markdown::to_html(text, markdown::Anchors::default()).to_ascii_lowercase();
        for markup in ["<script", "javascript:", " onclick="] {
            // Quotes and brackets are escaped in attributes and texts, so these can only be text.
            let escaped = html.replace("&quot;", "").replace("&lt;", "");
            let found = escaped
                .find(markup)
                .filter(|at| is_tag_or_link(&escaped, *at, markup));
            assert!(found.is_none(), "`{markup}` at {found:?} in {html}");
        }
    }
}

/// True if the markup found is inside a tag or a link's address, where it takes effect.
fn is_tag_or_link(html: &str, at: usize, markup: &str) -> bool {
    let before = &html[..at];
    match markup {
        "<script" => true,
        "javascript:" => before.ends_with("href=\"") || before.ends_with("src=\""),
        _ => {
            let tag = &before[before.rfind('<').unwrap_or(0)..];
            !tag.contains('>') && tag.matches('"').count().is_multiple_of(2) && tag.starts_with('<')
        }
    }
}

/// A plain text file.
pub fn text(data: &[u8]) {
    page("notes/page.txt", data);
}

/// A section's text, and a span of it to quote, taken from the first bytes.
pub fn units(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let units = unit::units(text);
    let in_order = units
        .windows(2)
        .all(|pair| pair[0].range.end <= pair[1].range.start);
    assert!(in_order, "units in order: {units:?}");
    let place = |idx: usize| data.get(idx).map_or(0, |byte| usize::from(*byte)) * text.len() / 200;
    let found = unit::quotation(text, place(0)..place(1));
    let holds = |part: &unit::Unit| {
        part.range.start <= found.mark.start && found.mark.end <= part.range.end
    };
    assert_eq!(
        found.parts.iter().any(holds),
        !units.is_empty(),
        "the mark inside: {found:?}"
    );
    for part in &found.parts {
        let words = text.get(part.range.clone()).map(str::trim);
        assert!(
            words.is_some_and(|words| !words.is_empty()),
            "words in {part:?}"
        );
    }
}

/// A configuration file.
pub fn config(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let known = ["base_url", "exclude", "strict", "threads"];
        match anchorite_cli::config::parse(text, &known) {
            Ok(entries) => entries
                .iter()
                .for_each(|(key, _)| assert!(known.contains(&key.as_str()), "`{key}` is known")),
            Err(error) => assert!(
                !error.message.is_empty() && !error.hint.is_empty(),
                "{error:?}"
            ),
        }
    }
}

/// A file of judged questions, in SQuAD's form, as lines, or a site's own.
pub fn judged(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(n_questions) = anchorite_cli::check_judged(text)
    {
        assert!(n_questions > 0, "a file without questions is an error");
    }
}

/// A CSS selector of the owner's.
pub fn selector(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(selector) = anchorite_index::parse::Selector::parse(text) {
        let options = ParseOptions {
            exclude_selectors: vec![selector],
            ..ParseOptions::default()
        };
        let page =
            b"<main id=m class=a><h1>T</h1><p title=x>one<b>two</b></p><ul><li>a<li>b</ul></main>";
        let _ = read_page("a.html", page, &options);
    }
}

/// A bundle's manifest.
pub fn manifest(data: &[u8]) {
    if let Ok(manifest) = Manifest::parse(data) {
        std::hint::black_box(manifest.file(Role::Index));
    }
}

/// A small bundle, with a text in each family of shards.
fn sample() -> &'static Bundle {
    static SAMPLE: OnceLock<Bundle> = OnceLock::new();
    SAMPLE.get_or_init(|| built(VectorChoice::Auto))
}

fn built(choice: VectorChoice) -> Bundle {
    let page = |n: usize| {
        let text = format!(
            "<html lang=en><body data-pagefind-filter='tag:t{n}' data-pagefind-meta='of:{n}'><h1 data-pagefind-sort='n:{n}' id=h>Pump {n}</h1><p>A pump moves water \
             uphill, {n} times. <h2>HashMap::entry</h2><p>\u{6c34}\u{6cf5} snake_case camelCase --no-run</body>"
        );
        let source = format!("p{n}.html");
        read_page(&source, text.as_bytes(), &ParseOptions::default())
            .expect("a good page")
            .document
    };
    let documents: Vec<_> = (0..4).map(page).collect();
    let chunks = chunk_documents(&documents, &ChunkOptions::default());
    let embeddings = (0..chunks.len())
        .map(|n| {
            let mut vector = vec![0.1; 8];
            vector[n % 8] = 1.0;
            vector
        })
        .collect();
    let options = IndexOptions {
        vectors: VectorOptions {
            choice,
            ..VectorOptions::default()
        },
        ..IndexOptions::default()
    };
    let index = Index::build(&documents, chunks, Some(embeddings), &options).expect("an index");
    bundle::write(&index, &[], "0.0.0").expect("a bundle")
}

fn file(role: Role) -> Vec<u8> {
    file_of(sample(), role)
}

fn file_of(bundle: &Bundle, role: Role) -> Vec<u8> {
    let entry = bundle.manifest.file(role).expect("it has the file");
    let bytes = |path: &str| {
        let (_, bytes) = bundle
            .files
            .iter()
            .find(|(other, _)| other == path)
            .expect("its part");
        bytes.clone()
    };
    entry
        .parts
        .iter()
        .flat_map(|part| bytes(&part.path))
        .collect()
}

/// The sample's manifest, changed to vouch for other bytes of a file.
fn vouching(role: Role, bytes: &[u8]) -> Manifest {
    let mut manifest = sample().manifest.clone();
    if let Some(file) = manifest.files.iter_mut().find(|file| file.role == role) {
        let digest = Sha256::digest(bytes);
        file.sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        file.bytes = bytes.len() as u64;
    }
    manifest
}

fn opened() -> Index {
    bundle::read_index(&sample().manifest, &file(Role::Index)).expect("the sample is good")
}

/// An index with all its shards except those in `without`.
fn supplied(without: Option<u32>) -> Index {
    let mut index = opened();
    for shard in index.shards() {
        if Some(shard.id.bits()) != without {
            let (_, bytes) = sample()
                .files
                .iter()
                .find(|(path, _)| *path == shard.path)
                .expect("a shard");
            index
                .insert_shard(shard.id, bytes)
                .expect("the sample is good");
        }
    }
    index
}

fn search(index: &Index) {
    let vector = vec![0.5; index.dimension().unwrap_or(8)];
    for query in [
        "pump water",
        "\"moves water\" hash",
        "wtaer",
        "\u{6c34}\u{6cf5}",
        "entr",
    ] {
        let sorted = SearchOptions {
            sort: Some(Sort {
                by: "n".to_owned(),
                descending: true,
            }),
            ..SearchOptions::default()
        };
        for options in [
            SearchOptions::default(),
            SearchOptions::while_typing(5),
            sorted,
        ] {
            for hit in index.search_loaded(query, Some(&vector), &options).hits {
                std::hint::black_box((index.url(hit.chunk), index.section(hit.chunk)));
            }
        }
    }
}

fn unfolded(bytes: &[u8]) -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec(bytes).expect("DEFLATE")
}

/// The resident part of an index, damaged before compression.
pub fn index_file(data: &[u8]) {
    let bytes = miniz_oxide::deflate::compress_to_vec(data, 1);
    if let Ok(index) = bundle::read_index(&vouching(Role::Index, &bytes), &bytes) {
        search(&index);
    }
    let _ = bundle::read_index(&vouching(Role::Index, data), data);
}

/// Each shard of an index; the first byte picks one.
pub fn shards(data: &[u8]) {
    let Some((which, content)) = data.split_first() else {
        return;
    };
    let all = opened().shards();
    let shard = &all[usize::from(*which) % all.len()];
    let mut index = supplied(Some(shard.id.bits()));
    if index.insert_content(shard.id, content).is_ok() {
        search(&index);
    }
}

/// The vector index with a corrected checksum, so that damage reaches the code behind the check.
pub fn vectors(data: &[u8]) {
    let mut index = opened();
    if bundle::read_vectors(&vouching(Role::Vectors, data), data, &mut index).is_ok() {
        search(&index);
    }
    if let Some(repaired) = with_checksum(data) {
        let mut index = supplied(None);
        if bundle::read_vectors(&vouching(Role::Vectors, &repaired), &repaired, &mut index).is_ok()
        {
            search(&index);
        }
    }
}

/// The same file with the checksum of its own section, as `crate/index/src/bundle` lays both out.
fn with_checksum(data: &[u8]) -> Option<Vec<u8>> {
    type Wire<'b> = (&'b str, u32, u32, [u8; 16], &'b [u8]);
    let (wire, table) = postcard::take_from_bytes::<Wire<'_>>(data).ok()?;
    let (layout, dimension, chunks, _, section) = wire;
    let checksum: [u8; 16] = *Sha256::digest(section).first_chunk()?;
    let mut file = postcard::to_allocvec(&(layout, dimension, chunks, checksum, section)).ok()?;
    file.extend_from_slice(table);
    Some(file)
}

/// A GGUF file, with all of its tensors.
pub fn gguf(data: &[u8]) {
    let parts = Parts::new(vec![data.to_vec()]);
    if let Ok(gguf) = Gguf::parse(&parts) {
        for name in gguf.tensors.keys() {
            let _ = gguf.tensor(&parts, name);
        }
        let _ = ModelConfig::from_gguf(&gguf);
    }
    let _ = split::join(vec![data.to_vec()]);
    let _ = split::join(vec![data.to_vec(), data.to_vec()]);
}

/// A chat template, under its messages.
pub fn template(data: &[u8]) {
    let source = String::from_utf8_lossy(data);
    if let Ok(template) = ChatTemplate::new(&source, "<s>", "</s>") {
        let messages = [
            Message::new("system", "Be brief."),
            Message::new("user", "What is a pump?"),
        ];
        let _ = template.render(&messages, true);
    }
}

/// A GGUF file's tokenizer.
pub fn tokenizer(data: &[u8]) {
    let parts = Parts::new(vec![data.to_vec()]);
    if let Ok(gguf) = Gguf::parse(&parts)
        && let Ok(tokenizer) = Tokenizer::from_gguf(&gguf)
        && let Ok(tokens) = tokenizer.encode("A pump, \u{e9}\u{1f600} moves.", true)
    {
        std::hint::black_box(tokenizer.decode(&tokens));
    }
}

fn tiny() -> super::tiny::Tiny {
    super::tiny::Tiny {
        n_layers: 1,
        n_embd: 32,
        n_heads: 2,
        n_kv_heads: 1,
        n_ff: 32,
        ..super::tiny::Tiny::default()
    }
}

fn tiny_config() -> &'static ModelConfig {
    static CONFIG: OnceLock<ModelConfig> = OnceLock::new();
    CONFIG.get_or_init(|| {
        let gguf = Gguf::parse(&Parts::new(vec![tiny().gguf()])).expect("a good file");
        ModelConfig::from_gguf(&gguf).expect("a good model")
    })
}

/// A LoRA adapter, for a small model and without one.
pub fn lora(data: &[u8]) {
    let parts = Parts::new(vec![data.to_vec()]);
    let is_whole = Adapter::load(&parts, tiny_config()).is_ok();
    let summary = Summary::read(&parts);
    assert!(summary.is_ok() || !is_whole, "{summary:?}");
}

/// PEFT's two files in one: the length of the configuration in two bytes, the configuration, the tensors.
pub fn peft(data: &[u8]) {
    let Some((len, rest)) = data.split_first_chunk() else {
        return;
    };
    let (config, tensors) = rest.split_at(usize::from(u16::from_le_bytes(*len)).min(rest.len()));
    let options = ConvertOptions::default();
    if let Ok(converted) = convert(config, tensors, tiny_config(), &options) {
        let read = Adapter::load(&Parts::new(vec![converted]), tiny_config());
        assert!(read.is_ok(), "what was written is read: {read:?}");
    }
}

/// A registry of models.
pub fn registry(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Err(error) = anchorite_cli::check_registry(text)
    {
        assert!(!format!("{error:#}").is_empty(), "an error says something");
    }
}

/// A Parquet table of chunks or embeddings.
pub fn parquet(data: &[u8]) {
    let _ = anchorite_cli::check_parquet(data.to_vec());
}

fn manifest_seeds() -> Vec<Vec<u8>> {
    sample()
        .files
        .iter()
        .filter(|(path, _)| path == bundle::MANIFEST_PATH)
        .map(|(_, bytes)| bytes.clone())
        .collect()
}

fn index_seeds() -> Vec<Vec<u8>> {
    vec![unfolded(&file(Role::Index))]
}

fn shard_seeds() -> Vec<Vec<u8>> {
    (0_u8..)
        .zip(opened().shards())
        .map(|(which, shard)| {
            let found = sample().files.iter().find(|(path, _)| *path == shard.path);
            let (_, bytes) = found.expect("a shard");
            [vec![which], unfolded(bytes)].concat()
        })
        .collect()
}

fn vector_seeds() -> Vec<Vec<u8>> {
    let shards = file_of(&built(VectorChoice::Shards), Role::Vectors);
    vec![file(Role::Vectors), shards]
}

fn gguf_seeds() -> Vec<Vec<u8>> {
    vec![tiny().gguf()]
}

fn tokenizer_seeds() -> Vec<Vec<u8>> {
    vec![tiny().gguf()]
}

fn lora_seeds() -> Vec<Vec<u8>> {
    vec![tiny().adapter_writer(2, 4.0).finish()]
}

/// Two matrices of the small model, scaled in each of PEFT's ways.
fn peft_seeds() -> Vec<Vec<u8>> {
    let config = br#"{"peft_type":"LORA","r":2,"lora_alpha":4,"use_rslora":true,"bias":"none","rank_pattern":{"v_proj":2},
        "alpha_pattern":{"layers.[0-9].self_attn.q_proj":1},"modules_to_save":null,"init_lora_weights":true}"#;
    let mut header = String::new();
    let mut tensors = Vec::new();
    for (module, n_rows) in [("q_proj", 32), ("v_proj", 16)] {
        for (side, shape) in [("A", [2, 32]), ("B", [n_rows, 2])] {
            let start = tensors.len();
            let values = (0_u8..).map(|n| f32::from(n) / 100.0);
            tensors.extend(values.take(shape[0] * shape[1]).flat_map(f32::to_le_bytes));
            let comma = if start == 0 { "" } else { "," };
            header += &format!(
                r#"{comma}"base_model.model.model.layers.0.self_attn.{module}.lora_{side}.weight":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{start},{}]}}"#,
                tensors.len()
            );
        }
    }
    let header = format!("{{{header}}}");
    let len = u16::try_from(config.len()).expect("short").to_le_bytes();
    let header_len = (header.len() as u64).to_le_bytes();
    let seed = [&len, &config[..], &header_len, header.as_bytes(), &tensors].concat();
    let (config, tensors) = seed[2..].split_at(config.len());
    convert(config, tensors, tiny_config(), &ConvertOptions::default()).expect("good input");
    vec![seed]
}
