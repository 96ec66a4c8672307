"""Records the rounded reader's outputs in single precision, which `tests/golden/reader.rs` compares with the engine."""

import argparse
import json
from pathlib import Path

import torch

from encode import encode, tensors
from model import Reader, Vocabulary

TOKENS = 192
CASES = [
    ("How long do I bake the loaf?", "Bread > Baking bread",
     "Bake the loaf for forty minutes in a hot oven. Let it cool on a grid before you cut it."),
    ("Which flag sets the port?", "Server",
     "Start the server with `--port 8080`. The flag `--host` binds an address; without it, 127.0.0.1 is taken."),
    ("Who wrote the first compiler?", "",
     "The station of Gr\u00fcnau lies at 412 m; its na\u00efve caf\u00e9 opened in 1911."),
    ("Wie gro\u00df ist der Tank?", "Pumpen", "Der Tank fasst 40 Liter. \u4e2d\u6587 text (v1.2.3) follows."),
    ("What does take() return?", "API > Iterator",
     "take(n)\n\nReturns an iterator over the first n elements, or fewer if the underlying iterator ends sooner.\n\n"
     "skip(n)\n\nReturns an iterator that leaves the first n elements out."),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", type=Path, required=True, help="the rounded weights that export.py kept")
    parser.add_argument("--embedder", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    vocabulary = Vocabulary.of_gguf(arguments.embedder)
    tokenizer = vocabulary.tokenizer()
    reader = Reader(len(vocabulary.tokens))
    reader.load_state_dict(torch.load(arguments.reader))
    reader.eval()
    found = []
    for question, heading, text in CASES:
        row = {"question": question, "heading": heading, "text": text, "spans": None, "evidence": None, "relevant": True,
               "answerable": True}
        encoded = encode(tokenizer, row, TOKENS)
        batch = tensors([encoded])
        with torch.no_grad():
            tokens, window = reader(batch["ids"], batch["types"], batch["mask"])
        places = slice(encoded.text_start, encoded.text_start + len(encoded.offsets))
        found.append({
            "question": question, "heading": heading, "text": text, "n_tokens": len(encoded.offsets),
            "window": window[0].tolist(), "null": float(tokens[0, 0, 0] + tokens[0, 0, 1]),
            "offsets": [[len(text[:start].encode()), len(text[:end].encode())] for start, end in encoded.offsets],
            "tokens": [[round(value, 5) for value in row] for row in tokens[0, places].tolist()],
        })
    arguments.output.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
