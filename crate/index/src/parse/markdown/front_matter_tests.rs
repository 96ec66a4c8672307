//! Checks which blocks are front matter, and what is read from them.

use super::*;

fn json(front_matter: &FrontMatter) -> serde_json::Value {
    serde_json::json!({
        "title": front_matter.title, "language": front_matter.language, "draft": front_matter.is_draft,
        "filters": front_matter.filters, "meta": front_matter.meta, "sort": front_matter.sort,
    })
}

#[test]
fn yaml_and_toml_say_the_same() {
    let (yaml, rest) = split(
        "---\ntitle: \"A: b\" # c\ndate: 2026-03-01\ntags: [one,  two words]\nauthors:\n  - name: Ann\n    email: a@x.org\n  - \
         Bob\nlang: de\ndraft: true\nsecret: x\nversion: 2\n---\nbody",
    );
    assert_eq!(rest, "body");
    assert_eq!(
        json(&yaml),
        serde_json::json!({
            "title": "A: b", "language": "de", "draft": true,
            "filters": { "tags": ["one", "two words"], "author": ["Ann", "Bob"] },
            "meta": { "author": "Ann, Bob", "date": "2026-03-01", "version": "2" },
            "sort": { "date": "2026-03-01" },
        })
    );
    let (toml, rest) = split(
        "+++\ntitle = 'A: b'\ndate = 2026-03-01\ntags = ['one', 'two words']\nauthors = [{ name = 'Ann' }, 'Bob']\nlang = 'de'\n\
         draft = true\nversion = 2\n+++\nbody",
    );
    assert_eq!((&toml, rest), (&yaml, "body"));
}

#[test]
fn of_what_is_neither_the_title_is_read() {
    let (found, rest) = split("---\nlayout: {{ x }} {\ntitle: 'T'\n---\nbody");
    assert_eq!((found.title.as_deref(), rest), (Some("T"), "body"));
    let (found, rest) = split("---\n\nnever closed");
    assert_eq!(
        (found, rest),
        (FrontMatter::default(), "---\n\nnever closed")
    );
    let (found, rest) = split("---\r\ntitle: T\r\n---\r\nbody");
    assert_eq!((found.title.as_deref(), rest), (Some("T"), "body"));
    assert_eq!(split("---\n---\nbody").1, "body");
}

#[test]
fn values_stay_as_they_are_written() {
    let written = [
        "1.10",
        "007",
        "0x1F",
        "2e5",
        "1_000",
        "31415926535897932384626",
        "No",
        "off",
        "yes",
        "2026-01-02",
        "12:30:45",
        "+5",
        ".5",
    ];
    for value in written {
        let block =
            format!("---\ntitle: {value}\nversion: {value}\ntags: [{value}, '{value}']\n---\nx");
        let found = split(&block).0;
        assert_eq!(found.title.as_deref(), Some(value), "{block}");
        assert_eq!(found.meta["version"], value, "{block}");
        assert_eq!(found.filters["tags"], [value, value], "{block}");
    }
    let toml = split(
        "+++\nversion = 1.10\ntags = [1_000, 0x1F]\n[taxonomies]\ncategories = ['c']\n+++\nx",
    )
    .0;
    assert_eq!(toml.meta["version"], "1.10");
    assert_eq!(toml.filters["tags"], ["1_000", "0x1F"]);
    assert_eq!(toml.filters["categories"], ["c"]);
    for nothing in ["~", "null", ""] {
        assert_eq!(
            split(&format!("---\ntitle: {nothing}\ndate: 1\n---\nx"))
                .0
                .title,
            None
        );
    }
}

#[test]
fn blocks_end_and_are_named_in_several_ways() {
    let title = |text: &str| {
        let (found, rest) = split(text);
        (found.title.unwrap_or_default(), rest.trim().to_owned())
    };
    let expected = ("T".to_owned(), "body".to_owned());
    for text in [
        "---\ntitle: T\n...\nbody",
        "---yaml\ntitle: T\n---\nbody",
        "---toml\ntitle = 'T'\n---\nbody",
        "---json\n{\"title\": \"T\"}\n---\nbody",
        "{\n  \"title\": \"T\",\n  \"n\": [1, {}]\n}\n\nbody",
        "---\nbase: &b\n  title: T\n<<: *b\n---\nbody",
        "---\ntitle: >-\n  T\n---\nbody",
        "---\n# a comment\ntitle: T\n---\nbody",
    ] {
        assert_eq!(title(text), expected, "{text}");
    }
}

#[test]
fn prose_between_rules_is_text() {
    for text in [
        "---\n\n# A heading\n\nwords\n\n---\n\n# Another",
        "---\n# A\n---",
        "---\nNote: this was moved.\n---\nx",
        "---\n\nkeep this in mind: it is late\n\n---\nx",
        "---\nwords and words\n---\nx",
        "---\n- a\n- b\n---\nx",
        "{ \"a\": 1 }\nx",
        "{{#title T}}\nx",
    ] {
        assert_eq!(split(text), (FrontMatter::default(), text));
    }
}

#[test]
fn aliases_cannot_exhaust_memory() {
    let mut block = "---\ntitle: T\na0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for idx in 1..12 {
        let before = format!("*a{}, ", idx - 1).repeat(8);
        block.push_str(&format!("a{idx}: &a{idx} [{before}]\n"));
    }
    let text = block + "---\nbody";
    let (found, rest) = split(&text);
    assert_eq!((found.title.as_deref(), rest), (Some("T"), "body"));
    let deep = format!("---\ntitle: T\nx: {}\n---\nbody", "[".repeat(60_000));
    assert_eq!(split(&deep).1, "body");
}

#[test]
fn what_no_language_explains_is_text_unless_it_names_something() {
    for text in [
        "---\nWarning: do this: now\n---\nx",
        "---\n\nSee: the page\nand more: of it\n\n---\nx",
        "+++\nplus and plus\n+++\nx",
        "---\n> a quotation\n---\nx",
        "---json\n{ broken\n---\nx",
        "{\"title\": \"T\"} and words\nx",
        "---\nwords\n...\nx",
    ] {
        assert_eq!(split(text), (FrontMatter::default(), text), "{text}");
    }
    let (found, rest) = split("---\ndescription: {{ x }}: {\n---\nbody");
    assert_eq!((found, rest), (FrontMatter::default(), "body"));
}

#[test]
fn json_keeps_its_numbers_and_its_signs() {
    let text = "{\n\t\"Title\": \"A \\ud83d\\ude80 \\/\",\n\t\"version\": 1.10,\n\t\"tags\": [\"x\", 1e3, null, {\"name\": \"n\"}],\n\t\"draft\": \
                true\n}\r\nbody";
    let (found, rest) = split(text);
    assert_eq!(found.title.as_deref(), Some("A \u{1f680} /"));
    assert_eq!(found.meta["version"], "1.10");
    assert_eq!(found.filters["tags"], ["x", "1e3", "n"]);
    assert!(found.is_draft, "{found:?}");
    assert_eq!(rest, "\r\nbody");
    let deep = format!(
        "{{\"title\": \"T\", \"x\": {}1{}}}\nbody",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    assert_eq!(split(&deep).1, deep, "too deep to be read");
}

#[test]
fn names_may_have_capitals() {
    let found = split("---\nTitle: T\nTags: [a]\nDraft: yes\n---\nx").0;
    assert_eq!(found.title.as_deref(), Some("T"));
    assert_eq!(found.filters["tags"], ["a"]);
    assert!(found.is_draft, "{found:?}");
}

#[test]
fn long_texts_are_not_repeated_without_end() {
    let text = format!(
        "---\ntitle: T\na: &a {}\nb: [{}]\n---\nbody",
        "x".repeat(30_000),
        "*a, ".repeat(7000)
    );
    let (found, rest) = split(&text);
    assert_eq!((found.title.as_deref(), rest), (Some("T"), "body"));
}
