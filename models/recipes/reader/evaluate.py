"""Scores a reader on SQuAD's form, in single precision: exact match and F1 of answerable questions, refusals of the others.

As in SQuAD 2.0's own evaluation, the paragraph that a question is about is read, in windows. A question counts as refused if the
best span's margin over "no answer", plus half of the window's own logit, is below a threshold. Figures are given at zero and at the
threshold that suits these questions best, which is an upper bound.
"""

import argparse
import collections
import json
import random
import re
import string
from pathlib import Path

import torch

from encode import Encoder
from model import ANSWERABLE, END, START, Vocabulary, restored

TOKENS, OVERLAP, SPAN_TOKENS = 192, 48, 30


def normal(text: str) -> list[str]:
    text = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def f1(found: str, expected: str) -> float:
    a, b = normal(found), normal(expected)
    same = sum((collections.Counter(a) & collections.Counter(b)).values())
    return float(a == b) if not a or not b else 2 * same / (len(a) + len(b))


def questions(path: Path):
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                answers = [answer["text"] for answer in asked["answers"]] if not asked.get("is_impossible") else []
                yield asked["question"], article["title"].replace("_", " "), paragraph["context"], answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", type=Path, required=True)
    parser.add_argument("--embedder", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="a file in SQuAD's form")
    parser.add_argument("--limit", type=int, help="so many questions, drawn with a fixed seed")
    arguments = parser.parse_args()
    vocabulary = Vocabulary.of_gguf(arguments.embedder)
    encoder = Encoder(vocabulary)
    reader = restored(arguments.reader, arguments.embedder, vocabulary)
    asked = list(questions(arguments.data))
    if arguments.limit:
        asked = random.Random(3).sample(asked, arguments.limit)
    windows = []
    for number, (question, title, text, _) in enumerate(asked):
        start = 0
        while True:
            row = {"question": question, "heading": title, "text": text[start:], "spans": None, "evidence": None,
                   "relevant": True, "answerable": True}
            found = encoder.encode(row, TOKENS)
            windows.append((number, start, found))
            if not found.offsets or start + found.offsets[-1][1] >= len(text.rstrip()):
                break
            start += found.offsets[max(1, len(found.offsets) - OVERLAP)][0]
    windows.sort(key=lambda window: len(window[2].ids))
    best: dict[int, tuple[float, str]] = {}
    with torch.no_grad():
        for first in range(0, len(windows), 32):
            group = windows[first : first + 32]
            batch = encoder.tensors([found for _, _, found in group])
            tokens, of_window = reader(batch["ids"], batch["types"], batch["mask"])
            for row, (number, start, found) in enumerate(group):
                n_tokens = len(found.offsets)
                places = slice(found.text_start, found.text_start + n_tokens)
                sums = tokens[row, places, START][:, None] + tokens[row, places, END][None]
                allowed = torch.ones(n_tokens, n_tokens).triu().tril(SPAN_TOKENS - 1).bool()
                sums = sums.masked_fill(~allowed, -1e4)
                place = int(sums.argmax())
                null = tokens[row, 0, START] + tokens[row, 0, END]
                score = float(sums.max() - null + 0.5 * of_window[row, ANSWERABLE])
                first_token, last_token = divmod(place, n_tokens)
                span = asked[number][2][start + found.offsets[first_token][0] : start + found.offsets[last_token][1]]
                if number not in best or score > best[number][0]:
                    best[number] = (score, span)
    rows = []
    for number, (*_, answers) in enumerate(asked):
        score, span = best[number]
        exact = max((float(normal(span) == normal(answer)) for answer in answers), default=0.0)
        rows.append((score, bool(answers), exact, max((f1(span, answer) for answer in answers), default=0.0)))

    def figures(threshold: float) -> dict:
        has = [(row[2], row[3]) if row[0] >= threshold else (0.0, 0.0) for row in rows if row[1]]
        none = [float(row[0] < threshold) for row in rows if not row[1]]
        total = [value for _, value in has] + none
        return {
            "has_exact": sum(exact for exact, _ in has) / max(1, len(has)), "has_f1": sum(value for _, value in has) / max(1, len(has)),
            "no_answer": sum(none) / max(1, len(none)), "f1": sum(total) / len(total),
        }

    thresholds = sorted(row[0] for row in rows)[:: max(1, len(rows) // 400)]
    suited = max(thresholds, key=lambda threshold: figures(threshold)["f1"])
    report = {"questions": len(rows), "answered": figures(-1e9), "at_zero": figures(0.0), "best_threshold": suited, "best": figures(suited)}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
