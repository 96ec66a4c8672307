//! Checks the sentences, citations and verdicts that generated texts and small sources must give.

use super::*;

fn sources() -> Vec<Source> {
    [
        "Cargo downloads your dependencies and builds them in release mode with --release.",
        "Rust 1.95 was released in 2026.",
    ]
    .iter()
    .zip(1..)
    .map(|(text, number)| Source {
        number,
        heading_path: "Cargo".to_owned(),
        text: (*text).to_owned(),
    })
    .collect()
}

fn one(text: &str) -> Sentence {
    let mut sentences = check(text, &sources());
    assert_eq!(
        sentences.len(),
        1,
        "one sentence in {text:?}: {sentences:?}"
    );
    sentences.remove(0)
}

#[test]
fn reads_the_citation_and_finds_the_support() {
    let sentence = one("Cargo downloads dependencies [1].");
    assert_eq!(sentence.text, "Cargo downloads dependencies.");
    assert_eq!(sentence.passages, [1]);
    assert!(sentence.supported, "all words stand in passage 1");
}

#[test]
fn takes_a_citation_after_the_full_stop() {
    assert_eq!(one("Cargo downloads dependencies. [1]").passages, [1]);
}

#[test]
fn flags_an_invented_number_and_a_changed_name() {
    assert!(
        !one("Rust 1.96 was released in 2026 [2].").supported,
        "1.96 is not in the passage"
    );
    assert!(
        !one("In release mode Bazel builds your dependencies [1].").supported,
        "Bazel is not in the passage"
    );
}

#[test]
fn flags_a_citation_of_no_passage_and_drops_it() {
    let sentence = one("Cargo downloads dependencies [7].");
    assert!(
        !sentence.supported && sentence.passages.is_empty(),
        "passage 7 does not exist: {sentence:?}"
    );
}

#[test]
fn gives_an_uncited_sentence_the_passage_that_supports_it() {
    assert_eq!(one("Rust 1.95 was released in 2026.").passages, [2]);
    assert!(
        !one("The moon is made of cheese.").supported,
        "no passage says so"
    );
}

#[test]
fn a_sentence_that_was_broken_off_is_left_out() {
    for (text, expected) in [
        ("It works [1]. It also", "It works [1]."),
        ("It works. [1] It also [2]", "It works. [1]"),
        ("It works. [1][2] It also", "It works. [1][2]"),
        ("It works.[1][2]", "It works.[1][2]"),
        ("It reads ports[1]", ""),
        ("Version 1.95 has it and", ""),
        ("Does it? Yes!", "Does it? Yes!"),
        ("", ""),
    ] {
        assert_eq!(whole_sentences(text), expected, "of {text:?}");
    }
}

#[test]
fn leaves_abstentions_out() {
    assert!(
        check("The documents do not say.", &sources()).is_empty(),
        "an abstention claims nothing"
    );
    assert!(
        is_abstention(" the documents do not say"),
        "punctuation and case do not matter"
    );
}

#[test]
fn a_citation_that_does_not_support_is_dropped() {
    let sentence = one("Cargo downloads dependencies [1, 2].");
    assert_eq!(sentence.passages, [1], "passage 2 says nothing of it");
    assert!(sentence.supported, "passage 1 does");
    let sentence = one("Cargo downloads dependencies [2].");
    assert!(
        !sentence.supported && sentence.passages.is_empty(),
        "passage 2 alone says nothing of it: {sentence:?}"
    );
}

#[test]
fn a_known_citation_stands_beside_one_of_no_passage() {
    let sentence = one("Cargo downloads dependencies [1][9].");
    assert_eq!(sentence.passages, [1], "of {sentence:?}");
    assert!(sentence.supported, "passage 1 supports it");
}

#[test]
fn a_passage_counts_as_far_as_it_stood_in_the_prompt() {
    let mut cut = sources();
    cut[0].text = "Cargo downloads your dependencies.".to_owned();
    let text = "It builds them with --release [1].";
    assert!(
        check(text, &sources())[0].supported,
        "the whole passage says so"
    );
    assert!(
        !check(text, &cut)[0].supported,
        "the prompt held no more of it"
    );
}

#[test]
fn headings_stand_for_the_subject() {
    let source = Source {
        number: 3,
        heading_path: "Guide > Backups".to_owned(),
        text: "They run every night.".to_owned(),
    };
    let sentences = check("Backups run every night [3].", &[source]);
    assert_eq!(sentences[0].passages, [3], "the heading names them");
}

#[test]
fn an_index_is_code_and_stays() {
    let source = Source {
        number: 1,
        heading_path: "Ports".to_owned(),
        text: "The first port is ports[0], and ports[1] is the debug port.".to_owned(),
    };
    let sentences = check(
        "The debug port is ports[1] [1].",
        std::slice::from_ref(&source),
    );
    assert_eq!(
        sentences[0].text, "The debug port is ports[1].",
        "the index is kept"
    );
    assert_eq!(sentences[0].passages, [1], "of {sentences:?}");
    let sentences = check("The debug port is ports[2] [1].", &[source]);
    assert!(!sentences[0].supported, "another index: {sentences:?}");
}

#[test]
fn text_of_any_form_and_length_is_read() {
    let sentences: String = (0..10_000)
        .map(|idx| format!("Pump {idx} has {} valves. ", idx * 7))
        .collect();
    let numbers: String = (0..10_000).map(|idx| format!("{idx} ")).collect();
    let repeated = [
        ("one word without an end", "x", 50_000),
        ("one sentence of one word", "word ", 10_000),
        ("names", "Anna Bert ", 5_000),
        ("negators and forces", "not no never only must ", 2_500),
        ("opposites", "before after more less ", 2_500),
        ("code", "`a::b` f(x)[1] --flag ", 2_500),
        ("backticks", "` ", 25_000),
        ("open brackets", "[", 50_000),
        ("closing brackets", "] ", 25_000),
        ("markers", "[1] ", 12_500),
        ("right to left", "إعادة التشغيل ضرورية. ", 1_000),
        ("no spaces", "端口是八零八零", 3_000),
        ("emoji", "👩‍👩‍👧 👍 ", 3_000),
    ]
    .map(|(name, piece, n)| (name, piece.repeat(n)));
    let odd = [
        "",
        "`",
        "```",
        "[",
        "[1",
        "]",
        "-",
        "--",
        "$",
        "1",
        "1,",
        "1..2",
        "\u{202e}abc 12",
        "a\u{301}b_c::d()[1]",
        "\u{feff}",
        "99999999999999999999999999999999999999999999999999",
        "C++ C# .NET",
        "- - -",
        "x [99999999999999999999]",
        "°",
        "5 per",
        "v",
    ]
    .map(|text| (text, text.to_owned()));
    let long = [("10,000 sentences", sentences), ("numbers", numbers)];
    for (name, text) in odd.into_iter().chain(repeated).chain(long) {
        let source = Source {
            number: 1,
            heading_path: text.clone(),
            text: text.clone(),
        };
        for sentence in check(&text, &[source]) {
            assert!(
                sentence.supported == (sentence.passages == [1]),
                "{name}: cites what supports it, found {:?}",
                sentence.passages
            );
        }
        assert!(
            text.starts_with(whole_sentences(&text)),
            "{name}: whole sentences are a beginning"
        );
        let score = support(&text, &text);
        assert!((0.0..=1.0).contains(&score), "{name}: a score of {score}");
    }
}

#[test]
fn citations_are_told_as_they_are_written_and_nothing_is_supported_without_a_source() {
    let cases: [(&str, &[usize]); 4] = [
        ("The port is 80 [2]. It is free. [1][2]", &[1, 2]),
        ("The port is 80 [9, 3].", &[3, 9]),
        ("Take `ports[1]` of them.", &[]),
        ("", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(citations(text), expected, "{text:?}");
        let found = check(text, &[]);
        assert!(
            found.iter().all(|sentence| !sentence.supported),
            "without a source: {found:?}"
        );
    }
}

#[test]
fn a_score_falls_with_each_fault() {
    let source = "The server listens on port 8080 by default.";
    let scores = [
        "The server listens on port 8080 by default.",
        "The server listens on port 8081 by default.",
        "The server never listens on port 8081 by default.",
        "Cheese is made of milk.",
    ]
    .map(|claim| support(claim, source));
    assert!(
        scores.is_sorted_by(|one, other| one > other),
        "falling scores: {scores:?}"
    );
}

#[test]
fn a_voice_is_judged_without_its_phrases() {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let phrases = Phrases::new(&anchorite_model::adapter::Voice {
        label: "Test".to_owned(),
        openings: owned(&["Good question.", "Note:", "{title} says that"]),
        closings: owned(&["Anything else?"]),
    })
    .expect("phrases");
    let check = |text: &str| {
        let sentences = check_voice(text, &sources(), &phrases);
        let told = sentences.into_iter();
        told.map(|one| (one.is_phrase, one.supported, one.passages))
            .collect::<Vec<_>>()
    };
    let phrase = || (true, true, Vec::new());
    for (text, expected) in [
        (
            "Good question. Rust 1.95 was released in 2026 [2]. Anything else?",
            vec![phrase(), (false, true, vec![2]), phrase()],
        ),
        (
            "Note: Cargo downloads dependencies [1].",
            vec![(false, true, vec![1])],
        ),
        (
            "Cargo says that Rust 1.95 was released in 2026 [2].",
            vec![(false, true, vec![2])],
        ),
        // A phrase does not support what follows it, and its form must be exact.
        (
            "Note: Rust 1.96 was released in 2026 [2].",
            vec![(false, false, vec![])],
        ),
        (
            "Bazel says that Rust 1.95 was released in 2026 [2].",
            vec![(false, false, vec![])],
        ),
        (
            "Rust 1.95 was released in 2026 [2]. Anything else to fear?",
            vec![(false, true, vec![2]), (false, false, vec![])],
        ),
        ("Good question [2].", vec![phrase()]),
        ("The documents do not say.", vec![]),
    ] {
        assert_eq!(check(text), expected, "{text}");
    }
    let reported = check_voice(
        "Cargo says that Rust 1.95 was released in 2026 [2].",
        &sources(),
        &phrases,
    );
    assert_eq!(
        reported[0].text,
        "Cargo says: Rust 1.95 was released in 2026."
    );
    let plain = check_voice("Good question.", &sources(), &Phrases::default());
    assert!(
        !plain[0].supported && !plain[0].is_phrase,
        "without the voice it is a claim"
    );
}

#[test]
fn facts_are_shared_however_they_are_put() {
    for (one, other, expected) in [
        ("It takes 30 days.", "After 30 days it ends.", (2, 2)),
        ("It takes 30 days.", "It takes 31 days.", (0, 2)),
        ("It takes 30 days.", "It takes 30 hours.", (0, 2)),
        (
            "Use `--cache` with Cargo here.",
            "With Cargo, `--cache` helps.",
            (4, 4),
        ),
        ("Use `--cache` here.", "Use `--cash` here.", (0, 2)),
        ("the port is free", "the port is taken", (0, 0)),
        ("", "", (0, 0)),
    ] {
        assert_eq!(shared_facts(one, other), expected, "{one} / {other}");
    }
    let (shared, all) = shared_facts(
        "Membership costs 12 euros.",
        "The membership costs 12 euros.",
    );
    assert_eq!(shared, all, "a first word's capital says nothing");
    let (shared, all) = shared_facts("The hall is by Anna Lind.", "The hall is by Jan Lind.");
    assert!(shared < all);
}
