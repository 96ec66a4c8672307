"""Turns sentences of plain documentation into questions that the sentence answers."""

import random
import re

STOP_WORDS = set(
    "a about above after again all also always an and any are as at be because been before being below between both but by "
    "can cannot could did do does doing down during each either even every few first for from further get gets give given "
    "had has have having he her here his how however i if in into is it its itself just later like made make makes many may "
    "might more most much must need needs no nor not now of off on once one only or other our out over own per same see "
    "set shall she should since so some such than that the their them then there these they this those through to too two "
    "under until up use used uses using very via was we were what when where whether which while who whom why will with "
    "within without would you your".split()
)

# (shape of the sentence, questions it answers); the groups of the shape fill the question.
SHAPES = [
    (r"(?:The |An? )?([A-Z`][\w.` -]{1,40}?) (?:is|are) (?:an? |the |used )", ["What is {0}?", "what is {0}", "What does {0} mean?"]),
    (r"(?:The |An? )?([A-Z`][\w.` -]{1,40}?) (allows|provides|returns|creates|contains|supports|requires|uses|takes|means)\b", ["What does {0} do?", "What about {0}?", "{0}"]),
    (r"To ([a-z]+ [\w.`' -]{3,60}?),", ["How do I {0}?", "How can I {0}?", "how to {0}"]),
    (r"(?:You|We) (?:can|could|may|should|must|need to|have to) (?:also )?([a-z]+ [\w.`' -]{3,60}?)(?: by| with| using| in| from|,|\.)", ["How do I {0}?", "Can I {0}?", "How can I {0}?"]),
    (r"If (you [\w.`' -]{4,60}?|the [\w.`' -]{4,60}?|an? [\w.`' -]{4,60}?),", ["What if {0}?", "What happens if {0}?"]),
    (r"When (you [\w.`' -]{4,60}?|the [\w.`' -]{4,60}?|an? [\w.`' -]{4,60}?),", ["What happens when {0}?"]),
    (r"Use ([\w.`' -]{3,40}?) to ([\w.`' -]{3,60}?)(?:,|\.| by| with)", ["How do I {1}?", "What is {0} for?"]),
    (r"By default, ([\w.`' -]{4,50})", ["What is the default: {0}?", "What happens by default with {0}?"]),
]

KEYWORD_FORMS = [
    "{words}",
    "{words}?",
    "What about {words}?",
    "What does it say about {words}?",
    "Tell me about {words}.",
    "How does {first} work with {rest}?",
    "Why {words}?",
    "When {words}?",
    "How do I {words}?",
    "What is said on {first} and {rest}?",
    "Which {words}?",
]


def lower_first(text: str) -> str:
    """A phrase as it stands inside a question; names such as HTTP or `cargo` stay as they are."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def keywords(sentence: str, generator: random.Random) -> list[str]:
    words = [word for word in re.findall(r"[A-Za-z][\w-]+", sentence) if word.lower() not in STOP_WORDS]
    unique = list(dict.fromkeys(words))
    if len(unique) < 2:
        return []
    wanted = min(len(unique), generator.choice((2, 2, 3, 3, 4, 5)))
    start = generator.randrange(len(unique) - wanted + 1)
    # Neighbours half of the time, words from anywhere in the sentence otherwise.
    if generator.random() < 0.5:
        return unique[start : start + wanted]
    return [unique[index] for index in sorted(generator.sample(range(len(unique)), wanted))]


def question_for(sentence: str, generator: random.Random) -> str | None:
    """A natural question where the sentence has a known shape, else a question made of its keywords."""
    for shape, forms in SHAPES:
        found = re.match(shape, sentence)
        if found and generator.random() < 0.6:
            groups = [lower_first(group.strip()) for group in found.groups()]
            return generator.choice(forms).format(*groups)
    words = keywords(sentence, generator)
    if not words:
        return None
    if generator.random() < 0.5:
        words = [word.lower() for word in words]
    form = generator.choice(KEYWORD_FORMS)
    return form.format(words=" ".join(words), first=words[0], rest=" ".join(words[1:]))


def question_for_heading(heading: str, generator: random.Random) -> str:
    heading = heading.strip(" `*_:.")
    if heading.endswith("?"):
        return heading
    verb = re.match(r"([A-Z][a-z]+?)ing (.+)", heading)
    if verb and generator.random() < 0.6:
        return f"How do I {verb.group(1).lower()} {verb.group(2)}?"
    form = generator.choice(("{}", "What is {}?", "How does {} work?", "What about {}?", "Tell me about {}."))
    return form.format(lower_first(heading))


ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|Mr|Mrs|Dr|St|No|U\.S|approx|cf|al)\.|\b[A-Z]\.)$")


def sentences(text: str) -> list[str]:
    """Cuts at full stops that end a sentence."""
    found, start = [], 0
    for gap in re.finditer(r"(?<=[.!?])[\"')\]]?\s+(?=[\"'(`\[]?[A-Z0-9])", text):
        piece = text[start : gap.end()].strip()
        if not ABBREVIATION.search(piece):
            found.append(piece)
            start = gap.end()
    if text[start:].strip():
        found.append(text[start:].strip())
    return found


def quotable(sentence: str) -> bool:
    """Whether a sentence can stand alone as an answer: prose of a fair length, no list item, code or table."""
    words = sentence.split()
    return (
        5 <= len(words) <= 40
        and sentence[-1] in ".!?"
        and "\n" not in sentence
        and bool(re.match(r"[\"'`(]?[A-Z0-9`]", sentence))
        and not re.search(r"[|{}<>#]|\]\(|```|==", sentence)
    )
