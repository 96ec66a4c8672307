"""Reading sets and documentation, as examples for the reader: a question, a heading, a text, and what is known about it.

A row has `question`, `heading`, `text`, `spans` (`[start, end)` in characters of `text`, the answer verbatim), `evidence`
(the same for sentences that answer), `relevant`, `answerable`, `source`, and `group`: rows of one group are trained in one batch, so
that the reader learns to tell a question from its near miss. A label that a set lacks is `null`, and is not learnt.
"""

import argparse
import csv
import json
import lzma
import random
import re
import zlib
from collections import defaultdict
from pathlib import Path

SEED = 11
# The most rows of each set. The first is taken whole: its pairs of a question and a near miss teach most.
LIMITS = {
    "squad2-train-part": 40_000,
    "squad-train-partial": 4_000,
    "squad-sentences": 10_000,
    "fairytaleqa": 4_000,
    "covid-qa": 3_000,
    "quac": 3_000,
    "timeqa-human": 2_200,
    "drop-dev-spans": 2_000,
    "tatqa": 2_000,
    "selqa": 2_000,
    "fitz-gov": 700,
    "medquad": 3_000,
    "docs": 16_000,
    "docs-sentences": 8_000,
    "docs-faq": 4_000,
    "other-paragraph": 6_000,
    "off-topic": 2_000,
}
# Corpora on which answers are measured, so none of their text is trained on.
HELD_OUT = ("rust-book", "cargo-book", "rust-by-example", "rust-reference", "svelte-docs", "tts-handbook", "kubernetes-docs-2021", "tldr-pages-en")
# Each source of docs-faq is used for training or for measuring, never both; the hash of its name decides, see `is_measured`.
MEASURED_SHARE = 0.5
MIN_HEADING_WORDS, MIN_TEXT, MAX_TEXT = 3, 120, 1_400
# The fewest longer words in a sentence to ask for, and the most in the question for it.
MIN_SENTENCE_WORDS, MOST_WORDS = 5, 7
SENTENCE_END = re.compile(r"(?<![A-Z]\.)(?<!\b[A-Z])(?<!\b(?:St|Dr|Mr|vs|No|Jr|Sr|eg|ie|cf)\.)(?<!\bMrs\.)(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9`])|\n+")
HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")
LINK = re.compile(r"!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])?")
MARKS = re.compile(r"[`*]|\{#[^}]*\}|</?[A-Za-z][^>]{0,80}>")
SPACES = re.compile(r"\s+")
LONG_WORDS = re.compile(r"\w{4,}")


def is_measured(source: str) -> bool:
    """True for the sites of docs-faq whose questions are a test."""
    return zlib.crc32(source.split("/")[0].encode()) % 1000 < 1000 * MEASURED_SHARE


def sentence_cuts(text: str) -> list[int]:
    """The starts of the sentences, and the end of the last one."""
    return [0, *(found.end() for found in SENTENCE_END.finditer(text)), len(text)]


def sentence_around(text: str, start: int, end: int) -> list[int]:
    """The sentences that hold `[start, end)`."""
    cuts = sentence_cuts(text)
    first = max(cut for cut in cuts if cut <= start)
    last = min((cut for cut in cuts if cut >= end), default=len(text))
    return [first, last]


def nearest(question: str, texts: list[str], generator: random.Random) -> str:
    """Half of the time, the text that shares most of the question's long words; otherwise any text."""
    if generator.random() < 0.5:
        return generator.choice(texts)
    words = set(LONG_WORDS.findall(question.lower()))
    return max(texts, key=lambda text: len(words & set(LONG_WORDS.findall(text.lower()))))


def row(question, heading, text, source, *, spans=None, evidence=None, relevant=True, answerable=True, group=None):
    return {
        "question": question.strip(), "heading": heading, "text": text, "spans": spans, "evidence": evidence,
        "relevant": relevant, "answerable": answerable, "source": source, "group": group,
    }


def jsonl(path: Path):
    """The rows of a file, which may also be packed as `.xz` under its name."""
    if not path.exists():
        path = path.with_name(f"{path.name}.xz")
    opened = lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8")
    with opened as lines:
        yield from map(json.loads, lines)


def dataset(data: Path, name: str):
    """The rows of a set of qa-2, packed or unpacked."""
    for path in sorted((data / "qa-2" / name).glob("*.jsonl*")):
        yield from jsonl(path)


def reading(data: Path, name: str):
    for number, found in enumerate(dataset(data, name)):
        text, heading = found["context"], found.get("title", "").replace("_", " ")
        if found["impossible"]:
            spans, evidence = [], []
        else:
            spans = [[a["start"], a["start"] + len(a["text"])] for a in found["answers"][:1]]
            if not spans or text[spans[0][0] : spans[0][1]] != found["answers"][0]["text"]:
                continue
            evidence = [sentence_around(text, *span) for span in spans]
        is_sentence = found.get("answer_unit") == "sentence"
        yield row(
            found["question"], heading, text, name, spans=None if is_sentence else spans, evidence=evidence,
            answerable=not found["impossible"], group=found.get("pair") or f"{name}-{number}",
        )


def squad_partial(data: Path, known: set[str]):
    for found in jsonl(data / "qa/squad-train-partial/spans.jsonl"):
        start = found["context"].find(found["answer"])
        if start < 0 or found["context"].count(found["answer"]) > 1 or found["question"].lower() in known:
            continue
        span = [start, start + len(found["answer"])]
        evidence = [sentence_around(found["context"], *span)]
        yield row(found["question"], found["title"].replace("_", " "), found["context"], "squad-train-partial",
                  spans=[span], evidence=evidence)


def squad_sentences(data: Path, known: set[str]):
    """Questions whose answering sentence is known, but not the answering words in it."""
    for number, found in enumerate(jsonl(data / "qa/squad-train-partial/sentences.jsonl")):
        start = found["context"].find(found["sentence"])
        if start >= 0 and found["question"].lower() not in known:
            evidence = [[start, start + len(found["sentence"])]]
            yield row(found["question"], found["title"].replace("_", " "), found["context"], "squad-sentences", evidence=evidence,
                      group=f"squad-sentences-{number}")


def stories(data: Path):
    """Questions of FairytaleQA's training part that are answered by words of the section."""
    folder = data / "qa/fairytaleqa/data-by-train-split"
    for path in sorted((folder / "questions/train").glob("*.csv")):
        story = path.name.removesuffix("-questions.csv")
        with (folder / "section-stories/train" / f"{story}-story.csv").open(encoding="utf-8") as lines:
            texts = {found["section"]: found["text"].strip() for found in csv.DictReader(lines)}
        with path.open(encoding="utf-8") as lines:
            for found in csv.DictReader(lines):
                text, answer = texts.get(found["cor_section"], ""), found["answer1"].strip(" .")
                start = text.lower().find(answer.lower())
                if found["ex-or-im1"] == "explicit" and answer and start >= 0 and text.lower().count(answer.lower()) == 1:
                    span = [start, start + len(answer)]
                    yield row(found["question"], story.replace("-", " "), text, "fairytaleqa", spans=[span],
                              evidence=[sentence_around(text, *span)])


def articles(data: Path, generator: random.Random):
    """Questions of COVID-QA, each with the part of a long article that answers it, and with another part."""
    path = data / "qa/covid-qa/data/question-answering/200423_covidQA.json"
    for paragraph in (p for article in json.loads(path.read_text(encoding="utf-8"))["data"] for p in article["paragraphs"]):
        context = paragraph["context"]
        cuts = sentence_cuts(context)
        title = context.split("\n", 1)[0]
        for asked in paragraph["qas"]:
            text = asked["answers"][0]["text"].strip()
            start = context.find(text, asked["answers"][0]["answer_start"])
            if start < 0 or len(text) > 300:
                continue
            first = max(cut for cut in cuts if cut <= max(0, start - generator.randint(0, 600)))
            part = context[first : max(start + len(text), first + MAX_TEXT)]
            span = [start - first, start - first + len(text)]
            group = f"covid-qa-{asked['id']}"
            yield row(asked["question"], title, part, "covid-qa", spans=[span], evidence=[sentence_around(part, *span)], group=group)
            others = [context[cut : cut + MAX_TEXT] for cut in cuts[:: 8] if cut + MAX_TEXT <= len(context)]
            others = [other for other in others if text not in other]
            if others:
                yield row(asked["question"], title, nearest(asked["question"], others, generator), "covid-qa", spans=[], evidence=[],
                          relevant=False, answerable=False, group=group)


def tables(data: Path):
    for found in dataset(data, "tatqa"):
        passages = [found["passages"][idx] for idx in found["evidence"]]
        text = "\n".join(passages)
        start = text.find(found["answer"]) if isinstance(found["answer"], str) else -1
        if start >= 0 and text.count(found["answer"]) == 1:
            span = [start, start + len(found["answer"])]
            yield row(found["question"], "", text, "tatqa", spans=[span], evidence=[sentence_around(text, *span)])


def refusals(data: Path):
    for found in dataset(data, "fitz-gov"):
        if found["decision"] == "refuse":
            yield row(found["question"], "", "\n".join(found["passages"]), "fitz-gov", spans=[], evidence=[], answerable=False)


def medical(data: Path, generator: random.Random):
    """Questions about one disease, each with its own text, and with another text about the same disease."""
    found = [f for f in dataset(data, "medquad") if len(f["passage"]) >= MIN_TEXT]
    for idx in generator.sample(range(1, len(found)), 2_000):
        asked, before = found[idx], found[idx - 1]
        yield row(asked["question"], "", asked["passage"][:MAX_TEXT], "medquad", group=f"medquad-{idx}")
        yield row(asked["question"], "", before["passage"][:MAX_TEXT], "medquad", spans=[], evidence=[], relevant=False,
                  answerable=False, group=f"medquad-{idx}")


def plain(line: str) -> str:
    return SPACES.sub(" ", MARKS.sub("", LINK.sub(r"\1", line))).strip()


def sections(text: str):
    """`(path of headings, body)`; lines inside code blocks are never headings."""
    path, body, is_code = [], [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            is_code = not is_code
            continue
        found = None if is_code else HEADING.match(line)
        if found:
            yield [title for _, title in path], "\n".join(body)
            level = len(found.group(1))
            path = [step for step in path if step[0] < level] + [(level, plain(found.group(2)))]
            body = []
        elif line.strip():
            body.append(line.rstrip() if is_code else plain(line))
    yield [title for _, title in path], "\n".join(body)


def half_of(heading: str, generator: random.Random) -> str:
    """A heading as a reader would ask for it: some of its words, in order."""
    words = heading.split()
    if len(words) > 3 and generator.random() < 0.5:
        kept = sorted(generator.sample(range(len(words)), (len(words) + 1) // 2))
        words = [words[idx] for idx in kept]
    return " ".join(words)


def documentation(data: Path, generator: random.Random):
    """A section for its heading, and another section of the page that does not answer it."""
    tested = {found["source"] for found in jsonl(data / "qa/docs-faq/faq.jsonl")}
    documents = [
        document for document in jsonl(data / "text/docs.jsonl.xz")
        if not document["id"].startswith(HELD_OUT) and document["id"] not in tested
    ]
    generator.shuffle(documents)
    n_of_source: dict[str, int] = defaultdict(int)
    for document in documents:
        site = document["id"].split("/")[0]
        found = [(path, body[:MAX_TEXT]) for path, body in sections(document["text"]) if path and len(body) >= MIN_TEXT]
        if len(found) < 3 or n_of_source[site] >= 400:
            continue
        for idx in generator.sample(range(len(found)), min(2, len(found))):
            path, body = found[idx]
            if len(path[-1].split()) < MIN_HEADING_WORDS or path[-1] == path[0]:
                continue
            others = {body: path for i, (path, body) in enumerate(found) if i != idx and body != found[idx][1]}
            if not others:
                continue
            other = nearest(path[-1], list(others), generator)
            other_path = others[other]
            n_of_source[site] += 1
            with_path = generator.random() < 0.3
            question = half_of(path[-1], generator)
            group = f"{document['id']}-{idx}"
            yield row(question, " > ".join(path if with_path else path[:-1]), body, "docs", group=group)
            yield row(question, " > ".join(other_path if with_path else other_path[:-1]), other, "docs", spans=[],
                      evidence=[], relevant=False, answerable=False, group=group)


def words_of(sentence: str, generator: random.Random) -> str:
    """A sentence as a reader would look for it: half of its longer words, in order, and never all."""
    words = LONG_WORDS.findall(sentence)
    n_kept = min(MOST_WORDS, max(2, len(words) // 2))
    return " ".join(words[idx] for idx in sorted(generator.sample(range(len(words)), n_kept)))


def documentation_sentences(rows: list[dict], generator: random.Random):
    """Words of any sentence of a section, since an answer need not be at its start. `rows` come from `documentation`."""
    for found in rows:
        text = found["text"]
        cuts = sentence_cuts(text)
        sentences = [(start, end) for start, end in zip(cuts, cuts[1:]) if len(LONG_WORDS.findall(text[start:end])) >= MIN_SENTENCE_WORDS]
        if len(cuts) > 4 and sentences:
            start, end = generator.choice(sentences)
            yield row(words_of(text[start:end], generator), found["heading"], text, "docs-sentences", evidence=[[start, end]])


def faq(data: Path, generator: random.Random):
    """Documentation questions, each with its answer, sometimes behind the end of another text, and with another answer of the page."""
    by_page: dict[str, list[dict]] = defaultdict(list)
    for found in jsonl(data / "qa/docs-faq/faq.jsonl"):
        if not is_measured(found["source"]) and not found["source"].startswith(HELD_OUT):
            by_page[found["source"]].append({**found, "answer": "\n".join(map(plain, found["answer"].splitlines()))})
    for page, found in sorted(by_page.items()):
        for idx, asked in enumerate(found):
            text, group = asked["answer"][:MAX_TEXT], f"{page}-{idx}"
            before = ""
            others = [f for i, f in enumerate(found) if i != idx]
            if others and generator.random() < 0.5:
                before = generator.choice(others)["answer"][-300:].split(" ", 1)[-1] + "\n"
            first = sentence_around(before + text, len(before), len(before) + 1)
            yield row(asked["question"], asked["title"], before + text, "docs-faq", evidence=[first], group=group)
            if others:
                yield row(asked["question"], asked["title"], nearest(asked["question"], [f["answer"][:MAX_TEXT] for f in others], generator),
                          "docs-faq", spans=[], evidence=[], relevant=False, answerable=False, group=group)


def misplaced(rows: list[dict], generator: random.Random):
    """Answerable questions, with another paragraph of their article, and with a text about something else."""
    texts: dict[str, set[str]] = defaultdict(set)
    for found in rows:
        texts[found["heading"]].add(found["text"])
    asked = [found for found in rows if found["answerable"]]
    everywhere = sorted(texts)
    for found in generator.sample(asked, min(len(asked), 8_000)):
        answer = found["text"][slice(*found["spans"][0])]
        others = sorted(text for text in texts[found["heading"]] if answer not in text)
        if others:
            yield row(found["question"], found["heading"], nearest(found["question"], others, generator), "other-paragraph", spans=[], evidence=[],
                      answerable=False, relevant=False)
        heading = generator.choice(everywhere)
        if heading != found["heading"]:
            yield row(found["question"], heading, generator.choice(sorted(texts[heading])), "off-topic", spans=[], evidence=[],
                      relevant=False, answerable=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the datasets, with text/, qa/ and qa-2/ unpacked")
    parser.add_argument("--output", type=Path, required=True, help="JSON lines of examples")
    arguments = parser.parse_args()
    data, generator = arguments.data, random.Random(SEED)
    squad = list(reading(data, "squad2-train-part"))
    known = {r["question"].lower() for r in squad}
    found = [*squad, *squad_partial(data, known), *squad_sentences(data, known), *stories(data), *articles(data, generator)]
    for name in ("quac", "timeqa-human", "drop-dev-spans", "selqa"):
        found += reading(data, name)
    found += [*tables(data), *refusals(data), *medical(data, generator), *faq(data, generator)]
    sections_asked = list(documentation(data, generator))
    found += [*sections_asked, *documentation_sentences(sections_asked, generator)]
    found += misplaced(squad, generator)
    groups: dict[str, dict[str, list[dict]]] = defaultdict(lambda: defaultdict(list))
    for number, example in enumerate(found):
        groups[example["source"]][example["group"] or f"{number}"].append(example)
    chosen: list[list[dict]] = []
    for source, limit in LIMITS.items():
        n_rows, members = 0, list(groups[source].values())
        generator.shuffle(members)
        for group in members:
            if n_rows >= limit:
                break
            n_rows += len(group)
            chosen.append(group)
        print(f"{source}: {n_rows} rows")
    generator.shuffle(chosen)
    with arguments.output.open("w", encoding="utf-8") as output:
        for group in chosen:
            output.writelines(json.dumps(example, ensure_ascii=False) + "\n" for example in group)
    rows = [example for group in chosen for example in group]
    print(f"{len(rows)} rows, {sum(not example['answerable'] for example in rows)} without an answer")


if __name__ == "__main__":
    main()
