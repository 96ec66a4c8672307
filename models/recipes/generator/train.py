"""Turns passages, questions and answers into the model: one run learns to continue text and to answer from it.

There is no separate pretraining: the passages of the training rows are the text, so each pass over
a context teaches the next token of the documentation and the answers about it at once.
"""

import argparse
import random
from pathlib import Path

import torch
from torch.nn import functional

import pairs
from data import find, load_tokenizer
from model import Configuration, Generator, initialise, load
from packing import Corpus, Packer, batch, citation_tokens, encode, off_topic_questions
from reference import read_generator
from training import Trainer

ROWS = 4
# The scores of a sample of the passages' places are enough for next-token prediction.
PASSAGE_SAMPLE, PASSAGE_WEIGHT = 0.25, 0.3

DOCUMENTS = 3_000


def training_corpora(data: Path, seed: int) -> list[tuple[float, Corpus]]:
    """(share of the contexts, corpus)."""
    return [
        (0.40, Corpus(pairs.documentation_articles(data, DOCUMENTS, seed, held_out=False), seed)),
        (0.24, Corpus(pairs.squad_training_articles(data), seed, own_questions=3)),
        (0.12, Corpus(pairs.squad_articles(find(data, "qa/squadshifts/new_wiki_v1.0.json")), seed)),
        (0.10, Corpus(pairs.faq_articles(data, held_out=False), seed, own_questions=3)),
        (0.06, Corpus(pairs.qamr_articles(data), seed)),
        (0.04, Corpus(pairs.qed_articles(data), seed, own_questions=2)),
        (0.04, Corpus(pairs.fairytale_articles(data), seed, own_questions=1)),
    ]


def drawer(corpora: list[tuple[float, Corpus]], tokenizer, data: Path, seed: int):
    """A function that draws one context after another."""
    generator = random.Random(seed)
    off_topic = off_topic_questions(data)
    shares, choices = zip(*corpora)

    def draw():
        corpus = generator.choices(choices, shares)[0]
        return encode(tokenizer, *corpus.context(generator, off_topic))

    return draw


def losses(model, states, parts, sample: float) -> tuple[torch.Tensor, torch.Tensor]:
    """(weighted loss of the answers, loss of a sample of the passage tokens)."""
    answers = (parts["labels"] >= 0) & ~parts["shared"]
    each = functional.cross_entropy(model.scores(states[answers]), parts["labels"][answers], reduction="none")
    weights = parts["weights"][answers]
    answer_loss = (each * weights).sum() / weights.sum()
    if sample == 0:
        return answer_loss, torch.zeros(())
    chosen = parts["shared"] & (torch.rand(parts["shared"].shape) < sample)
    return answer_loss, functional.cross_entropy(model.scores(states[chosen]), parts["labels"][chosen])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public datasets, see README.md")
    parser.add_argument("--vocabulary", type=Path, required=True, help="tokenizer.json from vocabulary.py")
    parser.add_argument("--output", type=Path, required=True, help="checkpoint to write")
    parser.add_argument("--input", type=Path, help="checkpoint or GGUF file to go on from; else the run starts with the initial weights")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=37)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    tokenizer = load_tokenizer(arguments.vocabulary)
    bracket, digits = citation_tokens(tokenizer)
    corpora = training_corpora(arguments.data, arguments.seed)
    packer = Packer(drawer(corpora, tokenizer, arguments.data, arguments.seed))
    if arguments.input and arguments.input.suffix == ".gguf":
        model = read_generator(arguments.input).train()
    elif arguments.input:
        model = load(arguments.input)
    else:
        model = Generator(Configuration())
        initialise(model, arguments.seed)
    hidden = torch.compile(model.hidden)

    trainer = Trainer(model, arguments.minutes, arguments.log, arguments.output)
    answers = 0
    while trainer.running():
        rows = [packer.row() for _ in range(ROWS)]
        parts = batch(rows, bracket, digits)
        states = hidden(parts["tokens"], parts["positions"], parts["mask"])
        answer_loss, passage_loss = losses(model, states, parts, PASSAGE_SAMPLE)
        trainer.step(answer_loss + PASSAGE_WEIGHT * passage_loss, parts["tokens"].numel())
        answers += sum(len(context.branches) for row in rows for context in row)
        if trainer.steps % 10 == 0:
            trainer.write(answer_loss=round(answer_loss.item(), 4), passage_loss=round(passage_loss.item(), 4), answers=answers)
    trainer.save()


if __name__ == "__main__":
    main()
