//! Checks that words match although pages and queries write them differently: encodings, diacritics, hyphens, signs,
//! versions, compounds.

mod pages;

use anchorite_index::{Index, SearchOptions};
use pages::{built, check, page, urls};

type Site = (Index, anchorite_index::bundle::Bundle);

fn site(pages: &[(&str, Option<&str>, &str)]) -> Site {
    built(
        &pages
            .iter()
            .map(|&(url, language, text)| page(url, language, url, text))
            .collect::<Vec<_>>(),
    )
}

/// Each query must find its page alone.
#[track_caller]
fn finds(site: &Site, expected: &[(&str, &str)]) {
    for (query, url) in expected {
        check(site, query, &[url]);
    }
}

#[test]
fn encodings_of_one_word_are_one() {
    let site = site(&[
        ("hyphen", None, "The light\u{ad}house stands."),
        (
            "space",
            None,
            "A motor\u{200b}cycle waits; a way\u{2060}point follows.",
        ),
        ("apart", None, "Nin\u{303}o y pin\u{303}ata."),
        ("ligature", None, "A \u{fb02}uent o\u{fb00}er."),
        (
            "wide",
            None,
            "\u{ff27}\u{ff30}\u{ff35} \u{ff14}\u{ff12} at hand",
        ),
        (
            "narrow",
            Some("ja"),
            "\u{ff8c}\u{ff9f}\u{ff98}\u{ff9d}\u{ff80}\u{ff70}",
        ),
        (
            "arabic",
            Some("ar"),
            "\u{643}\u{650}\u{62a}\u{640}\u{640}\u{627}\u{628}",
        ),
        (
            "persian",
            Some("fa"),
            "\u{646}\u{645}\u{6cc}\u{200c}\u{62f}\u{627}\u{646}\u{645}",
        ),
        (
            "hebrew",
            Some("he"),
            "\u{5e9}\u{5b8}\u{5c1}\u{5dc}\u{5d5}\u{5b9}\u{5dd}",
        ),
        (
            "greek",
            Some("el"),
            "\u{39f} \u{39a}\u{39f}\u{3a3}\u{39c}\u{39f}\u{3a3}",
        ),
        ("turkish", Some("tr"), "\u{130}zmir ve Isparta"),
        (
            "russian",
            Some("ru"),
            "\u{401}\u{43b}\u{43a}\u{430} \u{441}\u{442}\u{43e}\u{438}\u{442}",
        ),
        (
            "formula",
            None,
            "Water is H\u{2082}O, and 9 m\u{b2} are wet.",
        ),
    ]);
    finds(
        &site,
        &[
            ("lighthouse", "hyphen"),
            ("motorcycle", "space"),
            ("waypoint", "space"),
            ("ni\u{f1}o", "apart"),
            ("pinata", "apart"),
            ("fluent offer", "ligature"),
            ("gpu", "wide"),
            ("42", "wide"),
            ("\u{30d7}\u{30ea}\u{30f3}\u{30bf}\u{30fc}", "narrow"),
            ("\u{643}\u{62a}\u{627}\u{628}", "arabic"),
            (
                "\u{646}\u{645}\u{6cc}\u{62f}\u{627}\u{646}\u{645}",
                "persian",
            ),
            (
                "\u{646}\u{645}\u{64a}\u{62f}\u{627}\u{646}\u{645}",
                "persian",
            ),
            ("\u{5e9}\u{5dc}\u{5d5}\u{5dd}", "hebrew"),
            ("\u{3ba}\u{3cc}\u{3c3}\u{3bc}\u{3bf}\u{3c2}", "greek"),
            ("izmir", "turkish"),
            ("\u{131}sparta", "turkish"),
            ("\u{435}\u{43b}\u{43a}\u{430}", "russian"),
            ("H2O", "formula"),
            ("m2", "formula"),
        ],
    );
}

#[test]
fn the_exact_form_comes_before_the_one_without_diacritics() {
    let site = site(&[
        ("with", None, "The ros\u{e9} is cold."),
        ("without", None, "The rose is red."),
        ("spanish", Some("es"), "El a\u{f1}o nuevo llega."),
        ("other", None, "Nothing of it."),
    ]);
    for (query, expected) in [
        ("ros\u{e9}", ["with", "without"]),
        ("rose", ["without", "with"]),
    ] {
        check(&site, query, &expected);
    }
    finds(
        &site,
        &[("ano", "spanish"), ("\u{201c}ano nuevo\u{201d}", "spanish")],
    );
}

#[test]
fn signs_belong_to_names_and_stand_alone() {
    let site = site(&[
        ("plain", None, "The letter J is here. J J J."),
        ("sharp", None, "Write J# code."),
        ("plus", None, "Compile C++ and C."),
        ("dot", None, "Run .NET there."),
        ("home", None, "Read $HOME first."),
        ("code", None, "if a||b { x != y } // std::mem ?? ..."),
        (
            "money",
            None,
            "It costs 5\u{20ac}, \u{1f680} fast \u{2764}\u{fe0f} \u{1f44b}\u{1f3fe}",
        ),
        ("logic", None, "\u{2200} x \u{2192} \u{2211}"),
    ]);
    let first = |query: &str| {
        urls(&site, query, &SearchOptions::default())
            .into_iter()
            .next()
    };
    assert_eq!(first("J#").as_deref(), Some("sharp"));
    assert_eq!(first("c++").as_deref(), Some("plus"));
    assert_eq!(first(".net").as_deref(), Some("dot"));
    finds(
        &site,
        &[
            ("$", "home"),
            ("||", "code"),
            ("\"||\"", "code"),
            ("!=", "code"),
            ("::", "code"),
            ("??", "code"),
            ("\u{2026}", "code"),
            ("\u{20ac}", "money"),
            ("\u{1f680}", "money"),
            ("\u{2764}", "money"),
            ("\u{1f44b}", "money"),
            ("\u{1f44b}\u{1f3fb}", "money"),
            ("\u{2200}", "logic"),
            ("\"\u{2192}\"", "logic"),
        ],
    );
    check(&site, "<=>", &[]);
}

#[test]
fn words_are_found_joined_and_apart() {
    let site = site(&[
        ("sha", None, "The sum is SHA-512 here."),
        ("plug", None, "Install the plug-in twice."),
        ("sign", None, "Then sign up."),
        ("ieee", None, "It follows IEEE 754 floats."),
        ("check", None, "To check out a branch is quick."),
        ("checkout", None, "A checkout takes a second."),
        ("release", None, "The release v7.2.1 is out."),
        ("older", None, "The release v7.2.0 was bad."),
    ]);
    finds(
        &site,
        &[
            ("sha512", "sha"),
            ("plugin", "plug"),
            ("signup", "sign"),
            ("ieee754", "ieee"),
            ("7.2.1", "release"),
            ("v7.2.1", "release"),
        ],
    );
    check(&site, "checkout", &["checkout", "check"]);
    check(&site, "zzgrmpf", &[]);
}

#[test]
fn compounds_and_elisions_are_found_by_their_words() {
    let site = site(&[
        ("de", Some("de"), "Das Speicherkartenlaufwerk klemmt."),
        (
            "de2",
            Some("de"),
            "Der Zahlungsauftrag liegt vor. Ein Auftrag, eine Zahlung.",
        ),
        ("fr", Some("fr"), "Il boit de l\u{2019}eau d'\u{e9}t\u{e9}."),
        ("it", Some("it"), "Il colore dell'arte."),
    ]);
    finds(
        &site,
        &[
            ("Laufwerk", "de"),
            ("Zahlung", "de2"),
            ("eau", "fr"),
            ("l'eau", "fr"),
            ("\u{e9}t\u{e9}", "fr"),
            ("arte", "it"),
        ],
    );
}

#[expect(clippy::disallowed_methods, reason = "tests run natively")]
#[test]
fn long_and_strange_texts_take_bounded_time() {
    let start = std::time::Instant::now();
    for text in [
        "a-".repeat(50_000),
        "&".repeat(50_000),
        "a::".repeat(20_000),
        "\u{301}".repeat(50_000),
        "\u{1f469}\u{200d}".repeat(20_000),
        "\u{627}\u{64b}".repeat(20_000),
        "aA".repeat(30_000),
        "v1.".repeat(20_000),
    ] {
        let site = site(&[("one", Some("de"), &text)]);
        let query: String = text.chars().take(2_000).collect();
        site.0.search(&query, None, &SearchOptions::default());
    }
    let took = start.elapsed();
    assert!(took.as_secs() < 60, "took {took:?}");
}
