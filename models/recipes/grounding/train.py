"""Trains the grounding adapter on rows.py's rows. Stops and resumes anywhere: the rate is constant after a warm-up, and a cool-down can
start from any checkpoint, as in the reader's recipe."""

import argparse
import json
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from model import Llama, tokenizer
from prompt import END, prompt

SEED = 11
RANK, ALPHA = 8, 16.0
RATE, WARM_UP_STEPS = 1e-3, 20
TOKENS_PER_BATCH = 2_400
MAX_TOKENS = 900
# Number of rows among which those of similar length are batched.
POOL = 240


def batches(path: Path, tokenize, epoch: int):
    """Lists of (prompt's ids, answer's ids with the end token) of similar length, about `TOKENS_PER_BATCH` padded tokens each."""
    rows = [json.loads(line) for line in path.open(encoding="utf-8")]
    generator = random.Random(SEED + epoch)
    generator.shuffle(rows)
    for start in range(0, len(rows), POOL):
        pool = []
        for row in rows[start : start + POOL]:
            asked = tokenize(prompt(row["question"], row["pieces"]))
            answer = tokenize(row["answer"] + END)
            if len(asked) + len(answer) <= MAX_TOKENS:
                pool.append((asked, answer))
        pool.sort(key=lambda pair: len(pair[0]) + len(pair[1]))
        ready, batch = [], []
        for pair in pool:
            if batch and (len(batch) + 1) * (len(pair[0]) + len(pair[1])) > TOKENS_PER_BATCH:
                ready.append(batch)
                batch = []
            batch = [*batch, pair]
        if batch:
            ready.append(batch)
        generator.shuffle(ready)
        yield from ready


def loss_of(model: Llama, batch: list[tuple[list[int], list[int]]]) -> torch.Tensor:
    """The mean over rows of the mean over an answer's tokens: a long quotation must not drown a short refusal."""
    longest = max(len(asked) + len(answer) for asked, answer in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    rows, places, targets, weights = [], [], [], []
    for row, (asked, answer) in enumerate(batch):
        ids[row, : len(asked) + len(answer)] = torch.tensor(asked + answer)
        rows += [row] * len(answer)
        places += range(len(asked) - 1, len(asked) + len(answer) - 1)
        targets += answer
        weights += [1 / len(answer)] * len(answer)
    # Padding comes after the answers, where none of their tokens sees it.
    states = model.hidden(ids)[torch.tensor(rows), torch.tensor(places)]
    losses = F.cross_entropy(model.scores(states).float(), torch.tensor(targets), reduction="none")
    return (losses * torch.tensor(weights)).sum() / len(batch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=Path, required=True, help="what rows.py wrote")
    parser.add_argument("--model", type=Path, required=True, help="the GGUF file of the base")
    parser.add_argument("--output", type=Path, required=True, help="folder for checkpoints and log")
    parser.add_argument("--initial", type=Path, help="an adapter to go on from, in place of one that changes nothing")
    parser.add_argument("--bf16", action="store_true", help="products in bfloat16, faster where the processor multiplies it")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--rank", type=int, default=RANK)
    parser.add_argument("--checkpoint-steps", type=int, default=20)
    parser.add_argument("--cool-down", type=int, help="from the last checkpoint to a rate of zero in so many steps, then stop")
    arguments = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_flush_denormal(True)
    encoder = tokenizer(arguments.model)
    tokenize = lambda text: encoder.encode(text).ids
    model = Llama(arguments.model, arguments.rank, ALPHA, torch.bfloat16 if arguments.bf16 else torch.float32)
    if arguments.initial:
        model.begin_with(arguments.initial)
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.rate, weight_decay=0.0, betas=(0.9, 0.99))
    arguments.output.mkdir(parents=True, exist_ok=True)
    checkpoint, log = arguments.output / "checkpoint.pt", arguments.output / "train.jsonl"
    done = 0
    if checkpoint.exists():
        stored = torch.load(checkpoint)
        model.load_state_dict(stored["parameters"])
        optimizer.load_state_dict(stored["optimizer"])
        done = stored["step"]
    first_cool = done if arguments.cool_down else None

    def save(path: Path, step: int) -> None:
        stored = {"step": step, "alpha": ALPHA, "parameters": model.state_dict(), "pairs": model.pairs(), "optimizer": optimizer.state_dict()}
        torch.save(stored, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)

    step, n_tokens, mean, start = 0, 0, None, time.time()
    for batch in (batch for epoch in range(arguments.epochs) for batch in batches(arguments.rows, tokenize, epoch)):
        step += 1
        if step <= done:
            continue
        rate = arguments.rate * min(1.0, step / WARM_UP_STEPS)
        if first_cool is not None:
            rate *= 1 - (step - first_cool) / arguments.cool_down
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16, enabled=arguments.bf16):
            loss = loss_of(model, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        n_tokens += sum(len(asked) + len(answer) for asked, answer in batch)
        mean = loss.item() if mean is None else 0.95 * mean + 0.05 * loss.item()
        if step % 5 == 0:
            line = {"step": step, "rate": round(rate, 6), "tokens_per_second": round(n_tokens / (time.time() - start)),
                    "tokens": n_tokens, "loss": round(mean, 4)}
            with log.open("a", encoding="utf-8") as output:
                output.write(json.dumps(line) + "\n")
        if first_cool is None and step % arguments.checkpoint_steps == 0:
            save(checkpoint, step)
        if first_cool is not None and step - first_cool >= arguments.cool_down - 1:
            break
    save(arguments.output / "adapter.pt", step)
    print(f"{arguments.output / 'adapter.pt'} after {step} steps")


if __name__ == "__main__":
    main()
