"""Examples as token ids: `[CLS] question [SEP] heading [SEP] text [SEP]`, the question of type 0, the rest of type 1. Where the
vocabulary is a unigram model, `<s>` stands for `[CLS]` and `</s>` for `[SEP]`.

`crate/model/src/read.rs` frames windows the same way.
"""

import random
from dataclasses import dataclass

import torch
from model import Vocabulary

QUESTION_TOKENS, HEADING_TOKENS = 40, 16
IGNORED = -100


@dataclass
class Encoded:
    ids: list[int]
    # Index of the text's first token, after question and heading.
    text_start: int
    # First and last token of the answer; `(0, 0)` if there is none, `None` if that is unknown.
    span: tuple[int, int] | None
    # For each token of the text: 1 in a sentence that answers; `None` if that is unknown.
    evidence: list[int] | None
    relevant: bool
    answerable: bool
    # `[start, end)` in characters of each token of the text.
    offsets: list[tuple[int, int]]


def covered(offsets: list[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """The first and the last token that share a character with `[start, end)`."""
    found = [idx for idx, (first, last) in enumerate(offsets) if first < end and last > start]
    return (found[0], found[-1]) if found else None


class Encoder:
    """Turns rows into token ids and labels, and these into batches."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary, self.tokenizer = vocabulary, vocabulary.tokenizer()

    def encode(self, row: dict, n_tokens: int, generator: random.Random | None = None) -> Encoded:
        """Cuts the text to fit; with a `generator`, at a random place that keeps the answer, else from its start."""
        question = self.tokenizer.encode(row["question"]).ids[:QUESTION_TOKENS]
        heading = self.tokenizer.encode(row["heading"] or "").ids[:HEADING_TOKENS]
        text = self.tokenizer.encode(row["text"])
        ids, offsets = text.ids, text.offsets
        answers = row["spans"] or row["evidence"] or []
        known = covered(offsets, *answers[0]) if answers else None
        room = n_tokens - len(question) - len(heading) - 4
        cut = 0
        if len(ids) > room and generator:
            first, last = known or (generator.randrange(len(ids)),) * 2
            lowest = max(0, min(last + 1, len(ids)) - room)
            cut = generator.randint(min(lowest, first), max(min(first, len(ids) - room), min(lowest, first)))
        ids, offsets = ids[cut : cut + room], offsets[cut : cut + room]
        text_start = len(question) + len(heading) + 3
        span, evidence = None, None
        if row["spans"] is not None:
            span = (0, 0)
            if row["spans"]:
                found = covered(offsets, *row["spans"][0])
                if found:
                    span = (text_start + found[0], text_start + found[1])
        if row["evidence"] is not None:
            evidence = [int(any(first < end and last > start for start, end in row["evidence"])) for first, last in offsets]
        cls, sep = self.vocabulary.cls, self.vocabulary.sep
        return Encoded(
            [cls, *question, sep, *heading, sep, *ids, sep], text_start, span, evidence, row["relevant"], row["answerable"], offsets
        )

    def tensors(self, batch: list[Encoded]) -> dict[str, torch.Tensor]:
        longest = max(len(found.ids) for found in batch)
        shape = (len(batch), longest)
        types, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(2))
        ids = torch.full(shape, self.vocabulary.pad)
        evidence = torch.full(shape, -1.0)
        spans = torch.full((len(batch), 2), IGNORED, dtype=torch.long)
        # Tokens that may begin or end an answer: those of the text, and `[CLS]` for no answer.
        allowed = torch.zeros(shape, dtype=torch.bool)
        for row, found in enumerate(batch):
            n_tokens, start = len(found.ids), found.text_start
            ids[row, :n_tokens] = torch.tensor(found.ids)
            mask[row, :n_tokens] = 1
            types[row, found.ids.index(self.vocabulary.sep) + 1 : n_tokens] = 1
            allowed[row, 0] = True
            allowed[row, start : n_tokens - 1] = True
            if found.span is not None:
                spans[row] = torch.tensor(found.span)
            if found.evidence is not None:
                evidence[row, start : n_tokens - 1] = torch.tensor(found.evidence, dtype=torch.float)
        return {
            "ids": ids, "types": types, "mask": mask, "allowed": allowed, "evidence": evidence, "spans": spans,
            "windows": torch.tensor([[found.relevant, found.answerable] for found in batch], dtype=torch.float),
        }
