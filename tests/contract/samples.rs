//! One value of everything that crosses into JavaScript, as serde writes it, in a TypeScript file that must compile.

use std::collections::BTreeMap;

use anchorite::answer::{Mark, Timing, Window};
use anchorite::gate::Evidence;
use anchorite::index::bundle::{
    Calibration, FORMAT, FileEntry, Manifest, PartEntry, ReliabilityBin, Role, ShardTotals,
};
use anchorite::index::{Shard, ShardId, Similarity};
use anchorite::model::generate::Backend;
use anchorite::read::Signs;
use anchorite::{
    Answer, AskEvent, FilterValues, Found, Outcome, Passage, Quote, SearchResult, Sentence, Written,
};
use serde_json::{Value, json};

/// The file that the type checker reads.
pub(crate) const FILE: &str = "tests/browser/contract/samples.ts";

const HEAD: &str = "// Values as the engine sends them, made from Rust by `cargo xtask contract`: they compile only if the page's types describe them.
import type { Answer, AskEvent, AskOptions, FilterValues, Found, Manifest } from \"../../../www/src/engine/wire.js\";
";

/// The whole file.
pub(crate) fn render() -> String {
    let plain = |value: serde_json::Result<Value>| value.expect("it has a JSON form");
    let values = [
        (
            "manifest",
            "Manifest",
            plain(serde_json::to_value(manifest())),
        ),
        ("found", "Found", plain(serde_json::to_value(found()))),
        (
            "filters",
            "FilterValues",
            plain(serde_json::to_value(filters())),
        ),
        ("options", "Required<AskOptions>", options()),
        (
            "events",
            "readonly AskEvent[]",
            plain(serde_json::to_value(events())),
        ),
        (
            "answers",
            "readonly Answer[]",
            plain(serde_json::to_value(answers())),
        ),
    ];
    let mut file = HEAD.to_owned();
    for (name, kind, value) in values {
        let text = serde_json::to_string_pretty(&value).expect("it has a JSON form");
        file.push_str(&format!("\nexport const {name}: {kind} = {text};\n"));
    }
    file
}

/// Every option of `ask`, each with another value than it has by default.
pub(crate) fn options() -> Value {
    json!({
        "passages": 3,
        "maxTokens": 7,
        "temperature": 0.5,
        "topK": 20,
        "topP": 0.5,
        "minP": 0.25,
        "repetitionPenalty": 1.5,
        "seed": 26,
        "promptLookup": false,
        "lock": false,
        "prompt": "long",
        "generate": false,
        "adapter": false,
        "voice": "support.gguf",
        "history": [{ "question": "When?", "answer": "In May.", "headings": ["Compost"] }],
    })
}

fn manifest() -> Manifest {
    let part = PartEntry {
        path: "files/0123456789abcdef.gguf".to_owned(),
        bytes: 5,
        sha256: "0".repeat(64),
    };
    let file = FileEntry {
        role: Role::Adapter,
        name: "support.gguf".to_owned(),
        label: Some("Support".to_owned()),
        bytes: 5,
        sha256: "0".repeat(64),
        parts: vec![part],
    };
    Manifest {
        format: FORMAT,
        anchorite: "0.1.0".to_owned(),
        id: "0".repeat(64),
        documents: 1,
        chunks: 2,
        embedding_dimension: Some(384),
        similarity: Some(Similarity {
            mean: 0.75,
            deviation: 0.0234375,
            near: 0.5,
        }),
        shards: ShardTotals { count: 1, bytes: 9 },
        calibration: Some(Calibration {
            answered: 0.5,
            closest: 0.25,
            questions: 30,
            claimed: 10,
            wrong: 1,
            risk: 0.25,
            reliability: vec![ReliabilityBin {
                probability: 0.5,
                questions: 30,
                right: 20,
            }],
        }),
        files: vec![
            file.clone(),
            FileEntry {
                label: None,
                ..file
            },
        ],
    }
}

fn found() -> Found {
    Found {
        results: vec![SearchResult {
            id: "compost.md#1".to_owned(),
            url: "compost.html#turning".to_owned(),
            title: "Compost".to_owned(),
            headings: vec!["Compost".to_owned(), "Turning".to_owned()],
            snippet: "Turn the heap.".to_owned(),
            language: Some("en-GB".to_owned()),
            score: 0.5,
            meta: BTreeMap::from([("date".to_owned(), "2026-05-11".to_owned())]),
        }],
        terms: vec!["heap".to_owned()],
        missing: vec![Shard {
            id: ShardId::from_bits(3).expect("a name"),
            path: "files/0123456789abcdef.bin".to_owned(),
            bytes: 9,
        }],
    }
}

fn filters() -> FilterValues<'static> {
    FilterValues {
        missing: Vec::new(),
        filters: BTreeMap::from([("tags", BTreeMap::from([("garden", 2)]))]),
    }
}

fn passage() -> Passage {
    Passage {
        number: 1,
        id: "compost.md#1".to_owned(),
        url: "compost.html#turning".to_owned(),
        title: "Compost".to_owned(),
        headings: vec!["Turning".to_owned()],
        text: "Turn the heap every three weeks.".to_owned(),
        language: None,
        section: "not sent".to_owned(),
        chunk: 1,
        score: 0.5,
    }
}

fn quote() -> Quote {
    Quote {
        text: "Turn the heap every three weeks.".to_owned(),
        passage: 1,
        mark: Some(Mark { start: 14, end: 31 }),
    }
}

fn backend() -> Backend {
    Backend {
        kind: "webgpu",
        device: "llvmpipe".to_owned(),
        reason: "asked for by the page".to_owned(),
    }
}

fn events() -> Vec<AskEvent> {
    vec![
        AskEvent::Sources {
            passages: vec![passage()],
        },
        AskEvent::Quote {
            quote: Some(quote()),
            outcome: Outcome::Answered,
        },
        AskEvent::Quote {
            quote: None,
            outcome: Outcome::Absent,
        },
        AskEvent::Text {
            text: "Every".to_owned(),
        },
        AskEvent::Restarted {
            on: "gpu",
            code: "device_lost",
            reason: "unplugged".to_owned(),
        },
        AskEvent::Backend { backend: backend() },
    ]
}

/// One answer with everything, and one with nothing: no reader, no generator, nothing found.
fn answers() -> [Answer; 2] {
    let full = Answer {
        question: "How often?".to_owned(),
        asked: "How often is the heap turned?".to_owned(),
        is_unclear: false,
        outcome: Outcome::Answered,
        probability: Some(0.75),
        evidence: Evidence {
            similarity: Some(0.5),
            coverage: 1.0,
            beyond_unrelated: None,
            reading: Some(Signs::default()),
        },
        quote: Some(quote()),
        sentences: vec![Sentence {
            text: "The heap is turned every three weeks.".to_owned(),
            passages: vec![1],
            supported: true,
            is_phrase: false,
        }],
        written: Written::Shown,
        window: Some(Window {
            sources: 1,
            is_cut: false,
            left_out: 2,
        }),
        passages: vec![passage()],
        stopped: false,
        bundle: "0".repeat(64),
        backend: Some(backend()),
        timing: Timing::default(),
    };
    let empty = Answer {
        is_unclear: true,
        outcome: Outcome::Absent,
        probability: None,
        evidence: Evidence {
            similarity: None,
            coverage: 0.0,
            beyond_unrelated: None,
            reading: None,
        },
        quote: None,
        sentences: Vec::new(),
        written: Written::Nothing,
        window: None,
        passages: Vec::new(),
        backend: None,
        ..full.clone()
    };
    [full, empty]
}
