"""Turns the files of `write_families` into what llama.cpp computes with them: logits, greedy tokens, embeddings."""

import argparse
from importlib.metadata import version
from pathlib import Path

import llama_cpp

from llama import Model, lines, sha256, short

FAMILIES = ("llama", "qwen2", "qwen3", "gemma3")
KINDS = ("F32", "Q8_0")
# In the order of `variants` in tests/harness/families.rs.
VARIANTS = (
    "llama-F32-biases",
    "llama-Q8_0-biases",
    "qwen2-F32-biases",
    "qwen3-F32-biases",
    "llama-F32-freqs",
    "llama-F32-long",
    "llama-F32-short",
    "llama-F32-yarn",
    "qwen2-F32-yarn",
    "gemma3-F32-yarn",
    "qwen3-F32-linear",
)
N_PROMPT, N_GREEDY = 36, 16
# Any tokens, more than fit into Gemma's window.
PROMPT = [(index * 41 + 7) % 288 for index in range(N_PROMPT)]
TEXT = "the quick brown fox jumps over the lazy dog . er"


def decoded(model: Model) -> dict:
    rows = model.logits(PROMPT, 0)
    greedy, last = [], rows[-1]
    while True:
        greedy.append(int(last.argmax()))
        if len(greedy) == N_GREEDY:
            break
        last = model.logits(greedy[-1:], N_PROMPT + len(greedy) - 1)[0]
    return {
        "first_choices": [int(row.argmax()) for row in rows],
        "greedy": greedy,
        "logits": short(rows[-1]),
    }


def decoder(folder: Path, name: str) -> dict:
    path, adapter = folder / f"{name}.gguf", folder / f"{name}.adapter.gguf"
    recorded = {"name": name, "model_sha256": sha256(path), "adapter_sha256": sha256(adapter)}
    for key in ("without_adapter", "with_adapter"):
        model = Model(path)
        if key == "with_adapter":
            model.put_on(adapter)
        recorded[key] = decoded(model)
        model.free()
    return recorded


def variant(folder: Path, name: str) -> dict:
    path = folder / f"{name}.gguf"
    model = Model(path)
    recorded = {"name": name, "model_sha256": sha256(path), "without_adapter": decoded(model)}
    model.free()
    return recorded


def encoder(folder: Path, name: str) -> dict:
    path = folder / f"{name}.gguf"
    model = Model(path, is_encoder=True)
    tokens = model.tokens(TEXT)
    embedding = short(model.embedding(tokens))
    model.free()
    return {"name": name, "model_sha256": sha256(path), "text": TEXT, "tokens": tokens, "embedding": embedding}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what `write_families` wrote")
    parser.add_argument("out", type=Path, help="tests/fixtures/golden/families.json")
    arguments = parser.parse_args()
    llama_cpp.llama_backend_init()
    recorded = {
        "recorded_by": f"llama-cpp-python {version('llama-cpp-python')}, CPU, keys and values in F32, no flash attention",
        "prompt": PROMPT,
        "variants": [variant(arguments.folder, name) for name in VARIANTS],
        "decoders": [decoder(arguments.folder, f"{family}-{kind}") for family in FAMILIES for kind in KINDS],
        "encoders": [encoder(arguments.folder, f"bert-{kind}") for kind in KINDS],
    }
    arguments.out.write_text(lines(recorded) + "\n")


if __name__ == "__main__":
    main()
