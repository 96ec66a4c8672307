//! Compares follow-ups with the questions they mean, for each way English has to leave something out.

use super::{FollowUp, MAX_TURNS, Turn, rewrite};

fn turn(question: &str, answer: &str) -> Turn {
    Turn {
        question: question.to_owned(),
        answer: answer.to_owned(),
        headings: Vec::new(),
    }
}

/// The outcome for `question` after one turn: its text, `alone` or `unclear`.
fn after(question: &str, last: &str, answer: &str) -> String {
    match rewrite(question, &[turn(last, answer)]) {
        FollowUp::StandsAlone => "alone".to_owned(),
        FollowUp::Unclear => "unclear".to_owned(),
        FollowUp::Rewritten { question, from } => {
            assert_eq!(from, 0, "the only turn, for `{question}`");
            question
        }
    }
}

fn check(last: &str, answer: &str, cases: &[(&str, &str)]) {
    for (question, expected) in cases {
        assert_eq!(
            after(question, last, answer),
            *expected,
            "`{question}` after `{last}`"
        );
    }
}

#[test]
fn a_pronoun_becomes_what_was_asked_about() {
    check(
        "How do I clean the filter?",
        "Rinse the filter with water.",
        &[
            (
                "How often should it be cleaned?",
                "How often should the filter be cleaned?",
            ),
            ("What is its size?", "What is the filter's size?"),
            ("And where can I buy it?", "Where can I buy the filter?"),
            ("Where's it made?", "Where's the filter made?"),
            (
                "Can I wash it when it is hot?",
                "Can I wash the filter when the filter is hot?",
            ),
        ],
    );
    check(
        "What are webhooks?",
        "Webhooks call a URL of yours.",
        &[
            ("How do I test them?", "How do I test webhooks?"),
            ("Are these signed?", "Are webhooks signed?"),
            ("What is their format?", "What is webhooks' format?"),
        ],
    );
}

#[test]
fn it_that_stands_for_nothing_stands_alone() {
    let cases = [
        "Is it possible to build without a network?",
        "Is it really necessary to restart the server?",
        "How long does it take to build a site of 1000 pages?",
        "How much does it cost to keep a server running?",
        "Does it make sense to use two caches?",
        "Does it matter whether the pages are in one folder?",
        "What does it mean when the light blinks?",
        "What time is it?",
    ];
    check(
        "What is a bundle?",
        "A bundle is a folder.",
        &cases.map(|case| (case, "alone")),
    );
    check(
        "What is a bundle?",
        "A bundle is a folder.",
        &[
            ("Is it able to grow?", "Is a bundle able to grow?"),
            ("What does it mean?", "What does a bundle mean?"),
            ("Is it easy to clean?", "Is a bundle easy to clean?"),
        ],
    );
}

#[test]
fn an_antecedent_in_the_question_itself_is_enough() {
    let cases = [
        "When the server starts, does it read the file?",
        "Does the worker stop if it fails?",
        "Can I export the notes and import them elsewhere?",
        "Does the model keep its weights in memory?",
        "If users delete an account, are their files kept?",
    ];
    check(
        "What is a token?",
        "A token is a word.",
        &cases.map(|case| (case, "alone")),
    );
}

#[test]
fn that_before_a_clause_or_a_noun_is_no_pronoun() {
    let cases = [
        "Which flag makes sure that the build stops?",
        "Is there a setting that hides the box?",
        "Does this page work without a network?",
        "What is new in this project?",
    ];
    check(
        "What is a token?",
        "A token is a word.",
        &cases.map(|case| (case, "alone")),
    );
}

#[test]
fn a_fragment_is_put_into_the_question_before_it() {
    check(
        "How do I install the tool on Linux?",
        "Unpack the archive.",
        &[
            ("And on Windows?", "How do I install the tool on Windows?"),
            (
                "What about on macOS?",
                "How do I install the tool on macOS?",
            ),
            ("On Windows?", "How do I install the tool on Windows?"),
            (
                "Without root?",
                "How do I install the tool on Linux without root?",
            ),
            (
                "How about the plugin?",
                "How do I install the plugin on Linux?",
            ),
            ("And remove it?", "How do I remove the tool?"),
            ("Why?", "Why do I install the tool on Linux?"),
        ],
    );
    check(
        "Is the index compressed?",
        "Yes.",
        &[
            ("Why?", "Why is the index compressed?"),
            ("How?", "How is the index compressed?"),
        ],
    );
}

#[test]
fn an_act_is_repeated_where_an_act_is_meant() {
    check(
        "How do I export the index?",
        "Run `export`.",
        &[
            (
                "How long does that take?",
                "How long does it take to export the index?",
            ),
            ("Can I do that offline?", "Can I export the index offline?"),
            ("Is that safe?", "Is that safe (export the index)?"),
            ("Is this option on by default?", "unclear"),
        ],
    );
}

#[test]
fn what_may_be_an_act_or_a_thing_is_named_beside_it() {
    check(
        "Why does the build fail with an error?",
        "An import is missing.",
        &[
            (
                "How can I avoid this?",
                "How can I avoid this (why does the build fail with an error)?",
            ),
            ("How do I run it again?", "How do I run the build again?"),
        ],
    );
    check(
        "How do I delete my account?",
        "Open Settings.",
        &[
            ("Can I undo that?", "Can I undo that (delete my account)?"),
            ("Tell me more", "Tell me more (delete my account)"),
        ],
    );
    check(
        "Can I use Postgres instead of SQLite?",
        "Yes.",
        &[
            (
                "Which is faster?",
                "Which is faster (can I use Postgres instead of SQLite)?",
            ),
            (
                "Which one is faster?",
                "Which one is faster (can I use Postgres instead of SQLite)?",
            ),
            ("And MySQL?", "Can I use MySQL instead of SQLite?"),
        ],
    );
    check(
        "Which browsers are supported?",
        "Firefox and Safari.",
        &[
            ("What about Edge?", "Edge (which browsers are supported)?"),
            ("Do they need a plugin?", "Do the browsers need a plugin?"),
        ],
    );
}

#[test]
fn where_several_things_could_be_meant_it_is_unclear() {
    check(
        "Does the proxy trust the balancer?",
        "Only with a secret.",
        &[
            ("How do I restart it?", "unclear"),
            ("Who wrote her?", "unclear"),
            ("Is the latter free?", "unclear"),
        ],
    );
    check(
        "Do the agent and the server need certificates?",
        "One each.",
        &[
            ("Where is it kept?", "unclear"),
            ("What does the second one need?", "unclear"),
        ],
    );
}

#[test]
fn more_of_something_is_told_of_what() {
    check(
        "How do I write a validator?",
        "Implement the trait.",
        &[
            (
                "Are there more examples?",
                "Are there more examples of a validator?",
            ),
            (
                "Is there anything else?",
                "Is there anything else (write a validator)?",
            ),
            ("Is there a shorter one?", "Is there a shorter validator?"),
            ("Are there limits on the size of an upload?", "alone"),
            (
                "What if I have no root?",
                "What if I have no root (write a validator)?",
            ),
        ],
    );
}

#[test]
fn a_chain_of_follow_ups_keeps_its_topic() {
    let history = [
        turn("What is the gateway?", "The gateway passes requests on."),
        turn("How do I start it?", "Run `gateway up`."),
        turn("And on Windows?", "Run `gateway.exe up`."),
    ];
    let expected = FollowUp::Rewritten {
        question: "How do I stop the gateway?".to_owned(),
        from: 2,
    };
    assert_eq!(
        rewrite("How do I stop it?", &history),
        expected,
        "after {history:?}"
    );
}

#[test]
fn turns_far_back_are_not_looked_at() {
    let mut history = vec![turn("What is the gateway?", "It passes requests on.")];
    let other = turn("Yes, please.", "");
    history.extend(std::iter::repeat_n(other, MAX_TURNS));
    assert_eq!(
        rewrite("How do I stop it?", &history),
        FollowUp::Unclear,
        "the gateway is {MAX_TURNS} turns back"
    );
    history.push(turn("What is a bundle?", ""));
    let expected = FollowUp::Rewritten {
        question: "How do I stop a bundle?".to_owned(),
        from: MAX_TURNS + 1,
    };
    assert_eq!(
        rewrite("How do I stop it?", &history),
        expected,
        "an index counts from the first turn"
    );
}

#[test]
fn other_languages_and_first_questions_stand_alone() {
    let german = turn("Wie reinige ich den Filter?", "Mit Wasser.");
    let cases = [
        "Und wie oft?",
        "Warum?",
        "Womit wird er gereinigt?",
        "In Docker?",
        "¿Cómo lo he instalado?",
        "Как его чистить?",
        "כמה זמן?",
    ];
    for question in cases {
        let found = rewrite(question, std::slice::from_ref(&german));
        assert_eq!(
            found,
            FollowUp::StandsAlone,
            "`{question}` after a German turn"
        );
    }
    assert_eq!(
        rewrite("How is it cleaned?", &[]),
        FollowUp::StandsAlone,
        "nothing was said before"
    );
}

#[test]
fn any_input_is_taken() {
    let long = "it and the filter of the ".repeat(2_000);
    let texts = [
        "",
        " ",
        "?",
        "`",
        "\"",
        "it",
        "its",
        "And",
        "And?",
        "what about",
        "What about it?",
        "and and and",
        "that that that?",
        "of",
        "why",
        "’s",
        "it’s it's they're",
        "W. W. W.",
        "`it` \"them\" “this”",
        "🦀🦀 it 🦀",
        "--- -- - . .. /",
        "one ones one?",
        "שלום it is",
        "İt İSTANBUL'S it's ǅ ß",
        "a\u{0}b it\r\n\t",
        "the of of the",
        "is is is it to to",
        "Kelvin\u{212a}'s it",
        "fn main() { let it = them[0]; }?",
        "And on?",
        "On?",
        "the second one",
        "Is the",
        "when a, is",
        long.as_str(),
    ];
    for question in texts {
        for last in texts {
            for answer in [last, "It is. 🦀."] {
                let history = [Turn {
                    question: last.to_owned(),
                    answer: answer.to_owned(),
                    headings: vec![question.to_owned(), last.to_owned()],
                }];
                if let FollowUp::Rewritten {
                    question: found,
                    from,
                } = rewrite(question, &history)
                {
                    assert!(
                        from == 0 && !found.is_empty(),
                        "`{found}` from {from}, for `{question}` after `{last}`"
                    );
                }
            }
        }
    }
    let pointing = "this option of those it ".repeat(24);
    rewrite(&pointing, &vec![turn(&pointing, &pointing); MAX_TURNS]);
    let many = vec![turn(&long, &long); 10_000];
    assert_eq!(
        rewrite(&long, &many),
        FollowUp::StandsAlone,
        "a question of {} bytes says what it is about",
        long.len()
    );
    rewrite("How is it cleaned?", &many);
}
