"""Turns documentation and questions into the texts on which rounding is judged."""

import json
import lzma
import random
from pathlib import Path

SEED = 3
PASSAGES, QUESTIONS = 200, 200
PASSAGE_CHARACTERS = 900
# Lines of documents to search for passages.
DOCUMENTS = 6000


def passages(data: Path, generator: random.Random) -> list[str]:
    """The beginnings of sections of documentation."""
    found = []
    with lzma.open(data / "text/docs.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line, _ in zip(lines, range(DOCUMENTS)):
            sections = json.loads(line)["text"].split("\n## ")
            section = generator.choice(sections).strip()
            if len(section) > 200:
                found.append(section[:PASSAGE_CHARACTERS])
    return generator.sample(found, PASSAGES)


def texts(data: Path) -> list[str]:
    """Passages of documentation and of an encyclopedia, and questions: no text of the five test sets."""
    generator = random.Random(SEED)
    asked = [
        json.loads(line)
        for line in (data / "qa/squad-train-partial/sentences.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    chosen = generator.sample(asked, QUESTIONS)
    questions = [line["question"] for line in chosen]
    contexts = [f"{line['title'].replace('_', ' ')}\n{line['context']}" for line in chosen[: QUESTIONS // 2]]
    return passages(data, generator) + contexts + questions
