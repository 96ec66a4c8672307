//! `anchorite search` and `anchorite ask`: cited answers, honest silence, refused questions.

use harness::script::Script;
use harness::{Site, anchorite_reading, anchorite_unread, path_text};
use serde_json::Value;

const PUMPS: &[u8] = b"# Pumps\n\nA pump moves water uphill.\n\n## Starting a pump\n\nTurn the red wheel to the left until \
the needle stands at seven bar. Then open the valve slowly, or the pipe will burst.\n";
const BREAD: &[u8] = b"# Bread\n\nFlour, water and salt.\n\n## Baking bread\n\nBake the loaf for forty minutes in a hot oven. \
Let it cool on a grid before you cut it.\n";

fn built() -> Site {
    let site = Site::new(&[("pumps.md", PUMPS), ("bread.md", BREAD)]);
    let run = site.build(&[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    site
}

#[test]
fn an_answer_quotes_the_sentence_and_cites_its_section() {
    let run = built().run("ask", &["How long do I bake the loaf?", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let answer: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(answer["outcome"], "answered", "{answer}");
    assert_eq!(
        answer["quote"]["text"], "Bake the loaf for forty minutes in a hot oven.",
        "{answer}"
    );
    let number = answer["quote"]["passage"]
        .as_u64()
        .expect("a passage's number");
    let passage = answer["passages"]
        .as_array()
        .expect("passages")
        .iter()
        .find(|passage| passage["number"] == number);
    assert_eq!(
        passage.expect("the cited passage")["url"],
        "bread.html#baking-bread",
        "{answer}"
    );
}

#[test]
fn questions_from_standard_input_are_answered_line_by_line() {
    let site = built();
    let bundle = site.bundle();
    let input = "How long do I bake the loaf?\n\nHow do I start the pump?\n";
    let run = anchorite_reading(input, &["ask", path_text(&bundle), "--json", "-"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let questions: Vec<String> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an answer a line"))
        .map(|answer| answer["question"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        questions,
        ["How long do I bake the loaf?", "How do I start the pump?"]
    );
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let site = built();
    let bundle = site.bundle();
    for words in [
        &["search", path_text(&bundle), "bread"][..],
        &["ask", path_text(&bundle), "How long do I bake the loaf?"],
        &["inspect", path_text(&bundle)],
        &["--help"],
    ] {
        assert_eq!(anchorite_unread(words), "", "{words:?}");
    }
}

const HOUSE: &[u8] = b"# House\n\n## Boiler\n\nBleed the radiators before the heating season begins.\n\n\
1. Turn the pump off.\n2. Open the valve with the square key until water comes.\n3. Check the pressure.\n\n\
## Codes\n\n| Code | Meaning |\n| --- | --- |\n| F2 | the burner is too hot |\n| F4 | there is no flame |\n";

#[test]
fn steps_are_quoted_whole_and_a_table_by_its_row() {
    let site = Site::new(&[("house.md", HOUSE), ("bread.md", BREAD)]);
    let run = site.build(&[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for (question, expected) in [
        (
            "How do I bleed the radiators?",
            "1. Turn the pump off.\n2. Open the valve with the square key until water comes.\n3. Check the pressure.",
        ),
        (
            "What does code F4 mean?",
            "Code | Meaning\n\u{2026}\nF4 | there is no flame",
        ),
    ] {
        let run = site.run("ask", &[question, "--json"]);
        let answer: Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!(answer["quote"]["text"], expected, "{answer}");
    }
}

#[test]
fn a_question_in_other_words_finds_the_section_by_meaning() {
    let run = built().run(
        "search",
        &["oven temperature cooking time", "--limit", "1", "--json"],
    );
    assert!(run.stdout.contains("bread.html"), "{}", run.stdout);
}

#[test]
fn a_section_that_is_named_as_the_query_comes_first() {
    let about = b"# Handling crates\n\nCrates of fruit: how to lift crates, stack crates and open crates without a bar.\n";
    let part = b"# Warehouse\n\n## Empty crates\n\nThey go back on Monday.\n";
    let page = b"---\ntitle: Crates\n---\n\nSee the list below.\n";
    let site = Site::new(&[("about.md", about), ("part.md", part), ("crates.md", page)]);
    site.build(&[]).works();
    for (query, expected) in [
        ("Empty crates", "part.html#empty-crates"),
        ("empty  CRATES", "part.html#empty-crates"),
        ("crates", "crates.html"),
        ("handling crates", "about.html#handling-crates"),
    ] {
        let run = site.run("search", &[query, "--json"]);
        let found: Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!(found[0]["url"], expected, "{query}: {found}");
    }
}

#[test]
fn made_up_words_find_nothing() {
    let site = built();
    for query in ["qwzzrtp", "blorfnak sturvel", "ghjkl vbnmx"] {
        let run = site.run("search", &[query, "--json"]);
        assert_eq!(run.stdout.trim(), "[]", "{query}");
    }
    let run = site.run("search", &["plumbing", "--json"]);
    assert!(
        run.stdout.contains("pumps.html"),
        "a word of like meaning: {}",
        run.stdout
    );
}

#[test]
fn a_word_of_one_page_does_not_find_every_other() {
    let site = built();
    for (query, page) in [("needle", "pumps.html"), ("loaf", "bread.html")] {
        let run = site.run("search", &[query, "--json"]);
        let hits: Vec<Value> = serde_json::from_str(&run.stdout).expect("a list");
        let urls = hits
            .iter()
            .map(|hit| hit["url"].as_str().unwrap_or_default());
        let others: Vec<&str> = urls.clone().filter(|url| !url.starts_with(page)).collect();
        assert!(urls.count() > others.len(), "{query}: {}", run.stdout);
        assert!(others.is_empty(), "{query}: {others:?}");
    }
}

#[test]
fn what_the_documents_do_not_say_is_said() {
    let run = built().run("ask", &["Who won the chess championship in 1972?"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("The documents do not say."),
        "{}",
        run.stdout
    );
}

#[test]
fn the_number_or_the_name_asked_about_stands_in_the_quotation() {
    let codes = b"# The feeder\n\n## Blink codes\n\nThe lamp blinks when it stops.\n\n| blinks | meaning |\n| --- | --- |\n\
| 3 | the hopper is empty |\n| 4 | the auger is jammed |\n| 5 | the battery is low |\n\n## Errors\n\n\
- F110: the clock was never set.\n- F120: the door stands open.\n\n## Options\n\n\
With `--tray` it fills the tray. With `--tray-only` it fills nothing else.\n\n## Menus\n\n\
| bowl | holds | served |\n| --- | --- | --- |\n| red | millet | at dawn |\n| blue | barley | at noon |\n\
| green | sorghum | at noon |\n| black | oats | at dusk |\n";
    let site = Site::new(&[("feeder.md", codes), ("bread.md", BREAD)]);
    let run = site.build(&[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let cases = [
        ("What does blink code 4 mean?", Some("the auger is jammed")),
        ("What does blink code 5 mean?", Some("the battery is low")),
        ("What does blink code 9 mean?", None),
        ("What is F120?", Some("the door stands open")),
        ("What is F130?", None),
        (
            "What does --tray do?",
            Some("With --tray it fills the tray."),
        ),
        ("What does --tray-all do?", None),
        ("Which bowl holds sorghum?", Some("green | sorghum")),
        (
            "When is the barley served?",
            Some("blue | barley | at noon"),
        ),
    ];
    for (question, expected) in cases {
        let run = site.run("ask", &[question, "--json"]);
        let answer: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let is_claimed = answer["outcome"] == "answered";
        let quoted = answer["quote"]["text"].as_str().unwrap_or_default();
        match expected {
            Some(words) => assert!(quoted.contains(words), "{question}: {answer}"),
            None => assert!(!is_claimed, "{question}: {answer}"),
        }
    }
}

#[test]
fn the_sentence_beside_the_one_that_repeats_the_question_is_quoted() {
    let site = Site::new(&[
        (
            "parts.md",
            b"# Parts of files\n\nLarge files are divided into parts. No part is larger than 20 MiB.\n\n\
              ## Ask about parts\n\nThe same question, in a terminal:\n\n```sh\nlibrary ask \"How are parts of files put together again?\"\n```\n\n\
              Parts are joined in the order of their numbers.\n",
        ),
        (
            "compost.md",
            b"# Compost\n\nMeat and cooked food attract rats. Never add them to an open heap.\n",
        ),
    ]);
    assert_eq!(site.build(&["--no-calibration"]).code, 0);
    for (question, part) in [
        (
            "How large may a part of a file be?",
            "No part is larger than 20 MiB.",
        ),
        (
            "How are parts of files put together again?",
            "Parts are joined in the order of their numbers.",
        ),
        (
            "What must not be added to an open heap?",
            "Meat and cooked food attract rats. Never add them",
        ),
    ] {
        let answers = site.answers(&[question], &[]);
        let quote = answers[0]["quote"]["text"].as_str().unwrap_or_default();
        assert!(quote.contains(part), "{question}: {quote}");
    }
}

#[test]
fn an_empty_question_is_refused() {
    for question in ["  ", "\u{202e}", "\u{200b}"] {
        let run = built().run("ask", &[question]);
        assert_eq!(run.code, 2, "{question:?}: {}", run.stderr);
        assert!(
            run.stderr.contains("error: the question is empty") && run.stderr.contains("hint: "),
            "{question:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn a_question_of_ten_thousand_words_is_refused_with_both_lengths() {
    let question = "water ".repeat(10_000);
    let run = built().run("ask", &[&question]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("60000 characters, at most 2000"),
        "{}",
        run.stderr
    );
}

#[test]
fn symbols_that_no_page_holds_are_not_answered() {
    for symbol in ["§", "🦀", " ?! "] {
        let run = built().run("ask", &[symbol]);
        assert_eq!(run.code, 0, "{symbol}: {}", run.stderr);
        assert!(
            run.stdout.contains("The documents do not say."),
            "{symbol}: {}",
            run.stdout
        );
    }
}

/// Whatever the pages and the question look like, there is an answer, and every line of its quotation is on a page.
#[test]
fn odd_pages_and_odd_questions_get_an_answer_that_stands_on_a_page() {
    let mut many = "# Pumps\n\n".to_owned();
    for number in 0..2_000 {
        many += &format!("Pump {number} hums at night. ");
    }
    let endless = format!("# Valve\n\nThe valve {} closes", "turns and ".repeat(5_000));
    let code = format!(
        "# Script\n\n```sh\n{}```\n",
        "pump --start --valve 7\n".repeat(200)
    );
    let hebrew = "# משאבה\n\nהמשאבה מעבירה מים במעלה ההר. פתחו את השסתום לאט.\n";
    let pages = [
        ("many.md", many.as_bytes()),
        ("endless.md", endless.as_bytes()),
        ("code.md", code.as_bytes()),
        ("hebrew.md", hebrew.as_bytes()),
    ];
    let site = Site::new(&pages);
    let run = site.build(&[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let long = format!("Which pump hums at night {}?", "and at night ".repeat(140));
    let questions = [
        "Pump 1999?",
        "What does the valve do?",
        "How do I start the pump from a script?",
        "מה עושה המשאבה?",
        "Welche Pumpe brummt in der Nacht?",
        "\u{201c}hums at night\u{201d} which one",
        "«pump --start»",
        "why",
        &long,
    ];
    let answers = site.answers(&questions, &[]);
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let all = squeezed(&format!("{many}\n{endless}\n{code}\n{hebrew}"));
    let mut n_quotes = 0;
    for answer in &answers {
        let Some(quote) = answer["quote"]["text"].as_str() else {
            continue;
        };
        n_quotes += 1;
        for part in quote.split('\u{2026}').flat_map(str::lines) {
            let part = squeezed(part.trim_matches(['`', ' ']));
            assert!(
                all.contains(&part),
                "`{part:.80}` stands nowhere: {answer:.300}"
            );
        }
    }
    assert!(
        n_quotes >= 3,
        "some are quoted: {n_quotes} of {}",
        answers.len()
    );
}

/// A site with a generator that writes a known text, and its adapter.
fn with_script(script: Script) -> Site {
    let site = Site::new(&[("pumps.md", PUMPS), ("bread.md", BREAD)]);
    let files = [
        ("script.gguf", script.gguf),
        ("adapter.gguf", script.adapter),
    ];
    let [generator, adapter] = files.map(|(name, bytes)| {
        let path = site.beside(name);
        std::fs::write(&path, bytes).expect("written");
        path
    });
    let weights = [
        "--generator",
        path_text(&generator),
        "--adapter",
        path_text(&adapter),
    ];
    site.build(&weights).works();
    site
}

#[test]
fn a_text_that_says_what_is_quoted_is_the_answer_and_another_is_left_out() {
    let site = with_script(Script::new(
        "You bake the loaf for forty minutes.",
        "Sixty seconds in a pan suffice.",
    ));
    let ask = |options: &[&str]| {
        let words = [&["How long do I bake the loaf?"], options].concat();
        site.run("ask", &words)
    };
    let run = ask(&["--no-adapter"]);
    run.works();
    let quote = run
        .stdout
        .find("Bake the loaf for forty minutes in a hot oven.");
    let text = run.stdout.find("You bake the loaf for forty minutes. [1]");
    assert!(quote.is_some() && text > quote, "both: {}", run.stdout);
    // The sources do not contain this word.
    let run = ask(&["--no-lock"]);
    run.works();
    assert!(!run.stdout.contains("Sixty"), "{}", run.stdout);
    assert!(
        run.stderr.contains("the passages do not support it"),
        "{}",
        run.stderr
    );
    let json = |options: &[&str]| -> Value {
        let run = ask(&[options, &["--json"]].concat());
        serde_json::from_str(&run.stdout).expect("JSON")
    };
    assert_eq!(json(&["--no-adapter"])["written"], "shown");
    assert_eq!(json(&["--no-lock"])["written"], "unsupported");
    // The generator's first choice is not a word of the sources; its second is.
    assert_eq!(json(&[])["written"], "shown", "the lock holds it to them");
    assert_eq!(json(&["--max-tokens", "0"])["written"], "nothing");
}

#[test]
fn a_text_that_turns_in_circles_is_left_out() {
    let site = with_script(Script::turning("You bake the loaf for forty minutes."));
    let words = ["How long do I bake the loaf?", "--json", "--no-adapter"];
    let answer: Value = serde_json::from_str(&site.run("ask", &words).stdout).expect("JSON");
    assert_eq!(answer["written"], "loops", "{answer}");
    let n_tokens = answer["timing"]["generatedTokens"].as_u64();
    assert!(n_tokens < Some(30), "it was stopped: {n_tokens:?}");
}

#[test]
fn long_prompts_hold_whole_pages_and_say_what_found_no_room() {
    let site = with_script(Script::new(
        "You bake the loaf for forty minutes.",
        "Another text.",
    ));
    let ask = |prompt: &str| -> Value {
        let options = ["--no-adapter", "--json", "--prompt", prompt];
        let words = [&["How long do I bake the loaf?"], &options[..]].concat();
        serde_json::from_str(&site.run("ask", &words).stdout).expect("JSON")
    };
    let (evidence, long) = (ask("evidence"), ask("long"));
    let tokens = |answer: &Value| answer["timing"]["promptTokens"].as_u64().expect("tokens");
    assert!(tokens(&long) > tokens(&evidence) + 200, "whole pages");
    assert_eq!(long["window"]["leftOut"], 0, "{}", long["window"]);
    assert_eq!(long["written"], "shown", "{long}");

    let long_page = format!(
        "# Bread\n\nBake the loaf for forty minutes.\n\n{}",
        "More flour, more water, more salt. ".repeat(400)
    );
    std::fs::write(site.beside("pages/bread.md"), long_page).expect("written");
    let generator = site.beside("script.gguf");
    site.build(&["--generator", path_text(&generator)]).works();
    let long = ask("long");
    assert_eq!(long["window"]["isCut"], true, "{}", long["window"]);
}
