"""Turns articles into training rows: contexts of passages with many questions each, packed side by side.

All questions about one context share its tokens: each question with its answer is a branch that
sees the context and itself, never another branch, and its positions go on from the context's end.
So one pass over a context teaches as many answers as there are questions, and each branch gives
exactly the scores it would give alone.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import torch

from data import ABSTENTION, MESSAGE_END, cite, find, messages_for, render
from pairs import FACTOID, Passage, Question, add_own_questions

ROW = 1024
MOST_PASSAGE_CHARACTERS = 1_300
MOST_CONTEXT_CHARACTERS = 2_300
MOST_BRANCHES = 12
UNANSWERABLE_SHARE = 0.23
# Of the unanswerable questions. With more of the hard ones a model this small refuses everything.
OFF_TOPIC_SHARE = 0.7
SPAN_SHARE = 0.3  # of the questions for a name, place, time or number

FIRST_TOKEN_WEIGHT = 4.0  # the first word decides which sentence is quoted
CITATION_WEIGHT = 3.0


def as_dictionary(passage: Passage) -> dict:
    return {"title": passage.title, "headings": passage.headings, "text": passage.text}


def answer_text(question: Question, number: int, generator: random.Random) -> str:
    span = question.span
    if span and len(span.split()) <= 5 and FACTOID.match(question.text) and generator.random() < SPAN_SHARE:
        return cite(span[:1].upper() + span[1:], number)
    return " ".join(cite(sentence, number) for sentence in question.answers)


def shorten(passage: Passage) -> Passage:
    """A long passage ends at the last full sentence that fits."""
    if len(passage.text) <= MOST_PASSAGE_CHARACTERS:
        return passage
    text = passage.text[:MOST_PASSAGE_CHARACTERS]
    end = max(text.rfind(mark) for mark in (". ", ".\n", "? ", "! ")) + 1
    text = text[: end or len(text)].strip()
    kept = [question for question in passage.questions if all(answer in text for answer in question.answers)]
    return Passage(passage.title, passage.headings, text, kept)


def off_topic_questions(data: Path) -> list[Question]:
    """Requests to a voice assistant: no documentation passage answers them."""
    rows = json.loads(find(data, "qa/clinc-oos/data_full.json").read_text(encoding="utf-8"))
    texts = [text for part in ("oos_train", "oos_val", "train") for text, _ in rows[part]]
    return [Question(text + ("?" if index % 2 else ""), []) for index, text in enumerate(texts)]


class Corpus:
    """One dataset's articles, ready to be drawn from."""

    def __init__(self, articles: list[list[Passage]], seed: int, own_questions: int = 0):
        generator = random.Random(seed)
        self.articles = [[shorten(passage) for passage in article] for article in articles]
        self.places = []
        for number, article in enumerate(self.articles):
            for index, passage in enumerate(article):
                add_own_questions(passage, generator, own_questions)
                if any(question.answers for question in passage.questions):
                    self.places.append((number, index))

    def context(self, generator: random.Random, off_topic: list[Question]) -> tuple[list[Passage], list[tuple[str, str]]]:
        """(passages, [(question, answer)]): passages of one article and of others, in random order."""
        number, index = generator.choice(self.places)
        article = self.articles[number]
        chosen = {(number, index): article[index]}
        length = len(article[index].text)
        for _ in range(generator.choice((0, 1, 1, 2, 2, 3))):
            near = len(article) > 1 and generator.random() < 0.5
            place = (number, generator.randrange(len(article))) if near else generator.choice(self.places)
            passage = self.articles[place[0]][place[1]]
            if length + len(passage.text) <= MOST_CONTEXT_CHARACTERS:
                chosen[place] = passage
                length += len(passage.text)
        passages = list(chosen.values())
        generator.shuffle(passages)

        answerable = [
            (question.text, answer_text(question, position, generator))
            for position, passage in enumerate(passages, start=1)
            for question in passage.questions
            if question.answers
        ]
        generator.shuffle(answerable)
        unanswerable = [question for passage in passages for question in passage.questions if not question.answers]
        # Questions about the article's other passages are the hard ones to refuse.
        beside = [passage for place, passage in enumerate(article) if (number, place) not in chosen]
        generator.shuffle(beside)
        unanswerable += [question for passage in beside[:4] for question in passage.questions[:2]]
        other = generator.choice(self.places)
        if other[0] != number:
            unanswerable += self.articles[other[0]][other[1]].questions[:2]
        generator.shuffle(unanswerable)
        wanted = min(len(answerable), MOST_BRANCHES) * UNANSWERABLE_SHARE / (1 - UNANSWERABLE_SHARE)
        refusals = []
        for _ in range(int(wanted) + (generator.random() < wanted % 1)):
            hard = unanswerable and generator.random() >= OFF_TOPIC_SHARE
            refusals.append(unanswerable.pop() if hard else generator.choice(off_topic))
        asked = answerable[: MOST_BRANCHES - len(refusals)] + [(question.text, ABSTENTION) for question in refusals]
        generator.shuffle(asked)
        return passages, asked


@dataclass
class Context:
    """Token ids: the shared part, and per question the rest of the prompt and the answer."""

    shared: list[int]
    branches: list[tuple[list[int], list[int]]]

    def length(self) -> int:
        return len(self.shared) + sum(len(prompt) + len(answer) for prompt, answer in self.branches)


def encode(tokenizer, passages: list[Passage], asked: list[tuple[str, str]]) -> Context:
    """Cuts each prompt before "Question:"; the vocabulary never joins tokens across that place."""
    listed = [as_dictionary(passage) for passage in passages]
    branches, shared_text = [], ""
    for question, answer in asked:
        text = render(messages_for(question, listed))
        cut = text.rindex(f"Question: {question.strip()}")
        shared_text, rest = text[:cut], text[cut:]
        branches.append((tokenizer.encode(rest).ids, tokenizer.encode(answer).ids + [MESSAGE_END]))
    opening = tokenizer.encode("Question").ids
    shared = tokenizer.encode(shared_text + "Question").ids[: -len(opening)]
    return Context(shared, branches)


def fit(context: Context) -> Context | None:
    """Drops the last questions until the context fits into a row."""
    while context.branches and context.length() > ROW:
        context.branches.pop()
    return context if context.branches else None


class Packer:
    """Fills rows from a pool of contexts: always the longest context that still fits."""

    def __init__(self, draw, pool_size: int = 24):
        self.draw, self.pool_size = draw, pool_size
        self.pool: list[Context] = []

    def row(self) -> list[Context]:
        contexts, room = [], ROW
        while True:
            while len(self.pool) < self.pool_size:
                context = fit(self.draw())
                if context:
                    self.pool.append(context)
            fitting = [context for context in self.pool if context.length() <= room]
            if not fitting:
                return contexts
            best = max(fitting, key=Context.length) if contexts else self.pool[0]
            self.pool.remove(best)
            contexts.append(best)
            room -= best.length()


def batch(rows: list[list[Context]], bracket: int, digits: set[int]) -> dict[str, torch.Tensor]:
    """Tokens, positions, mask, the label of each place (-1: none), its weight, and whether it lies in a shared part."""
    count = len(rows)
    tokens, positions, labels = (torch.zeros(count, ROW, dtype=torch.long) for _ in range(3))
    segments, branches = (torch.zeros(count, ROW, dtype=torch.int32) for _ in range(2))
    weights, shared = torch.zeros(count, ROW), torch.zeros(count, ROW, dtype=torch.bool)
    labels.fill_(-1)
    for row, contexts in enumerate(rows):
        place = 0
        for segment, context in enumerate(contexts, start=1):
            base = len(context.shared)
            for branch, (prompt, answer) in enumerate([(context.shared, [])] + context.branches):
                ids = prompt + answer
                span = slice(place, place + len(ids))
                tokens[row, span] = torch.tensor(ids)
                positions[row, span] = torch.arange(len(ids)) + (base if branch else 0)
                segments[row, span], branches[row, span] = segment, branch
                if branch:
                    target = slice(place + len(prompt) - 1, place + len(ids) - 1)
                    labels[row, target] = torch.tensor(answer)
                    weights[row, target] = 1.0
                    weights[row, place + len(prompt) - 1] = FIRST_TOKEN_WEIGHT
                    for index in range(1, len(answer)):
                        if answer[index - 1] == bracket and answer[index] in digits:
                            weights[row, place + len(prompt) - 1 + index] = CITATION_WEIGHT
                else:
                    labels[row, place : place + len(ids) - 1] = torch.tensor(ids[1:])
                    shared[row, place : place + len(ids) - 1] = True
                place += len(ids)
    causal = torch.ones(ROW, ROW, dtype=torch.bool).tril()
    same_segment = segments[:, :, None] == segments[:, None, :]
    visible = (branches[:, None, :] == 0) | (branches[:, :, None] == branches[:, None, :])
    mask = (causal & same_segment & visible)[:, None]
    return {"tokens": tokens, "positions": positions, "mask": mask, "labels": labels, "weights": weights, "shared": shared}


def citation_tokens(tokenizer) -> tuple[int, set[int]]:
    """The token " [" and the tokens of the digits."""
    return tokenizer.token_to_id("Ġ["), {tokenizer.token_to_id(str(digit)) for digit in range(1, 10)}
