// Values as the engine sends them, made from Rust by `cargo xtask contract`: they compile only if the page's types describe them.
import type { Answer, AskEvent, AskOptions, FilterValues, Found, Manifest } from "../../../www/src/engine/wire.js";

export const manifest: Manifest = {
  "anchorite": "0.1.0",
  "calibration": {
    "answered": 0.5,
    "claimed": 10,
    "closest": 0.25,
    "questions": 30,
    "reliability": [
      {
        "probability": 0.5,
        "questions": 30,
        "right": 20
      }
    ],
    "risk": 0.25,
    "wrong": 1
  },
  "chunks": 2,
  "documents": 1,
  "embeddingDimension": 384,
  "files": [
    {
      "bytes": 5,
      "label": "Support",
      "name": "support.gguf",
      "parts": [
        {
          "bytes": 5,
          "path": "files/0123456789abcdef.gguf",
          "sha256": "0000000000000000000000000000000000000000000000000000000000000000"
        }
      ],
      "role": "adapter",
      "sha256": "0000000000000000000000000000000000000000000000000000000000000000"
    },
    {
      "bytes": 5,
      "name": "support.gguf",
      "parts": [
        {
          "bytes": 5,
          "path": "files/0123456789abcdef.gguf",
          "sha256": "0000000000000000000000000000000000000000000000000000000000000000"
        }
      ],
      "role": "adapter",
      "sha256": "0000000000000000000000000000000000000000000000000000000000000000"
    }
  ],
  "format": 6,
  "id": "0000000000000000000000000000000000000000000000000000000000000000",
  "shards": {
    "bytes": 9,
    "count": 1
  },
  "similarity": {
    "deviation": 0.0234375,
    "mean": 0.75,
    "near": 0.5
  }
};

export const found: Found = {
  "missing": [
    {
      "bytes": 9,
      "id": 3,
      "path": "files/0123456789abcdef.bin"
    }
  ],
  "results": [
    {
      "headings": [
        "Compost",
        "Turning"
      ],
      "id": "compost.md#1",
      "language": "en-GB",
      "meta": {
        "date": "2026-05-11"
      },
      "score": 0.5,
      "snippet": "Turn the heap.",
      "title": "Compost",
      "url": "compost.html#turning"
    }
  ],
  "terms": [
    "heap"
  ]
};

export const filters: FilterValues = {
  "filters": {
    "tags": {
      "garden": 2
    }
  },
  "missing": []
};

export const options: Required<AskOptions> = {
  "adapter": false,
  "generate": false,
  "history": [
    {
      "answer": "In May.",
      "headings": [
        "Compost"
      ],
      "question": "When?"
    }
  ],
  "lock": false,
  "maxTokens": 7,
  "minP": 0.25,
  "passages": 3,
  "prompt": "long",
  "promptLookup": false,
  "repetitionPenalty": 1.5,
  "seed": 26,
  "temperature": 0.5,
  "topK": 20,
  "topP": 0.5,
  "voice": "support.gguf"
};

export const events: readonly AskEvent[] = [
  {
    "kind": "sources",
    "passages": [
      {
        "headings": [
          "Turning"
        ],
        "id": "compost.md#1",
        "language": null,
        "number": 1,
        "score": 0.5,
        "text": "Turn the heap every three weeks.",
        "title": "Compost",
        "url": "compost.html#turning"
      }
    ]
  },
  {
    "kind": "quote",
    "outcome": "answered",
    "quote": {
      "mark": {
        "end": 31,
        "start": 14
      },
      "passage": 1,
      "text": "Turn the heap every three weeks."
    }
  },
  {
    "kind": "quote",
    "outcome": "absent",
    "quote": null
  },
  {
    "kind": "text",
    "text": "Every"
  },
  {
    "code": "device_lost",
    "kind": "restarted",
    "on": "gpu",
    "reason": "unplugged"
  },
  {
    "backend": {
      "device": "llvmpipe",
      "kind": "webgpu",
      "reason": "asked for by the page"
    },
    "kind": "backend"
  }
];

export const answers: readonly Answer[] = [
  {
    "asked": "How often is the heap turned?",
    "backend": {
      "device": "llvmpipe",
      "kind": "webgpu",
      "reason": "asked for by the page"
    },
    "bundle": "0000000000000000000000000000000000000000000000000000000000000000",
    "evidence": {
      "beyondUnrelated": null,
      "coverage": 1.0,
      "reading": {
        "answerable": 0.0,
        "asked": 0.0,
        "evidence": 0.0,
        "isNamed": false,
        "lead": 0.0,
        "margin": 0.0,
        "relevant": 0.0
      },
      "similarity": 0.5
    },
    "isUnclear": false,
    "outcome": "answered",
    "passages": [
      {
        "headings": [
          "Turning"
        ],
        "id": "compost.md#1",
        "language": null,
        "number": 1,
        "score": 0.5,
        "text": "Turn the heap every three weeks.",
        "title": "Compost",
        "url": "compost.html#turning"
      }
    ],
    "probability": 0.75,
    "question": "How often?",
    "quote": {
      "mark": {
        "end": 31,
        "start": 14
      },
      "passage": 1,
      "text": "Turn the heap every three weeks."
    },
    "sentences": [
      {
        "isPhrase": false,
        "passages": [
          1
        ],
        "supported": true,
        "text": "The heap is turned every three weeks."
      }
    ],
    "stopped": false,
    "timing": {
      "cachedTokens": 0,
      "decodeMs": 0.0,
      "generatedTokens": 0,
      "prefillMs": 0.0,
      "promptTokens": 0,
      "quoteMs": 0.0,
      "retrieveMs": 0.0,
      "steps": 0,
      "tokensPerSecond": 0.0
    },
    "window": {
      "isCut": false,
      "leftOut": 2,
      "sources": 1
    },
    "written": "shown"
  },
  {
    "asked": "How often is the heap turned?",
    "backend": null,
    "bundle": "0000000000000000000000000000000000000000000000000000000000000000",
    "evidence": {
      "beyondUnrelated": null,
      "coverage": 0.0,
      "reading": null,
      "similarity": null
    },
    "isUnclear": true,
    "outcome": "absent",
    "passages": [],
    "probability": null,
    "question": "How often?",
    "quote": null,
    "sentences": [],
    "stopped": false,
    "timing": {
      "cachedTokens": 0,
      "decodeMs": 0.0,
      "generatedTokens": 0,
      "prefillMs": 0.0,
      "promptTokens": 0,
      "quoteMs": 0.0,
      "retrieveMs": 0.0,
      "steps": 0,
      "tokensPerSecond": 0.0
    },
    "window": null,
    "written": "nothing"
  }
];
