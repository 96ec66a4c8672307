//! Reads hand-written files of judged questions into pages and questions, or refuses them.

use super::*;

const SQUAD: &str = r#"{"version": "v2.0", "data": [
  {"title": "Oil_crisis", "paragraphs": [
    {"context": "Öl: it began in 1973.", "qas": [
      {"id": 7, "question": "When did it begin?", "answers": [{"text": "1973", "answer_start": 16}], "is_impossible": false},
      {"id": "b", "question": "When did it end?", "answers": [], "is_impossible": true, "plausible_answers": []}]},
    {"context": "It ended later.", "qas": [
      {"question": "When did it end?", "answers": [
        {"text": "later", "answer_start": 3}, {"text": "later.", "answer_start": 9}, {"text": "soon", "answer_start": 900}]}]}]},
  {"title": "Oil crisis", "paragraphs": [{"context": "Another.", "qas": []}]},
  {"title": " ", "paragraphs": []}
]}"#;

const LINES: &str = r#"
{"question": "Who?", "context": "Ann came.", "answers": [{"text": "Ann", "start": 0}], "impossible": false, "title": "T", "pair": "x"}
{"question": "Why?", "context": "Ann came.", "answers": [], "impossible": true, "title": "T"}

{"question": "Where?", "context": "To York.", "answers": [{"text": "York", "start": 3}], "title": "T"}
{"question": "Who?", "context": "Bob left.", "answers": [{"text": "Bob", "start": 0}]}
{"question": "Who left?", "context": "Bob left.", "answers": [{"text": "Bob", "start": 0}]}
"#;

fn read_text(text: &str) -> anyhow::Result<Set> {
    parse(text, "test".to_owned())
}

fn pages(set: &Set) -> Vec<(&str, &str, usize)> {
    let page = |document: &'_ Document| document.sections.len();
    let pages = set.documents.iter();
    pages
        .map(|one| (one.url.as_str(), one.title.as_str(), page(one)))
        .collect()
}

#[test]
fn articles_become_pages_and_paragraphs_sections() {
    let set = read_text(SQUAD).expect("it is in SQuAD's form");
    assert_eq!(
        pages(&set),
        [
            ("Oil_crisis", "Oil crisis", 2),
            ("Oil_crisis-2", "Oil crisis", 1)
        ],
        "addresses, titles and sections"
    );
    let first = Case {
        question: "When did it begin?".to_owned(),
        page: "Oil_crisis".to_owned(),
        answers: vec!["1973".to_owned()],
        is_answerable: true,
        expected: vec!["Oil_crisis#p-1".to_owned()],
        scope: Scope::Only(vec!["Oil_crisis#p-1".to_owned()]),
    };
    assert_eq!(set.cases[0], first, "the first question");
    let impossible = &set.cases[1];
    assert!(
        !impossible.is_answerable && impossible.expected.is_empty(),
        "no address answers it: {impossible:?}"
    );
    assert_eq!(
        set.cases[2].expected,
        ["Oil_crisis#p-2"],
        "the second paragraph"
    );
    let anchors: Vec<_> = set.documents[0].sections.iter().collect();
    assert_eq!(anchors[1].anchor.as_deref(), Some("p-2"), "its anchor");
}

#[test]
fn starts_count_characters_and_wrong_ones_are_told() {
    let set = read_text(SQUAD).expect("it is in SQuAD's form");
    // `Ö` is two bytes and one character; `later.` begins at 9, `later` too but is said to at 3; `soon` is nowhere.
    let expected = Misplaced {
        answers: 4,
        elsewhere: 1,
        absent: 1,
    };
    assert_eq!(set.misplaced, expected, "of the answers above");
}

#[test]
fn lines_of_a_title_share_a_page_and_contexts_a_section() {
    let set = read_text(LINES).expect("lines of JSON");
    assert_eq!(
        pages(&set),
        [("T", "T", 2), ("page-2", "", 1)],
        "addresses, titles and sections"
    );
    let expected: Vec<&[String]> = set.cases.iter().map(|case| &case.expected[..]).collect();
    assert_eq!(expected[0], ["T#p-1"], "the first line");
    assert!(expected[1].is_empty(), "the second is impossible");
    assert_eq!(expected[2], ["T#p-2"], "another context of the title");
    assert_eq!(expected[3], expected[4], "one context without a title");
    assert_eq!(set.misplaced.answers, 4, "and none of them misplaced");
}

#[test]
fn mistakes_name_their_place_and_what_was_expected() {
    let long = format!(
        r#"{{"question": "{}", "context": "x", "answers": []}}"#,
        "why ".repeat(600)
    );
    let many = format!(
        r#"{{"question": "Why?", "context": "x", "answers": [{}]}}"#,
        vec![r#"{"text": "x", "start": 0}"#; 1_001].join(",")
    );
    let cases = [
        ("", "there is no question"),
        ("\n \n", "there is no question"),
        ("\u{feff}", "there is no question"),
        (r#"{"data": []}"#, "there is no question"),
        (
            r#"{"data": [{"title": "x", "paragraphs": []}]}"#,
            "there is no question",
        ),
        ("{", "EOF"),
        ("[]", "line 1"),
        (
            r#"{"data": [{"title": "x", "paragraphs": [{"context": "y"}]}]}"#,
            "missing field `qas`",
        ),
        (
            r#"{"data": [{"paragraphs": [{"context": " ", "qas": []}]}]}"#,
            "article 1, paragraph 1: expected a text",
        ),
        (
            r#"{"data": [{"paragraphs": [{"context": "y", "qas": [{"question": "Why?"}]}]}]}"#,
            "article 1, paragraph 1, question 1: expected answers, or a question that is said to be impossible",
        ),
        (
            "{\"question\": \"Who?\", \"context\": \"A.\", \"impossible\": true}\n\n{\"question\": 1}",
            "line 3: invalid type",
        ),
        (
            r#"{"question": "?!", "context": "A.", "impossible": true}"#,
            "line 1: expected a question, found `?!`",
        ),
        (
            r#"{"question": "Who?", "context": "A.", "impossible": true, "answers": [{"text": "A", "start": 0}]}"#,
            "line 1: expected no answers",
        ),
        (
            r#"{"question": "Who?", "context": "A.", "answers": [{"text": "A", "start": -1}]}"#,
            "line 1: invalid value",
        ),
        (
            r#"{"question": "Who?", "context": "A.", "answers": [{"text": " ", "start": 0}]}"#,
            "line 1: expected a text in each answer",
        ),
        (&long, "line 1: expected at most 2000 characters"),
        (&many, "line 1: expected at most 1000 answers, found 1001"),
    ];
    for (text, expected) in cases {
        let shown: String = text.chars().take(100).collect();
        let error = read_text(text).expect_err(&shown).to_string();
        assert!(
            error.contains(expected),
            "for {shown:?}: expected {expected:?}, found {error:?}"
        );
    }
}

#[test]
fn a_long_file_takes_no_time_with_the_square_of_its_length() {
    // One title, 20,000 contexts, the last with an answer near its end.
    let mut text = String::new();
    for number in 0..20_000 {
        let line = format!(
            r#"{{"question": "Which {number}?", "context": "Number {number}.", "answers": [{{"text": "{number}", "start": 7}}], "title": "N"}}"#
        );
        text.push_str(&line);
        text.push('\n');
    }
    let context = "word ".repeat(10_000);
    let answer = r#"{"text": "word", "start": 49995}"#;
    let answers = vec![answer; 1_000].join(",");
    text.push_str(&format!(
        r#"{{"question": "Last?", "context": "{context}", "answers": [{answers}], "title": "N"}}"#
    ));
    let set = read_text(&text).expect("lines of JSON");
    assert_eq!(set.documents[0].sections.len(), 20_001, "sections");
    let Misplaced {
        elsewhere, absent, ..
    } = set.misplaced;
    assert_eq!((elsewhere, absent), (0, 0), "all stand where they should");
}
