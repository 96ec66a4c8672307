//! Checks the shares that a build decides by, on drafts of two adapters.

use anchorite::answer::{Sentence, Timing, Window};
use anchorite::model::adapter::Voice;

use super::super::prompts::prompts;
use super::*;

fn manner() -> Voice {
    Voice {
        label: "Test".to_owned(),
        openings: vec!["Note:".to_owned()],
        closings: vec!["Anything else?".to_owned()],
    }
}

/// A draft that says `text` and cites one passage, as the check would pass it.
fn draft(text: &str, passage: usize, is_voiced: bool) -> Draft {
    let sentence = |text: &str, is_phrase: bool| Sentence {
        text: text.to_owned(),
        passages: if is_phrase { Vec::new() } else { vec![passage] },
        supported: true,
        is_phrase,
    };
    let mut sentences = vec![sentence(text, false)];
    let mut whole = format!("{text} [{passage}]");
    if is_voiced {
        sentences.push(sentence("Anything else?", true));
        whole = format!("Note: {whole} Anything else?");
    }
    Draft {
        text: whole,
        sentences,
        sources: Vec::new(),
        window: Window::default(),
        stopped: false,
        is_loop: false,
        is_voiced,
        timing: Timing::default(),
    }
}

/// The verdict if the base repeats the evidence, and the voice says what `voice` makes of each prompt.
fn verdict(voice: impl Fn(usize, &Prompt) -> Draft) -> Verdict {
    let prompts = prompts();
    let base = prompts.iter().map(|prompt| {
        let quote = &prompt.quote;
        Said::new(
            draft(&quote.text, quote.passage, false),
            prompt,
            &Phrases::default(),
        )
    });
    let base = base.collect();
    let said = prompts.iter().enumerate();
    let phrases = Phrases::new(&manner()).expect("phrases");
    let said = said.map(|(idx, prompt)| Said::new(voice(idx, prompt), prompt, &phrases));
    let said = said.collect();
    Verdict::new(manner(), &prompts, base, said, None, 200.0)
}

#[test]
fn a_voice_that_says_the_evidence_in_its_manner_is_faithful() {
    let found = verdict(|_, prompt| draft(&prompt.quote.text, prompt.quote.passage, true));
    assert!(found.is_faithful());
    assert_eq!((found.equal_citations, found.equal_facts), (1.0, 1.0));
    assert_eq!((found.style, found.base_style), (1.0, 0.0));
    assert_eq!(
        (found.shown, found.base_shown),
        (1.0, 0.0),
        "the base repeats the quotation"
    );
    assert_eq!(
        (found.f1, found.base_f1),
        (1.0, 1.0),
        "a page shows the same fact"
    );
    assert_eq!(found.milliseconds, 1.0, "200 of them took 200");
}

#[test]
fn a_text_that_gives_way_to_the_quotation_changes_nothing() {
    let found = verdict(|_, _| draft("The documents do not say.", 2, true));
    assert!(found.is_faithful() && found.shown == 0.0);
    let found = verdict(|_, prompt| draft(&prompt.quote.text, 5, true));
    assert!(
        found.is_faithful(),
        "it cites another passage than the quotation, so it is not shown"
    );
}

#[test]
fn other_facts_and_citations_are_counted() {
    let found = verdict(|idx, prompt| {
        let mut said = draft(&prompt.quote.text, prompt.quote.passage, true);
        if idx < 3 {
            // Supported, but not part of the quotation: only the comparison sees it.
            said.sentences.insert(
                1,
                draft("The hall of Delft holds 77 seats.", 4, true)
                    .sentences
                    .remove(0),
            );
        }
        said
    });
    assert_eq!(found.equal_citations, 0.985);
    assert!(found.equal_facts < 1.0 && !found.is_faithful());
}

#[test]
fn the_manner_is_told_in_words_too() {
    let told = instructions(&manner());
    assert_eq!(
        told,
        "Begin your answer with one of: Note:. End your answer with one of: Anything else?."
    );
    for (text, expected) in [
        ("Note: it is so [1]. Anything else?", true),
        ("Note: it is so [1].", false),
        ("It is so [1]. Anything else?", false),
    ] {
        assert_eq!(has_manner(&manner(), text), expected, "{text}");
    }
    let titled = Voice {
        openings: vec!["{title} says that".to_owned()],
        closings: Vec::new(),
        ..manner()
    };
    assert!(has_manner(&titled, "Pier survey says that it is long [1]."));
    assert!(!has_manner(
        &titled,
        "It is long [1]. Pier survey says that it is."
    ));
}
