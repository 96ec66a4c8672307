"""Turns the datasets into articles: lists of passages, each with its questions and the sentences that answer them."""

import csv
import json
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

from data import find, read_lines, read_text
from questions import question_for, question_for_heading, quotable, sentences

# Documentation sites that never train as pairs; evaluate.py asks about them.
HELD_OUT_SITES = {"helm-docs", "flask-docs", "va-benefits", "dart-docs", "prometheus-docs"}
# Command cheat sheets and proposals teach little about answering.
LEFT_OUT_SITES = {"tldr-pages-en", "php-manual", "swift-evolution", "kubernetes-keps"}

PASSAGE_CHARACTERS = 900
FACTOID = re.compile(r"(?:in )?(?:who|when|where|how many|how much|what year|which|what city|what country)\b", re.IGNORECASE)


@dataclass
class Question:
    text: str
    answers: list[str]  # sentences of the passage; none: nothing is known to answer it
    span: str | None = None


@dataclass
class Passage:
    title: str
    headings: list[str]
    text: str
    questions: list[Question] = field(default_factory=list)


def add_own_questions(passage: Passage, generator: random.Random, wanted: int) -> None:
    """Asks about sentences of the passage that no question asks about yet."""
    known = {answer for question in passage.questions for answer in question.answers}
    free = [sentence for sentence in sentences(passage.text) if quotable(sentence) and sentence not in known]
    for sentence in generator.sample(free, min(wanted, len(free))):
        text = question_for(sentence, generator)
        if text:
            passage.questions.append(Question(text, [sentence]))


def sentence_with(span: str, text: str, position: int | None = None) -> str | None:
    """The quotable sentence that holds the span (the one at the position, if that is known)."""
    start = 0
    for sentence in sentences(text):
        start = text.find(sentence, start)
        if span in sentence and (position is None or start <= position < start + len(sentence)):
            return sentence if quotable(sentence) else None
    return None


def squad_articles(path: Path) -> list[list[Passage]]:
    """SQuAD's own file form; questions marked impossible keep no answer."""
    articles = []
    for number, article in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"]):
        title = article.get("title", str(number)).replace("_", " ").replace("%E2%80%93", "-")
        passages = []
        for paragraph in article["paragraphs"]:
            passage = Passage(title, [], paragraph["context"].strip())
            for asked in paragraph["qas"]:
                text = asked["question"].strip()
                if asked.get("is_impossible"):
                    passage.questions.append(Question(text, []))
                elif asked["answers"]:
                    answer = asked["answers"][0]
                    sentence = sentence_with(answer["text"], passage.text, answer["answer_start"])
                    if sentence:
                        passage.questions.append(Question(text, [sentence], answer["text"]))
            passages.append(passage)
        articles.append(passages)
    return articles


def squad_training_articles(data: Path) -> list[list[Passage]]:
    passages: dict[str, Passage] = {}

    def passage_of(line: dict) -> Passage:
        context = line["context"].strip()
        return passages.setdefault(context, Passage(line["title"].replace("_", " "), [], context))

    for line in read_lines(find(data, "qa/squad-train-partial/sentences.jsonl")):
        if quotable(line["sentence"].strip()):
            passage_of(line).questions.append(Question(line["question"], [line["sentence"].strip()]))
    for line in read_lines(find(data, "qa/squad-train-partial/spans.jsonl")):
        sentence = sentence_with(line["answer"], line["context"].strip())
        if line["in_context"] and sentence:
            passage_of(line).questions.append(Question(line["question"], [sentence], line["answer"]))
    return by_title(passages.values())


def by_title(passages) -> list[list[Passage]]:
    articles: dict[str, list[Passage]] = {}
    for passage in passages:
        articles.setdefault(passage.title, []).append(passage)
    return list(articles.values())


def untokenise(text: str) -> str:
    """Joins the tokens of treebank text ("it 's -LRB- ... -RRB-") as they are written."""
    for old, new in (("-LRB-", "("), ("-RRB-", ")"), ("-LSB-", "["), ("-RSB-", "]"), ("``", '"'), ("''", '"')):
        text = text.replace(old, new)
    text = re.sub(r" ([.,;:?!)\]%]|n't\b|'(?:s|re|ve|d|ll|m)\b)", r"\1", text)
    return re.sub(r"([(\[$]) ", r"\1", text).replace(" - ", "-").strip()


def qed_articles(data: Path) -> list[list[Passage]]:
    passages = []
    for line in read_lines(find(data, "qa/qed/qed-dev.jsonlines")):
        passage = Passage(line["title_text"], [], untokenise(line["paragraph_text"]))
        chosen = line["annotation"].get("selected_sentence")
        answers = line["annotation"].get("answer") or []
        if chosen and answers and quotable(untokenise(chosen["string"])):
            span = untokenise(answers[0]["paragraph_reference"]["string"])
            passage.questions.append(Question(line["question_text"], [untokenise(chosen["string"])], span))
        passages.append(passage)
    return [passages]


def qamr_articles(data: Path) -> list[list[Passage]]:
    """Sentences of one Wikipedia or Wikinews article are joined to one passage."""
    texts = dict(line.rstrip("\n").split("\t", 1) for line in open(find(data, "qa/qamr/wiki-sentences.tsv"), encoding="utf-8"))
    groups: dict[str, dict[str, list[Question]]] = {}
    for part in ("dev", "test"):
        for row in csv.reader(open(find(data, f"qa/qamr/filtered/{part}.tsv"), encoding="utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE):
            identifier, asked, span = row[0], row[5], row[6]
            sentence = untokenise(texts[identifier])
            if quotable(sentence):
                words = [int(index) for index in span.split()]
                answer = untokenise(" ".join(texts[identifier].split()[index] for index in words))
                questions = groups.setdefault(identifier.rsplit(":", 2)[0], {}).setdefault(sentence, [])
                questions.append(Question(asked, [sentence], answer))
    passages = []
    for identifier, found in groups.items():
        chosen = [question for questions in found.values() for question in questions[:4]]
        passages.append(Passage(identifier.split(":")[1].capitalize(), [], " ".join(found), chosen))
    return [passages]


def fairytale_articles(data: Path) -> list[list[Passage]]:
    root = find(data, "qa/fairytaleqa/data-by-train-split")
    articles = []
    for path in sorted((root / "section-stories/train").glob("*.csv")):
        name = path.name.replace("-story.csv", "")
        sections = {row["section"]: " ".join(row["text"].split()) for row in csv.DictReader(open(path, encoding="utf-8"))}
        passages = {number: Passage(name.replace("-", " "), [], text) for number, text in sections.items()}
        questions = root / "questions/train" / f"{name}-questions.csv"
        if not questions.exists():
            continue
        for row in csv.DictReader(open(questions, encoding="utf-8")):
            passage = passages.get(row["cor_section"])
            sentence = passage and sentence_with(row["answer1"].strip(" ."), passage.text)
            if sentence and row["ex-or-im1"] == "explicit":
                passage.questions.append(Question(row["question"], [sentence], row["answer1"]))
        articles.append(list(passages.values()))
    return articles


def plain(text: str) -> str:
    """Markdown as a reader sees it: lines joined to paragraphs, no emphasis marks or link targets."""
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\*\*|__|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)", "", text)
    return " ".join(text.split())


def documentation_article(document: dict, generator: random.Random) -> list[Passage]:
    """Cuts a Markdown document at its headings into passages, and asks about their sentences."""
    title, headings, passages = "", [], []
    keep_backticks = generator.random() < 0.5
    for part in re.split(r"\n(?=#{1,4} )", document["text"][:30_000]):
        found = re.match(r"(#{1,4}) +(.+)\n?", part)
        if found:
            heading, depth = plain(found.group(2)), len(found.group(1))
            title = title or heading
            headings = headings[: max(0, depth - 2)] + ([heading] if depth > 1 else [])
            part = part[found.end() :]
        part = re.sub(r"```.*?(?:```|$)", "", part, flags=re.DOTALL)
        paragraphs = [plain(paragraph) for paragraph in re.split(r"\n\s*\n", part)]
        text = ""
        for paragraph in paragraphs:
            if len(text) + len(paragraph) < PASSAGE_CHARACTERS:
                text += ("\n" if text else "") + paragraph
        text = text if keep_backticks else text.replace("`", "")
        if len(text) < 150:
            continue
        passage = Passage(title or document["source"], list(headings), text)
        first = sentences(text)[0]
        if headings and quotable(first):
            passage.questions.append(Question(question_for_heading(headings[-1], generator), [first]))
        add_own_questions(passage, generator, wanted=4)
        if passage.questions:
            passages.append(passage)
    return passages


def documentation_articles(data: Path, wanted: int, seed: int, held_out: bool) -> list[list[Passage]]:
    generator = random.Random(seed)
    left_out = LEFT_OUT_SITES | HELD_OUT_SITES
    documents = [
        document
        for document in read_text(data, "docs")
        if (document["source"] in HELD_OUT_SITES if held_out else document["source"] not in left_out)
    ]
    generator.shuffle(documents)
    articles = []
    for document in documents:
        passages = documentation_article(document, generator)
        if passages:
            articles.append(passages)
        if len(articles) == wanted:
            break
    return articles


def faq_articles(data: Path, held_out: bool, most_sentences: int = 1) -> list[list[Passage]]:
    """Question headings of documentation; the answer is the start of the text under the heading."""
    passages = []
    for line in read_lines(find(data, "qa/docs-faq/faq.jsonl")):
        site = line["source"].split("/")[0]
        if (site in HELD_OUT_SITES) != held_out:
            continue
        text = plain(re.sub(r"```.*?(?:```|$)", "", line["answer"], flags=re.DOTALL))[:PASSAGE_CHARACTERS]
        answers = []
        for sentence in sentences(text)[:most_sentences]:
            if not quotable(sentence):
                break
            answers.append(sentence)
        if answers:
            heading = [line["question"]] if len(passages) % 2 else []
            passages.append(Passage(line["title"] or site, heading, text, [Question(line["question"], answers)]))
    return [passages]
