"""Turns documentation, stories and abstracts into pairs of a heading or question and its text, on which the embedder is tuned."""

import argparse
import csv
import json
import lzma
import random
import re
from collections import Counter
from pathlib import Path

SEED = 5
# Headings that name nothing ("See also", "Example 2") teach nothing.
MIN_HEADING_WORDS = 3
MIN_TEXT_CHARACTERS, MAX_TEXT_CHARACTERS = 150, 900
# Limits for one heading, one document and one source, because templates repeat themselves.
MAX_PER_HEADING, MAX_PER_DOCUMENT, MAX_PER_SOURCE = 3, 12, 4000

HEADING = re.compile(r"^(#{1,5})\s+(.+?)\s*#*$")
LINK = re.compile(r"!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])?")
MARKS = re.compile(r"[`*_{}]|\{#[^}]*\}|<[^>]{1,80}>")
SPACES = re.compile(r"\s+")


def plain(text: str) -> str:
    return SPACES.sub(" ", MARKS.sub("", LINK.sub(r"\1", text))).strip()


def stories(data: Path):
    """Questions of FairytaleQA's training part, each with the section of its story that answers it."""
    folder = data / "qa/fairytaleqa/data-by-train-split"
    for path in sorted((folder / "questions/train").glob("*-questions.csv")):
        name = path.name.removesuffix("-questions.csv")
        with (folder / f"section-stories/train/{name}-story.csv").open(encoding="utf-8") as rows:
            told = {row["section"]: row["text"] for row in csv.DictReader(rows)}
        with path.open(encoding="utf-8") as rows:
            for row in csv.DictReader(rows):
                text = plain_lines(told.get(row["cor_section"].split(",")[0], "").splitlines())
                if text:
                    title = name.replace("-", " ").capitalize()
                    yield {"query": row["question"].strip(), "passage": f"{title}\n{text}", "source": "fairytaleqa"}


def abstracts(data: Path):
    """PubMedQA's questions, which are titles of papers, with their abstracts."""
    papers = json.loads((data / "qa/pubmedqa/ori_pqal.json").read_text(encoding="utf-8"))
    for paper in papers.values():
        yield {"query": paper["QUESTION"], "passage": plain_lines(paper["CONTEXTS"]), "source": "pubmedqa"}


def tested(data: Path) -> set[str]:
    """Documents with a part in the test set of documentation questions."""
    lines = (data / "qa/docs-faq/faq.jsonl").read_text(encoding="utf-8").splitlines()
    return {json.loads(line)["source"] for line in lines}


def sections(text: str):
    """`(heading, body)`; code blocks stay in the body, but their lines are never headings."""
    heading, body, is_code = None, [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            is_code = not is_code
            continue
        found = None if is_code else HEADING.match(line)
        if found:
            yield heading, body
            heading, body = plain(found.group(2)), []
        elif line.strip():
            body.append(line.strip())
    yield heading, body


def pairs_of(document: dict) -> list[dict]:
    found, title = [], None
    for heading, body in sections(document["text"]):
        if heading is None:
            continue
        title = title or heading
        text = plain_lines(body)
        # The test questions are headings phrased as questions, so none is trained on.
        if len(heading.split()) < MIN_HEADING_WORDS or "?" in heading or len(text) < MIN_TEXT_CHARACTERS:
            continue
        # With the title in its own text, it would be both question and answer.
        passage = text if heading == title else f"{title}\n{text}"
        found.append({"query": heading, "passage": passage, "source": document["source"]})
    return found


def plain_lines(body: list[str]) -> str:
    kept, n_characters = [], 0
    for line in body:
        line = plain(line)
        kept.append(line)
        n_characters += len(line)
        if n_characters > MAX_TEXT_CHARACTERS:
            break
    return "\n".join(line for line in kept if line)[:MAX_TEXT_CHARACTERS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the datasets")
    parser.add_argument("--output", type=Path, required=True, help="JSON lines of query, passage and source")
    arguments = parser.parse_args()
    generator = random.Random(SEED)
    held_out = tested(arguments.data)
    per_heading: Counter[str] = Counter()
    by_source: dict[str, list[dict]] = {}
    for name in ("docs", "reference"):
        with lzma.open(arguments.data / f"text/{name}.jsonl.xz", "rt", encoding="utf-8") as lines:
            for document in map(json.loads, lines):
                if document["id"] in held_out:
                    continue
                found = pairs_of(document)
                for pair in generator.sample(found, min(len(found), MAX_PER_DOCUMENT)):
                    per_heading[pair["query"].lower()] += 1
                    if per_heading[pair["query"].lower()] <= MAX_PER_HEADING:
                        by_source.setdefault(pair["source"], []).append(pair)
    for pair in [*stories(arguments.data), *abstracts(arguments.data)]:
        by_source.setdefault(pair["source"], []).append(pair)
    chosen = []
    for source, found in sorted(by_source.items()):
        kept = generator.sample(found, min(len(found), MAX_PER_SOURCE))
        print(f"{source}: {len(kept)} of {len(found)}")
        chosen += kept
    with arguments.output.open("w", encoding="utf-8") as output:
        output.writelines(json.dumps(pair, ensure_ascii=False) + "\n" for pair in chosen)
    print(f"{len(chosen)} pairs")


if __name__ == "__main__":
    main()
