"""Records the rounded reader's outputs in single precision, which `tests/golden/reader.rs` compares with the engine."""

import argparse
import json
from pathlib import Path

import torch

from encode import Encoder
from model import Vocabulary, restored

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
# For a vocabulary of many languages.
OTHER_CASES = [
    ("\u0e16\u0e31\u0e07\u0e08\u0e38\u0e01\u0e35\u0e48\u0e25\u0e34\u0e15\u0e23?", "\u0e1b\u0e31\u0e4a\u0e21", "\u0e16\u0e31\u0e07\u0e08\u0e38 40 \u0e25\u0e34\u0e15\u0e23 \u0e1b\u0e34\u0e14\u0e27\u0e32\u0e25\u0e4c\u0e01\u0e48\u0e2d\u0e19\u0e1b\u0e31\u0e4a\u0e21"),
    ("\u1f04\u03bd\u03b8\u03c1\u03c9\u03c0\u03bf\u03c2;", "", "\u03a4\u03bf \u03bd\u03b5\u03c1\u03cc \u03b2\u03c1\u03ac\u03b6\u03b5\u03b9 \u03c3\u03c4\u03bf\u03c5\u03c2 100 \u00b0C (\u03c3\u03c4\u03b7 \u03b8\u03ac\u03bb\u03b1\u03c3\u03c3\u03b1)."),
    ("\u091f\u0902\u0915\u0940 \u0915\u093f\u0924\u0928\u0940 \u092c\u0921\u093c\u0940 \u0939\u0948?", "\u092a\u0902\u092a", "\u091f\u0902\u0915\u0940 \u092e\u0947\u0902 \u091a\u093e\u0932\u0940\u0938 \u0932\u0940\u091f\u0930 \u0906\u0924\u0947 \u0939\u0948\u0902\u0964 \u0935\u093e\u0932\u094d\u0935 \u092c\u0902\u0926 \u0915\u0930\u0947\u0902\u0964"),
    ("\u30bf\u30f3\u30af\u306e\u5bb9\u91cf\u306f?", "\u30dd\u30f3\u30d7", "\u30bf\u30f3\u30af\u306b\u306f\uff14\uff10\u30ea\u30c3\u30c8\u30eb\u5165\u308a\u307e\u3059\u3002\u5f01\u3092\u9589\u3081\u3066\u304f\u3060\u3055\u3044\u3002"),
    ("\u0643\u0645 \u0633\u0639\u0629 \u0627\u0644\u062e\u0632\u0627\u0646\u061f", "\u0627\u0644\u0645\u0636\u062e\u0629", "\u064a\u062a\u0633\u0639 \u0627\u0644\u062e\u0632\u0627\u0646 \u0644\u0623\u0631\u0628\u0639\u064a\u0646 \u0644\u062a\u0631\u064b\u0627. \u0623\u063a\u0644\u0642 \u0627\u0644\u0635\u0645\u0627\u0645."),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", type=Path, required=True, help="the rounded weights that export.py kept")
    parser.add_argument("--embedder", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    vocabulary = Vocabulary.of_gguf(arguments.embedder)
    encoder = Encoder(vocabulary)
    reader = restored(arguments.reader, arguments.embedder, vocabulary)
    found = []
    for question, heading, text in CASES + (OTHER_CASES if vocabulary.scores else []):
        row = {"question": question, "heading": heading, "text": text, "spans": None, "evidence": None, "relevant": True,
               "answerable": True}
        encoded = encoder.encode(row, TOKENS)
        batch = encoder.tensors([encoded])
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
