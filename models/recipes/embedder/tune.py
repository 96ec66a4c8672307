"""Turns the published MiniLM and pairs of heading and text into a MiniLM that knows documentation.

Each batch has few sources, so that a heading must find its text among others of the same site, as in a site's search.
The loss is the cross-entropy of the right text among all of the batch (Henderson and others, "Efficient Natural
Language Response Suggestion", 2017). The result is between the published weights and the tuned ones (Wortsman and
others, "Robust fine-tuning of zero-shot models", 2022), so that texts of other kinds keep their places.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer

import model

SEED = 7
BATCH, SOURCES_PER_BATCH = 96, 2
QUERY_TOKENS, PASSAGE_TOKENS = 40, 128
# Cosines are multiplied by this before the softmax.
SCALE = 20.0
RATE, WARM_UP, DECAY = 3e-5, 0.1, 0.01


def batches(pairs: list[dict], n_epochs: int, generator: random.Random):
    """Batches of pairs, each from a few sources; no batch has the same query twice."""
    size = BATCH // SOURCES_PER_BATCH
    for _ in range(n_epochs):
        by_source: dict[str, list[dict]] = {}
        for pair in pairs:
            by_source.setdefault(pair["source"], []).append(pair)
        groups = []
        for found in by_source.values():
            generator.shuffle(found)
            groups += [found[start : start + size] for start in range(0, len(found), size)]
        generator.shuffle(groups)
        for start in range(0, len(groups) - SOURCES_PER_BATCH + 1, SOURCES_PER_BATCH):
            batch = {pair["query"].lower(): pair for group in groups[start : start + SOURCES_PER_BATCH] for pair in group}
            yield list(batch.values())


def tensors(tokenizer: Tokenizer, texts: list[str], n_tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
    rows = [encoding.ids[: n_tokens - 1] + encoding.ids[-1:] if len(encoding.ids) > n_tokens else encoding.ids
            for encoding in tokenizer.encode_batch(texts)]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def rate(step: int, n_steps: int) -> float:
    warm = max(1, int(n_steps * WARM_UP))
    return min((step + 1) / warm, max(0.0, (n_steps - step) / (n_steps - warm)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, required=True, help="what pairs.py wrote")
    parser.add_argument("--model", type=Path, required=True, help="folder with model.safetensors and tokenizer.json")
    parser.add_argument("--output", type=Path, required=True, help="folder for model.safetensors")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--share", type=float, nargs="+", default=[0.5], help="of the tuned weights in what is written")
    arguments = parser.parse_args()
    torch.manual_seed(SEED)
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    published = model.load(arguments.model)
    weights = {name: values.clone().requires_grad_("pooler" not in name) for name, values in published.items()}
    learned = [values for values in weights.values() if values.requires_grad]
    matrices = [values for values in learned if values.ndim > 1]
    others = [values for values in learned if values.ndim == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}], lr=RATE
    )
    pairs = [json.loads(line) for line in arguments.pairs.read_text(encoding="utf-8").splitlines()]
    steps = list(batches(pairs, arguments.epochs, random.Random(SEED)))
    start, seen = time.time(), 0.0
    for step, batch in enumerate(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * rate(step, len(steps))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            queries = model.embed(weights, *tensors(tokenizer, [pair["query"] for pair in batch], QUERY_TOKENS))
            passages = model.embed(weights, *tensors(tokenizer, [pair["passage"] for pair in batch], PASSAGE_TOKENS))
        cosines = SCALE * queries.float() @ passages.float().T
        right = torch.arange(len(batch))
        loss = (F.cross_entropy(cosines, right) + F.cross_entropy(cosines.T, right)) / 2
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        seen = loss.item() if math.isclose(seen, 0.0) else 0.98 * seen + 0.02 * loss.item()
        if step % 20 == 0 or step + 1 == len(steps):
            print(f"step {step + 1} of {len(steps)}: loss {seen:.4f}, {time.time() - start:.0f} s", flush=True)
    for share in arguments.share:
        mixed = {name: torch.lerp(published[name], weights[name].detach(), share) for name in published}
        folder = arguments.output if len(arguments.share) == 1 else arguments.output / f"{share:g}"
        folder.mkdir(parents=True, exist_ok=True)
        save_file(mixed, folder / "model.safetensors")
        print(f"{folder / 'model.safetensors'}: {share:g} of the tuned weights")


if __name__ == "__main__":
    main()
