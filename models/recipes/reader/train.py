"""Trains the reader. Stops and resumes anywhere: the rate is constant after a warm-up, and a cool-down can start from any checkpoint
(Hägele and others, "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations", 2024)."""

import argparse
import json
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from encode import Encoded, Encoder
from model import END, EVIDENCE, START, Reader, Vocabulary, adapted, learnt, of_gguf, published

SEED = 13
TOKENS, TOKENS_PER_BATCH = 192, 4_800
# Number of rows among which groups of similar length are batched.
POOL = 1_200
RATE, WARM_UP_STEPS, DECAY = 1.5e-4, 150, 0.01
WEIGHTS = {"span": 1.0, "evidence": 0.5, "relevant": 0.3, "answerable": 0.5}


def groups(path: Path, epoch: int):
    """Rows that belong together, in a different order each epoch."""
    found: list[list[dict]] = []
    for row in map(json.loads, path.open(encoding="utf-8")):
        if found and row["group"] and found[-1][-1]["group"] == row["group"]:
            found[-1].append(row)
        else:
            found.append([row])
    if epoch:
        random.Random(SEED + epoch).shuffle(found)
    yield from found


def batches(path: Path, encoder: Encoder, epoch: int):
    """Batches of about `TOKENS_PER_BATCH` padded tokens, whole groups of similar length."""
    generator = random.Random(SEED + epoch)
    pool: list[list[Encoded]] = []

    def cut():
        pool.sort(key=lambda group: max(len(found.ids) for found in group))
        batch, ready = [], []
        for group in pool:
            longest = max(len(found.ids) for found in group)
            if batch and (len(batch) + len(group)) * longest > TOKENS_PER_BATCH:
                ready.append(batch)
                batch = []
            batch = batch + group
        generator.shuffle(ready)
        return [*ready, batch]

    for group in groups(path, epoch):
        pool.append([encoder.encode(row, TOKENS, generator) for row in group])
        if sum(map(len, pool)) >= POOL:
            yield from cut()
            pool = []
    if pool:
        yield from cut()


def losses(reader: Reader, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    tokens, windows = (logits.float() for logits in reader(batch["ids"], batch["types"], batch["mask"]))
    known = batch["spans"][:, 0] >= 0
    places = tokens[known].masked_fill(~batch["allowed"][known][..., None], -1e4)
    is_labelled = batch["evidence"] >= 0
    found = {}
    if known.any():
        found["span"] = (
            F.cross_entropy(places[..., START], batch["spans"][known, 0])
            + F.cross_entropy(places[..., END], batch["spans"][known, 1])
        ) / 2
    if is_labelled.any():
        found["evidence"] = F.binary_cross_entropy_with_logits(tokens[..., EVIDENCE][is_labelled], batch["evidence"][is_labelled])
    for column, name in enumerate(("relevant", "answerable")):
        found[name] = F.binary_cross_entropy_with_logits(windows[:, column], batch["windows"][:, column])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=Path, required=True, help="what examples.py wrote")
    parser.add_argument("--model", type=Path, help="folder with model.safetensors and vocab.txt, to begin with, where --initial isn't given")
    parser.add_argument("--embedder", type=Path, required=True, help="embedder.gguf, whose vocabulary is used")
    parser.add_argument("--output", type=Path, required=True, help="folder for checkpoints and log")
    parser.add_argument("--initial", type=Path, help="a reader.gguf to go on from, or an embedder.gguf to begin with, in place of the published weights")
    parser.add_argument("--rank", type=int, help="train heads and low-rank changes of this rank alone, on a frozen encoder")
    parser.add_argument("--bf16", action="store_true", help="products in bfloat16, faster where the processor multiplies it")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--checkpoint-steps", type=int, default=100)
    parser.add_argument("--cool-down", type=int, help="from the last checkpoint to a rate of zero in so many steps, then stop")
    arguments = parser.parse_args()
    if not arguments.model and not arguments.initial:
        parser.error("name the weights to begin with: --model FOLDER or --initial FILE")
    torch.manual_seed(SEED)
    torch.set_flush_denormal(True)
    vocabulary = Vocabulary.of_gguf(arguments.embedder)
    encoder = Encoder(vocabulary)
    reader = of_gguf(arguments.initial, vocabulary) if arguments.initial else published(arguments.model, vocabulary)
    if arguments.rank:
        reader = adapted(reader, arguments.rank)
    trained = [p for p in reader.parameters() if p.requires_grad]
    matrices, others = [p for p in trained if p.ndim > 1], [p for p in trained if p.ndim == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}], lr=arguments.rate, fused=True
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    checkpoint, log = arguments.output / "checkpoint.pt", arguments.output / "train.jsonl"
    step, first_cool = 0, None
    if checkpoint.exists():
        stored = torch.load(checkpoint)
        reader.load_state_dict(stored["reader"], strict=False)
        optimizer.load_state_dict(stored["optimizer"])
        step = stored["step"]
    if arguments.cool_down:
        first_cool = step
    passed, start, n_tokens = 0, time.time(), 0
    means: dict[str, float] = {}
    for epoch in range(arguments.epochs):
        for batch in batches(arguments.examples, encoder, epoch):
            passed += 1
            if passed <= step:
                continue
            rate = arguments.rate * min(1.0, passed / WARM_UP_STEPS)
            if first_cool is not None:
                rate *= 1 - (passed - first_cool) / arguments.cool_down
            for group in optimizer.param_groups:
                group["lr"] = rate
            with torch.autocast("cpu", torch.bfloat16, enabled=arguments.bf16):
                found = losses(reader, encoder.tensors(batch))
            loss = sum(WEIGHTS[name] * value for name, value in found.items())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            step = passed
            n_tokens += sum(len(row.ids) for row in batch)
            for name, value in found.items():
                means[name] = 0.97 * means.get(name, value.item()) + 0.03 * value.item()
            if step % 20 == 0:
                line = {"step": step, "epoch": epoch, "rate": round(rate, 7), "tokens_per_second": round(n_tokens / (time.time() - start)),
                        **{name: round(value, 4) for name, value in means.items()}}
                with log.open("a", encoding="utf-8") as output:
                    output.write(json.dumps(line) + "\n")
            is_done = first_cool is not None and step - first_cool >= arguments.cool_down - 1
            if first_cool is None and step % arguments.checkpoint_steps == 0:
                stored = {"reader": learnt(reader), "optimizer": optimizer.state_dict(), "step": step}
                torch.save(stored, checkpoint.with_suffix(".part"))
                checkpoint.with_suffix(".part").rename(checkpoint)
            if is_done:
                break
        else:
            continue
        break
    torch.save(learnt(reader), arguments.output / "reader.pt")
    print(f"{arguments.output / 'reader.pt'} after {step} steps")


if __name__ == "__main__":
    main()
