"""Turns reading, documentation and dialogue sets into rows: a question, numbered pieces of text, and the cited answer to write."""

import argparse
import collections
import json
import random
import re
import sys
from pathlib import Path

from prompt import REFUSAL
from sentence import to_write

sys.path.insert(0, str(Path(__file__).parent.parent / "reader"))
from examples import HELD_OUT, is_measured, jsonl, sentence_around  # noqa: E402

SEED = 5
LIMITS = {
    "squad": 5_000, "squad-refused": 1_800, "squad-passages": 1_500, "squad-changed": 600, "docs-faq": 1_800, "dstc9": 3_000,
    "dstc11": 700, "selqa": 700, "fitz-gov": 600, "drill": 1_500,
}
MAX_PIECE, MAX_ANSWER_WORDS = 500, 45
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\"(])")
# The closing question of a dialogue's turn, which is not part of the answer.
CLOSING = re.compile(r"(?:[^.!?]*\?)\s*$")
IDENTIFIER = re.compile(r"`([^`\s]{3,40})`")
CITATION = re.compile(r"\s*\[\d+\]")
NUMBER = re.compile(r"\b\d{2,4}\b")


def sentences(text: str) -> list[str]:
    return [found.strip() for found in SENTENCE_END.split(text) if found.strip()]


def cited(text: str, number: int) -> str:
    """Each sentence with its citation before the mark that ends it."""
    parts = []
    for sentence in sentences(text):
        body, end = (sentence[:-1], sentence[-1]) if sentence[-1] in ".!?" else (sentence, ".")
        parts.append(f"{body} [{number}]{end}")
    return " ".join(parts)


class Pieces:
    """Numbers pieces as the engine does: by passage, from 1 to 5, in order, with gaps."""

    def __init__(self, generator: random.Random):
        self.generator = generator

    def numbered(self, pieces: list[tuple[str, str]], right: int | None) -> tuple[list[dict], int | None]:
        """`pieces` are headings and texts; they are shuffled, and the number of the one at `right` is returned too."""
        order = list(range(len(pieces)))
        self.generator.shuffle(order)
        numbers = sorted(self.generator.sample(range(1, 6), len(pieces)))
        found = [
            {"number": number, "heading": pieces[idx][0], "text": pieces[idx][1][:MAX_PIECE]}
            for number, idx in zip(numbers, order, strict=True)
        ]
        return found, None if right is None else numbers[order.index(right)]


def squad(data: Path, generator: random.Random):
    pieces = Pieces(generator)
    rows = list(jsonl(data / "qa-2/squad2-train-part/squad2-train-part.jsonl"))
    for row in rows:
        row["title"] = row["title"].replace("_", " ")
    of_title = collections.defaultdict(set)
    for row in rows:
        of_title[row["title"]].add(row["context"])
    contexts = {title: sorted(found) for title, found in of_title.items()}
    generator.shuffle(rows)

    def others(row: dict, n: int) -> list[tuple[str, str]]:
        """Sentences of other paragraphs of the article."""
        choices = [context for context in contexts[row["title"]] if context != row["context"]]
        chosen = generator.sample(choices, min(n, len(choices)))
        return [(row["title"], generator.choice(sentences(context))) for context in chosen]

    for row in rows:
        context = row["context"]
        label = row["plausible"][0] if row["impossible"] and row.get("plausible") else (row["answers"] or [None])[0]
        if label is None:
            continue
        start, end = sentence_around(context, label["start"], label["start"] + len(label["text"]))
        sentence = context[start:end].strip()
        if len(sentence.split()) > MAX_ANSWER_WORDS or len(sentence) > MAX_PIECE:
            continue
        near = [found for found in sentences(context) if found not in sentence and sentence not in found]
        extra = others(row, generator.choice((0, 0, 1, 2)))
        evidence = sentence
        if near and generator.random() < 0.3:
            evidence = f"{sentence}\n{generator.choice(near)}"
        found, right = pieces.numbered([(row["title"], evidence), *extra], 0)
        if row["impossible"]:
            yield "squad-refused", row["question"], found, REFUSAL
            continue
        place = sentence.find(label["text"])
        written = to_write(row["question"], label["text"], sentence, place, row["title"]) if place >= 0 else sentence
        answer = cited(written, right)
        yield "squad", row["question"], found, answer
        number = NUMBER.search(label["text"])
        if number and label["text"] in sentence:
            # The answer follows the passage, whatever else the model knows.
            other = str(int(number[0]) + generator.randint(1, 9))
            changed = [{**piece, "text": piece["text"].replace(number[0], other)} for piece in found]
            yield "squad-changed", row["question"], changed, answer.replace(number[0], other)
        if generator.random() < 0.3:
            paragraphs = [context for context in contexts[row["title"]] if context != row["context"] and len(context) < 900]
            if len(context) < 900 and paragraphs:
                chosen = [(row["title"], context), *((row["title"], other) for other in generator.sample(paragraphs, 1))]
                order = [0, 1] if generator.random() < 0.5 else [1, 0]
                whole = [{"number": place + 1, "heading": chosen[idx][0], "text": chosen[idx][1]} for place, idx in enumerate(order)]
                yield "squad-passages", row["question"], whole, cited(written, order.index(0) + 1)


def documentation(data: Path, generator: random.Random):
    """Question headings of the training sites, answered by the beginning of their section."""
    pieces = Pieces(generator)
    rows = [row for row in jsonl(data / "qa/docs-faq/faq.jsonl") if not is_measured(row["source"]) and not row["source"].startswith(HELD_OUT)]
    generator.shuffle(rows)
    for row in rows:
        text = re.split(r"\n\n|```|\n[-*#|]", row["answer"].strip())[0]
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"[*_]{2}", "", text)).strip()
        kept = sentences(text)
        if not kept or not kept[0].endswith((".", "!")) or len(kept[0].split()) > MAX_ANSWER_WORDS:
            continue
        answer = kept[0] if len(kept[0].split()) > 6 or len(kept) == 1 else f"{kept[0]} {kept[1]}"
        other = generator.choice(rows)
        extra = [] if generator.random() < 0.5 else [(other["title"], sentences(other["answer"])[0])]
        found, right = pieces.numbered([(row["title"], text), *extra], 0)
        yield "docs-faq", row["question"], found, cited(answer, right)


def dialogues(data: Path, generator: random.Random):
    """Frequent questions, with their answers as people rephrased them in a chat."""
    pieces = Pieces(generator)
    for source, name in (("dstc9", "dstc9-faq-replies"), ("dstc11", "dstc11-reviews-faq")):
        for row in jsonl(data / f"qa-2/{name}/{name}.jsonl"):
            answer = CLOSING.sub("", row["answer"]).strip()
            if not answer.endswith((".", "!")) or len(answer.split()) > MAX_ANSWER_WORDS or not row["passages"]:
                continue
            entity = (row.get("entity") or row["passages"][0].split(":")[0].removesuffix(" (review)")).title()
            texts = [passage.split(": ", 1)[-1].removeprefix(f"{row['question']} ") for passage in row["passages"][:3]]
            found, right = pieces.numbered([(entity, "\n".join(texts))], 0)
            yield source, row["question"], found, cited(answer, right)


def others(data: Path, generator: random.Random):
    pieces = Pieces(generator)
    for row in jsonl(data / "qa-2/selqa/selqa.jsonl"):
        if row["answers"] and len(row["answers"][0]["text"].split()) <= MAX_ANSWER_WORDS:
            sentence = row["answers"][0]["text"].strip()
            found, right = pieces.numbered([(row.get("title") or "Article", sentence)], 0)
            yield "selqa", row["question"], found, cited(sentence, right)
    for row in jsonl(data / "qa-2/fitz-gov/fitz-gov.jsonl"):
        if row["decision"] == "refuse" and len(row["passages"]) <= 4:
            found, _ = pieces.numbered([("Notes", passage) for passage in row["passages"]], None)
            yield "fitz-gov", row["question"], found, REFUSAL
    asked = ("What about `{}`?", "What does `{}` do?", "When is `{}` used?", "`{}`?", "Tell me about {}", "how does {} work")
    for document in jsonl(data / "text/docs.jsonl.xz"):
        site = document["source"].split("/")[0]
        # A part of the documents is left out, so that no site provides most of the drills.
        if site in HELD_OUT or is_measured(document["source"]) or generator.random() < 0.4:
            continue
        kept = [found for found in sentences(re.sub(r"```.*?```", "", document["text"], flags=re.S))
                if 6 < len(found.split()) <= 30 and "\n" not in found and found.endswith(".") and IDENTIFIER.search(found)]
        if len(kept) < 2:
            continue
        sentence, other = generator.sample(kept, 2)
        name = IDENTIFIER.search(sentence)[1]
        if name in other:
            continue
        found, right = pieces.numbered([(site, sentence), (site, other)], 0)
        yield "drill", generator.choice(asked).format(name), found, cited(sentence, right)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the datasets, with text/, qa/ and qa-2/, unpacked")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--bare", action="store_true", help="questions and answers alone, for an adapter that is trained without passages")
    arguments = parser.parse_args()
    counts: collections.Counter = collections.Counter()
    temporary = arguments.output.with_suffix(".part")
    with temporary.open("w", encoding="utf-8") as output:
        for make in (squad, documentation, dialogues, others):
            for source, question, pieces, answer in make(arguments.data, random.Random(SEED)):
                if arguments.bare:
                    # Without passages there is nothing to refuse for, to copy from or to cite.
                    if answer == REFUSAL or source in {"drill", "squad-changed"}:
                        continue
                    pieces, answer = [], CITATION.sub("", answer)
                if counts[source] < LIMITS[source]:
                    counts[source] += 1
                    row = {"source": source, "question": question, "pieces": pieces, "answer": answer}
                    output.write(json.dumps(row, ensure_ascii=False) + "\n")
    temporary.rename(arguments.output)
    print(dict(counts), sum(counts.values()))


if __name__ == "__main__":
    main()
