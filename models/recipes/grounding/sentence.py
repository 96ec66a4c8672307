"""Turns a question, its answer and the sentence that holds it into the sentence to write: the question's words around the answer if
that is safe, else the document's sentence without the parts that don't answer."""

import re

BE = {"is", "are", "was", "were"}
DETERMINERS = ("the ", "a ", "an ", "his ", "her ", "its ", "their ", "this ", "these ")
# A noun phrase with this ending lacks the very thing that the question asks for.
OPEN_END = re.compile(r"\b(?:called|known|for|of|in|to|as|with|by|on|from|at|about|like|named|made|than|who|that|which|and|or|is|was)$")
SUBJECT = re.compile(r"^(?:Who|What) (?P<verb>[a-z]+) (?P<rest>[^?,]+)\?$")
NOUN_OF_SUBJECT = re.compile(r"^(?:Who|What|Which) (?P<be>is|are|was|were) (?P<rest>[^?,]+)\?$")
PASSIVE = re.compile(r"^(?:(?P<when>When|In what year|In which year|What year|On what date|On which date)|(?P<where>Where|In what \w+|In which \w+)) "
                     r"(?P<be>is|are|was|were) (?P<rest>[^?]+)\?$")
ACTIVE = re.compile(r"^(?:(?P<when>When|In what year|In which year|What year|On what date|On which date)|(?P<where>Where)|"
                    r"(?P<what>What|Who|Whom|(?:What|Which|How many|How much)(?: [a-z]+){1,3})) (?P<did>did|does|do) (?P<rest>[^?]+)\?$")
NOT_A_VERB = {"did", "do", "does", "can", "could", "will", "would", "should", "may", "might", "has", "have", "had", "else", "kind", "type",
              "year", "percentage", "percent", "time", "day", "date", "month", "part", "other", "about", "if", "in", "to", "of", "at"}
PAST = {"begin": "began", "become": "became", "break": "broke", "bring": "brought", "build": "built", "buy": "bought", "catch": "caught",
        "choose": "chose", "come": "came", "draw": "drew", "drive": "drove", "fall": "fell", "feel": "felt", "fight": "fought", "find": "found",
        "fly": "flew", "get": "got", "give": "gave", "go": "went", "grow": "grew", "have": "had", "hear": "heard", "hold": "held",
        "keep": "kept", "know": "knew", "lead": "led", "leave": "left", "lose": "lost", "make": "made", "mean": "meant", "meet": "met",
        "pay": "paid", "read": "read", "rise": "rose", "run": "ran", "say": "said", "see": "saw", "sell": "sold", "send": "sent", "set": "set",
        "sign": "signed", "sing": "sang", "speak": "spoke", "spend": "spent", "stand": "stood", "take": "took", "teach": "taught",
        "tell": "told", "think": "thought", "win": "won", "write": "wrote", "put": "put", "cut": "cut", "let": "let", "show": "showed"}
PARTICIPLE = re.compile(r"^(?:\w{2,}ed|born|built|held|made|found|written|known|given|taken|sold|sent|won|lost|seen|shown|drawn|chosen|broken|"
                        r"spoken|led|set|put|cut|grown|kept|begun|buried|paid|met|left|told|taught|spent|brought|bought)$")
PREPOSITIONS = {"in", "on", "at", "by", "during", "near", "from", "around", "since", "until", "between", "after", "before", "to", "into",
                "through", "along", "within", "outside", "under", "over", "about"}
# Words with which a sentence refers to the one before.
LEAD_IN = re.compile(r"^(?:However|Moreover|Furthermore|In addition|Additionally|For example|For instance|Also|Thus|Therefore|Consequently|"
                     r"As a result|Nevertheless|Nonetheless|Meanwhile|Similarly|Likewise|Indeed|In fact|Instead|Hence|Finally), ")
CLAUSE = re.compile(r", (?:which|who|whose|where|although|though|while|whereas|but|and (?:he|she|it|they|this|these)|because|since|as well as)\b")
WORD = re.compile(r"[A-Za-z0-9]+")
FUNCTION = set("the a an of in on at to for and or is are was were be been by with from as that this it its his her their what which who when "
               "where did does do how many much year".split())


def stems(text: str) -> set[str]:
    return {word.lower()[:5] for word in WORD.findall(text)} - {word[:5] for word in FUNCTION}


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def past_of(verb: str, sentence: str) -> str | None:
    """The verb's past form as found in the sentence, so that no wrong form is made up."""
    said = set(word.lower() for word in re.findall(r"[A-Za-z]+", sentence))
    doubled = verb + verb[-1] + "ed"
    forms = (PAST.get(verb), verb + "ed", verb + "d", verb[:-1] + "ied" if verb.endswith("y") else None, doubled)
    return next((form for form in forms if form and form in said), None)


def third_of(verb: str, sentence: str) -> str | None:
    said = set(word.lower() for word in re.findall(r"[A-Za-z]+", sentence))
    forms = (verb + "s", verb + "es", verb[:-1] + "ies" if verb.endswith("y") else None)
    return next((form for form in forms if form and form in said), None)


def placed(answer: str, before: str, default: str) -> str:
    """The answer with the preposition before it in its sentence."""
    first = answer.split()[0].lower()
    if first in PREPOSITIONS:
        return answer
    words = before.split()
    said = words[-1].lower() if words else ""
    if said == "the" and len(words) > 1 and words[-2].lower() in PREPOSITIONS:
        return f"{words[-2].lower()} the {answer}"
    return f"{said if said in PREPOSITIONS else default} {answer}"


def split_at(rest: str, is_verb) -> tuple[str, str, str] | None:
    """The words before the first verb, the verb, and the words after it."""
    words = rest.split()
    for idx in range(1, min(len(words), 9)):
        if is_verb(words[idx]):
            return " ".join(words[:idx]), words[idx], " ".join(words[idx + 1 :])
    return None


def is_subject(text: str) -> bool:
    return bool(text) and (text[0].isupper() or text.lower().startswith(DETERMINERS) or len(text.split()) == 1) and not OPEN_END.search(text)


def of_question(question: str, answer: str, before: str, sentence: str) -> str | None:
    """The question's words as a statement around the answer; `before` is the text before the answer in its sentence."""
    question = question.strip()
    short = answer.strip().rstrip(".,;")
    if not short or len(short.split()) > 9 or short[0] in "\"'(" or "\n" in short:
        return None
    if found := NOUN_OF_SUBJECT.match(question):
        rest = found["rest"].strip()
        if is_subject(rest) and len(rest.split()) > 1 and not any(word in BE or word.endswith("ing") for word in rest.split()):
            return f"{capital(rest)} {found['be']} {short}."
        return None
    if found := PASSIVE.match(question):
        parts = split_at(found["rest"].strip(), lambda word: bool(PARTICIPLE.match(word)))
        if not parts or not is_subject(parts[0]) or OPEN_END.search(parts[2]):
            return None
        rest = f" {parts[2]}" if parts[2] else ""
        return f"{capital(parts[0])} {found['be']} {parts[1]}{rest} {placed(short, before, 'in')}."
    if found := ACTIVE.match(question):
        inflected = {}

        def is_verb(word: str) -> bool:
            form = past_of(word, sentence) if found["did"] == "did" else third_of(word, sentence) if found["did"] == "does" else word
            inflected[word] = form
            return word.islower() and word.isalpha() and word not in FUNCTION and form is not None and (found["did"] != "do" or word in sentence.split())

        parts = split_at(found["rest"].strip(), is_verb)
        if not parts or not is_subject(parts[0]):
            return None
        subject, verb, rest = parts
        if found["what"]:
            if rest and rest.split()[0].lower() not in PREPOSITIONS or OPEN_END.search(rest):
                return None
            return f"{capital(subject)} {inflected[verb]} {short}{' ' + rest if rest else ''}."
        if OPEN_END.search(rest):
            return None
        return f"{capital(subject)} {inflected[verb]}{' ' + rest if rest else ''} {placed(short, before, 'in')}."
    if found := SUBJECT.match(question):
        verb, rest = found["verb"], found["rest"].strip()
        ends = re.search(r"(?:ed|s|wrote|led|won|gave|took|made|built|became|began|held|found|ran)$", verb)
        if verb not in NOT_A_VERB and verb not in BE and ends and not OPEN_END.search(rest):
            return f"{capital(short)} {verb} {rest}."
    return None


def is_covered(text: str, sentence: str, heading: str) -> bool:
    """True if the check would find the words of a sentence in the evidence: three quarters of them, and every number."""
    said, held = stems(text), stems(f"{sentence} {heading}")
    numbers = {word for word in WORD.findall(text) if word.isdigit()}
    return bool(said) and len(said & held) >= 0.75 * len(said) and numbers <= set(WORD.findall(sentence))


def condensed(sentence: str, start: int, end: int) -> str:
    """The sentence without lead-in, brackets and last clause, except where they hold the characters `start..end`."""
    answer = sentence[start:end]
    kept = re.sub(r"\s*\([^()]*\)", lambda found: found[0] if answer in found[0] else "", sentence)
    without = LEAD_IN.sub("", kept)
    if without != kept and answer in without:
        kept = capital(without)
    place = kept.find(answer)
    for clause in CLAUSE.finditer(kept):
        if clause.start() >= place + len(answer) and len(kept[: clause.start()].split()) >= 6 and len(kept[clause.start() :].split()) >= 4:
            return kept[: clause.start()].rstrip(" ,;") + "."
    return kept


def to_write(question: str, answer: str, sentence: str, start: int, heading: str) -> str:
    """The sentence that answers; `start` is the answer's position in `sentence`."""
    statement = of_question(question, answer, sentence[:start], sentence)
    if statement and is_covered(statement, sentence, heading):
        return statement
    return condensed(sentence, start, start + len(answer))
