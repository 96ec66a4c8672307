"""Turns the finished model into a LoRA adapter for its documentation voice: brief, plain, cited; the base stays as it is."""

import argparse
from pathlib import Path

import torch
from torch import nn

import model as generator_model
import pairs
from data import load_tokenizer
from train import drawer, losses
from packing import Corpus, Packer, batch, citation_tokens
from training import Trainer

RANK, ALPHA = 8, 16.0
PARTS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
ROWS = 2
DOCUMENTS = 1_500
PEAK = 0.3  # of the rates of the full training


class Adapted(nn.Module):
    """A frozen matrix W with a trained low-rank part: W x + alpha / rank * B A x. B starts at zero."""

    def __init__(self, frozen: nn.Linear):
        super().__init__()
        self.frozen = frozen
        self.down = nn.Parameter(torch.randn(RANK, frozen.in_features) / frozen.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(frozen.out_features, RANK))

    def forward(self, x):
        return self.frozen(x) + ALPHA / RANK * nn.functional.linear(nn.functional.linear(x, self.down), self.up)


def attach(model: generator_model.Generator) -> None:
    for weight in model.parameters():
        weight.requires_grad_(False)
    for block in model.blk:
        for part in PARTS:
            setattr(block, part, Adapted(getattr(block, part)))


def pairs_of(model: generator_model.Generator) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """The low-rank parts under the names of the matrices that they change."""
    return {
        f"blk.{index}.{part}.weight": (getattr(block, part).down.detach(), getattr(block, part).up.detach())
        for index, block in enumerate(model.blk)
        for part in PARTS
    }


def voice_corpora(data: Path, seed: int) -> list[tuple[float, Corpus]]:
    """Documentation only. Answers of the question headings run to two sentences, each cited."""
    return [
        (0.6, Corpus(pairs.faq_articles(data, held_out=False, most_sentences=2), seed, own_questions=2)),
        (0.4, Corpus(pairs.documentation_articles(data, DOCUMENTS, seed + 1, held_out=False), seed)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public datasets, see README.md")
    parser.add_argument("--vocabulary", type=Path, required=True, help="tokenizer.json from vocabulary.py")
    parser.add_argument("--input", type=Path, required=True, help="checkpoint of train.py")
    parser.add_argument("--output", type=Path, required=True, help="adapter checkpoint to write")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    tokenizer = load_tokenizer(arguments.vocabulary)
    bracket, digits = citation_tokens(tokenizer)
    packer = Packer(drawer(voice_corpora(arguments.data, arguments.seed), tokenizer, arguments.data, arguments.seed))
    model = generator_model.load(arguments.input)
    attach(model)
    trainer = Trainer(model, arguments.minutes, arguments.log, peak=PEAK)
    while trainer.running():
        parts = batch([packer.row() for _ in range(ROWS)], bracket, digits)
        states = model.hidden(parts["tokens"], parts["positions"], parts["mask"])
        answer_loss, _ = losses(model, states, parts, sample=0)
        trainer.step(answer_loss, parts["tokens"].numel())
    torch.save({"alpha": ALPHA, "pairs": pairs_of(model)}, arguments.output)


if __name__ == "__main__":
    main()
