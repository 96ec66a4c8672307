"""Turns answers of the grounding adapter into the rows of three voices: the same facts and citations, said in each one's manner."""

import argparse
import json
import random
import re
import sys
import tomllib
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "grounding"))
from model import Llama, tokenizer  # noqa: E402
from prompt import END, REFUSAL, prompt  # noqa: E402
from sentence import is_covered  # noqa: E402

SEED = 17
RANK, ALPHA = 8, 16.0
MAX_TOKENS, MAX_WORDS = 80, 40
# Number of rows by source: refusals stay as they are in every voice.
LIMITS = {"squad": 133, "dstc9": 60, "docs-faq": 29, "drill": 50, "selqa": 18, "squad-refused": 40}
N_DISAGREEMENTS = 59
VOICES = ("support", "reviewer", "research")
PHRASES = {name: tomllib.loads((Path(__file__).parent.parent.parent / f"voices/{name}.toml").read_text()) for name in VOICES}

SENTENCE = re.compile(r"(?P<text>[^\[\]]+) \[(?P<number>\d)\](?P<end>[.!?]) ?")
NUMBER = re.compile(r"\b\d{2,4}\b")
YES_OR_NO = re.compile(r"^(?:is|are|was|were|do|does|did|can|could|will|would|should|may|might|has|have|had|am)\b", re.I)
HOW = re.compile(r"^(?:how (?!many|much|long|often|old|far|big|large)|what (?:happens|should|must|can) )", re.I)
REQUIRED = re.compile(r"\b(?:must|never|always|required?|requires|needs? to|cannot|can't|don't|do not|not allowed)\b", re.I)
ADVISED = re.compile(r"\b(?:should|prefer(?:red)?|avoid|recommend(?:ed|s)?|better|best|can|may|useful|instead)\b", re.I)
# Words that lose their capital inside a sentence; any other first word may be a name.
PLAIN = set("the a an in on at it its this that these those there if when by to from for as you your they their he his she her we our most some "
            "all each every after before during because according while although both many any no only one two three with without unlike".split())
SOURCES = ("{}: a survey", "Report on {}", "{} handbook", "Notes on {}", "A history of {}", "{} today", "{} in brief", "Guide to {}")


def sentences(answer: str) -> list[tuple[str, int, str]] | None:
    """The sentences of an answer, each with its one citation and its mark; none if it is of another form."""
    found, place = [], 0
    for match in SENTENCE.finditer(answer):
        if match.start() != place:
            return None
        found.append((match["text"].strip(), int(match["number"]), match["end"]))
        place = match.end()
    return found if found and place == len(answer) else None


def inside(text: str) -> str:
    """A sentence as it stands after `that`."""
    first = text.split()[0]
    return text[:1].lower() + text[1:] if first.lower().rstrip(",") in PLAIN else text


def support(question: str, _pieces: list[dict], said: list) -> str:
    happy, good, thanks = PHRASES["support"]["openings"]
    opening = thanks if YES_OR_NO.match(question) else happy if HOW.match(question) else good
    body = " ".join(f"{text} [{number}]{end}" for text, number, end in said)
    return f"{opening} {body} {PHRASES['support']['closings'][0]}"


def reviewer(_question: str, _pieces: list[dict], said: list) -> str:
    must, suggestion, note = PHRASES["reviewer"]["openings"]
    label = lambda text: must if REQUIRED.search(text) else suggestion if ADVISED.search(text) else note
    return " ".join(f"{label(text)} {text} [{number}]{end}" for text, number, end in said)


def research(_question: str, pieces: list[dict], said: list) -> str:
    titles = {piece["number"]: piece["heading"].split(" > ")[0] for piece in pieces}
    (opening,) = PHRASES["research"]["openings"]
    return " ".join(f"{opening.format(title=titles[number])} {inside(text)} [{number}]{end}" for text, number, end in said)


def titled(pieces: list[dict], generator: random.Random) -> list[dict]:
    """The pieces under titles as papers and reports have them, each its own."""
    names = generator.sample(SOURCES, len(pieces))
    found = []
    for piece, name in zip(pieces, names, strict=True):
        title = name.format(piece["heading"].split(" > ")[0])
        heading = f"{title} > {generator.choice(('Results', 'Overview', 'Background', 'Details'))}" if generator.random() < 0.6 else title
        found.append({**piece, "heading": heading})
    return found


def disagreement(row: dict, said: list, generator: random.Random) -> dict | None:
    """Two sources that give two numbers for one fact, and both sentences side by side."""
    (text, number, end), right = said[0], next(piece for piece in row["pieces"] if piece["number"] == said[0][1])
    found = NUMBER.search(text)
    if len(said) != 1 or not found or right["text"].count(found[0]) != 1:
        return None
    other = str(int(found[0]) + generator.choice((-1, 1)) * generator.randint(1, 9))
    if len(other) != len(found[0]):
        return None
    numbers = sorted(generator.sample(range(1, 6), 2))
    versions = [(right["text"], text), (right["text"].replace(found[0], other), text.replace(found[0], other))]
    generator.shuffle(versions)
    pieces = titled([{**right, "number": n, "text": version} for n, (version, _) in zip(numbers, versions, strict=True)], generator)
    both = [(version, n, end) for n, (_, version) in zip(numbers, versions, strict=True)]
    return {"source": "disagreement", "question": row["question"], "pieces": pieces, "answer": research(row["question"], pieces, both)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=Path, required=True, help="what the grounding recipe's rows.py wrote")
    parser.add_argument("--model", type=Path, required=True, help="the GGUF file of the base")
    parser.add_argument("--adapter", type=Path, required=True, help="the grounding adapter that the voices begin with")
    parser.add_argument("--output", type=Path, required=True, help="folder for support.jsonl, reviewer.jsonl and research.jsonl")
    arguments = parser.parse_args()
    generator = random.Random(SEED)
    rows = [json.loads(line) for line in arguments.rows.open(encoding="utf-8")]
    generator.shuffle(rows)
    encoder = tokenizer(arguments.model)
    end = encoder.token_to_id(END)
    model = Llama(arguments.model, RANK, ALPHA, torch.bfloat16)
    model.begin_with(arguments.adapter)
    arguments.output.mkdir(parents=True, exist_ok=True)
    made: dict[str, list[dict]] = {name: [] for name in VOICES}
    counts = dict.fromkeys((*LIMITS, "disagreement"), 0)
    for row in rows:
        source = row["source"]
        is_wanted = counts.get(source, 0) < LIMITS.get(source, 0)
        is_number = source in ("squad", "squad-changed") and counts["disagreement"] < N_DISAGREEMENTS and NUMBER.search(row["answer"])
        if not is_wanted and not is_number or not all(piece["heading"] for piece in row["pieces"]):
            continue
        with torch.autocast("cpu", torch.bfloat16):
            answer = encoder.decode(model.write(encoder.encode(prompt(row["question"], row["pieces"])).ids, end, MAX_TOKENS)).strip()
        texts = {piece["number"]: piece for piece in row["pieces"]}
        if row["answer"] == REFUSAL:
            if answer == REFUSAL and is_wanted:
                counts[source] += 1
                for name in VOICES:
                    pieces = titled(row["pieces"], generator) if name == "research" else row["pieces"]
                    made[name].append({**row, "pieces": pieces})
            continue
        said = sentences(answer)
        # The adapter's own answer, where it is one: a voice then has nothing to learn about facts.
        if not said or len(answer.split()) > MAX_WORDS or not all(
            number in texts and is_covered(text, texts[number]["text"], texts[number]["heading"]) for text, number, _ in said
        ):
            continue
        if is_wanted:
            counts[source] += 1
            made["support"].append({**row, "answer": support(row["question"], row["pieces"], said)})
            made["reviewer"].append({**row, "answer": reviewer(row["question"], row["pieces"], said)})
            pieces = titled(row["pieces"], generator)
            made["research"].append({**row, "pieces": pieces, "answer": research(row["question"], pieces, said)})
        if is_number and (found := disagreement(row, said, generator)):
            counts["disagreement"] += 1
            made["research"].append(found)
        if all(counts[name] >= limit for name, limit in LIMITS.items()) and counts["disagreement"] >= N_DISAGREEMENTS:
            break
    for name, found in made.items():
        generator.shuffle(found)
        with (arguments.output / f"{name}.jsonl").open("w", encoding="utf-8") as output:
            output.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in found)
    print(counts, {name: len(found) for name, found in made.items()})


if __name__ == "__main__":
    main()
