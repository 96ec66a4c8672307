"""Turns WordPiece's vocabulary and English texts into the ids of the tokens that such texts use."""

import argparse
import json
import lzma
import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

sys.path.append(str(Path(__file__).parents[1]))
from bert_gguf import SPECIAL_TOKENS  # noqa: E402

# Characters to read from each source; documentation counts most, novels least.
SOURCES = {"docs": 60_000_000, "reference": 12_000_000, "facts": 8_000_000, "books": 15_000_000}
# A rarer token costs 220 bytes and is spelled by its pieces instead.
MIN_COUNT = 8
# Single characters below this stay whatever their count: Latin letters with and without accents, to spell any word.
LATIN_END = 0x250
PIECE_CHARACTERS = 4000
BATCH = 500


def open_lines(folder: Path, name: str):
    packed = folder / f"{name}.jsonl.xz"
    return lzma.open(packed, "rt", encoding="utf-8") if packed.is_file() else (folder / f"{name}.jsonl").open(encoding="utf-8")


def pieces(folder: Path):
    """Texts, in pieces that tokenise quickly, up to each source's limit."""
    for name, limit in SOURCES.items():
        n_characters = 0
        with open_lines(folder, name) as lines:
            for line in lines:
                text = json.loads(line)["text"]
                n_characters += len(text)
                yield from (text[start : start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS))
                if n_characters > limit:
                    break


def counts(tokenizer: Tokenizer, folder: Path) -> np.ndarray:
    n_tokens = tokenizer.get_vocab_size()
    total = np.zeros(n_tokens, np.int64)
    batch: list[str] = []

    def flush() -> None:
        for encoding in tokenizer.encode_batch(batch):
            total[:] += np.bincount(encoding.ids, minlength=n_tokens)
        batch.clear()

    for piece in pieces(folder):
        batch.append(piece)
        if len(batch) == BATCH:
            flush()
    flush()
    return total


def is_kept(token: str, count: int) -> bool:
    if token in SPECIAL_TOKENS:
        return True
    if token.startswith("[unused"):
        return False
    letters = token.removeprefix("##")
    return count >= MIN_COUNT or (len(letters) == 1 and ord(letters) < LATIN_END)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the datasets")
    parser.add_argument("--model", type=Path, required=True, help="folder with tokenizer.json and vocab.txt")
    parser.add_argument("--output", type=Path, required=True, help="JSON list of ids, ascending")
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    total = counts(tokenizer, arguments.data / "text")
    tokens = (arguments.model / "vocab.txt").read_text(encoding="utf-8").splitlines()
    kept = [idx for idx, token in enumerate(tokens) if is_kept(token, int(total[idx]))]
    arguments.output.write_text(json.dumps(kept), encoding="utf-8")
    lost = 1 - total[kept].sum() / total.sum()
    print(f"{len(kept)} of {len(tokens)} tokens kept; the others are {lost:.5f} of what was counted")


if __name__ == "__main__":
    main()
