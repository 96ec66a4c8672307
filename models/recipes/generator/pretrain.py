"""Turns plain text into a model that continues text: next-token training on documentation, prose and facts."""

import argparse
import random
from pathlib import Path

import torch
from torch.nn import functional

from data import END_OF_TEXT, find, load_tokenizer, read_lines, read_text
from model import Configuration, Generator, initialise
from training import Trainer

LENGTH, BATCH = 512, 8

# Tokens drawn from each file; the held-out part is every 200th document.
SHARES = {"docs": 4_500_000, "books": 700_000, "facts": 300_000, "squad": 700_000}
HELD_OUT_EVERY = 200


def documents(data: Path, name: str) -> list[str]:
    if name != "squad":
        return [document["text"] for document in read_text(data, name)]
    paragraphs = {}
    for line in read_lines(find(data, "qa/squad-train-partial/sentences.jsonl")):
        paragraphs.setdefault(line["title"], {})[line["context"]] = None
    return ["\n\n".join(texts) for texts in paragraphs.values()]


def token_stream(data: Path, tokenizer, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(training tokens, held-out tokens): random pieces of documents, each closed by the end-of-text token."""
    training, held_out = [], []
    for name, wanted in SHARES.items():
        generator = random.Random(seed)
        texts = documents(data, name)
        order = list(range(len(texts)))
        generator.shuffle(order)
        taken = position = 0
        while taken < wanted:
            index = order[position % len(order)]
            position += 1
            text = texts[index]
            # A piece of a long document, about eight training windows, keeps one book from filling the share.
            start = generator.randrange(max(1, len(text) - 16_000))
            tokens = tokenizer.encode(text[start : start + 16_000]).ids + [END_OF_TEXT]
            (held_out if index % HELD_OUT_EVERY == 0 else training).append(tokens)
            taken += len(tokens)
    random.Random(seed).shuffle(training)
    return tuple(torch.tensor([token for piece in pieces for token in piece]) for pieces in (training, held_out))


@torch.no_grad()
def held_out_loss(model: Generator, tokens: torch.Tensor, windows: int = 32) -> float:
    rows = tokens[: windows * (LENGTH + 1)].view(windows, LENGTH + 1)
    losses = [functional.cross_entropy(model(row[None, :-1])[0], row[1:]) for row in rows]
    return torch.stack(losses).mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public datasets, see README.md")
    parser.add_argument("--vocabulary", type=Path, required=True, help="tokenizer.json from vocabulary.py")
    parser.add_argument("--output", type=Path, required=True, help="checkpoint to write")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    training, held_out = token_stream(arguments.data, load_tokenizer(arguments.vocabulary), arguments.seed)
    held_out = held_out[torch.randperm(len(held_out) // (LENGTH + 1))[:, None] * (LENGTH + 1) + torch.arange(LENGTH + 1)]
    held_out = held_out.flatten()
    model = Generator(Configuration())
    initialise(model, arguments.seed)
    compiled = torch.compile(model)

    trainer = Trainer(model, arguments.minutes, arguments.log, arguments.output)
    windows = (len(training) - 1) // LENGTH
    order = torch.randperm(windows, generator=torch.Generator().manual_seed(arguments.seed))
    while trainer.running():
        rows = order[torch.arange(trainer.steps * BATCH, (trainer.steps + 1) * BATCH) % windows]
        batch = training[rows[:, None] * LENGTH + torch.arange(LENGTH + 1)]
        scores = compiled(batch[:, :-1])
        loss = functional.cross_entropy(scores.flatten(0, 1), batch[:, 1:].flatten())
        trainer.step(loss, batch[:, 1:].numel())
    trainer.save()
    trainer.write(step=trainer.steps, held_out_loss=round(held_out_loss(model, held_out), 4))


if __name__ == "__main__":
    main()
