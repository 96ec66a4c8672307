//! Checks the hits in pages of many languages, for queries with mistakes in them and marks around them.
//!
//! Every query runs on the index as built, and on one that was read back and given no more than it asked for: both must
//! agree.

mod pages;

use anchorite_index::bundle::Bundle;
use anchorite_index::{Index, SearchOptions, Sort};
use pages::{built, check, file, fresh, page, urls};

/// The index of a bundle with all of its shards.
fn whole(bundle: &Bundle) -> Index {
    let mut index = fresh(bundle);
    for shard in index.missing_shards() {
        let bytes = file(bundle, &shard.path);
        index.insert_shard(shard.id, bytes).expect("as written");
    }
    index
}

#[test]
fn words_are_bent_as_their_page_says() {
    let site = built(&[
        page(
            "de",
            Some("de-AT"),
            "Bauen",
            "Die H\u{e4}user der Stadt sind gro\u{df}.",
        ),
        page(
            "fr",
            Some("fr"),
            "Continuer",
            "Les chevaux continuaient la course.",
        ),
        page("en", None, "Building", "The houses kept being built."),
        page(
            "ru",
            Some("ru"),
            "\u{41a}\u{43d}\u{438}\u{433}\u{438}",
            "\u{41e}\u{43d} \u{447}\u{438}\u{442}\u{430}\u{435}\u{442} \u{43a}\u{43d}\u{438}\u{433}\u{443}.",
        ),
    ]);
    check(&site, "h\u{e4}user", &["de"]);
    check(&site, "building", &["en"]);
    check(&site, "house", &["en"]);
    check(&site, "continuaient", &["fr"]);
    check(&site, "\u{43a}\u{43d}\u{438}\u{433}\u{443}", &["ru"]);
    // German articles carry no topic, although the English list does not know them.
    check(&site, "die chevaux", &["fr"]);
}

#[test]
fn the_form_that_was_asked_for_comes_first() {
    let texts = [
        ("many", "Pumps stand in the cellar. Pumps move water."),
        ("one", "A pump stands in the cellar. This pump moves water."),
        ("verb", "Pumping is work. Whoever is pumping moves water."),
        ("other", "A valve closes the pipe."),
    ];
    let site = built(&texts.map(|(url, text)| page(url, Some("en"), url, text)));
    let options = SearchOptions::default();
    for (query, expected) in [("pump", "one"), ("pumps", "many"), ("pumping", "verb")] {
        let found = urls(&site, query, &options);
        assert_eq!(found[0], expected, "`{query}`");
        assert_eq!(found.len(), 3, "`{query}`: other forms are found too");
    }
    let unknown = urls(&site, "pumped", &options);
    assert_eq!(
        unknown.len(),
        3,
        "no page has that form, so all count alike"
    );
}

#[test]
fn scripts_without_spaces_are_found_by_their_words() {
    let site = built(&[
        page(
            "kyoto",
            Some("ja"),
            "\u{4eac}\u{90fd}",
            "\u{4eac}\u{90fd}\u{306f}\u{53e4}\u{3044}\u{90fd}\u{3067}\u{3059}\u{3002}",
        ),
        page(
            "tokyo",
            Some("ja"),
            "\u{6771}\u{4eac}",
            "\u{6771}\u{4eac}\u{306f}\u{5927}\u{304d}\u{3044}\u{8857}\u{3067}\u{3059}\u{3002}",
        ),
        page(
            "thai",
            Some("th"),
            "\u{e20}\u{e32}\u{e29}\u{e32}\u{e44}\u{e17}\u{e22}",
            "\u{e01}\u{e32}\u{e23}\u{e40}\u{e23}\u{e35}\u{e22}\u{e19}\u{e20}\u{e32}\u{e29}\u{e32}",
        ),
        page(
            "korean",
            Some("ko"),
            "\u{d55c}\u{ad6d}\u{c5b4}",
            "\u{d55c}\u{ad6d}\u{c5b4}\u{b97c} \u{bc30}\u{c6c1}\u{b2c8}\u{b2e4}",
        ),
    ]);
    check(&site, "\u{4eac}\u{90fd}", &["kyoto"]);
    check(&site, "\u{6771}\u{4eac}", &["tokyo"]);
    // One character finds it anywhere in a word, at its end too.
    let mut single = urls(&site, "\u{4eac}", &SearchOptions::default());
    single.sort();
    assert_eq!(single, ["kyoto", "tokyo"]);
    check(&site, "\u{8857}", &["tokyo"]);
    check(&site, "\u{e40}\u{e23}\u{e35}\u{e22}\u{e19}", &["thai"]);
    // Without the particle that the page has.
    check(&site, "\u{d55c}\u{ad6d}", &["korean"]);
}

#[test]
fn mistyped_words_are_corrected_where_no_page_has_them() {
    let site = built(&[
        page("conf", None, "Settings", "The configuration is read once."),
        page("conn", None, "Network", "A connection is opened late."),
        page("err", None, "Faults", "Every error has a number."),
    ]);
    check(&site, "confgiuration", &["conf"]);
    check(&site, "conection", &["conn"]);
    check(&site, "erorr", &["err"]);
    check(&site, "zonfiguration", &[]);
    check(&site, "err", &[]);
    let typing = SearchOptions::while_typing(5);
    assert_eq!(
        urls(&site, "conf", &typing),
        ["conf"],
        "a prefix is no mistake"
    );
}

#[test]
fn a_long_word_of_any_script_may_be_begun() {
    let (short, long) = (
        "\u{3b7}\u{3bb}\u{3b5}\u{3ba}\u{3c4}\u{3c1}\u{3bf}\u{3bc}\u{3b1}\u{3b3}\u{3bd}\u{3b7}\u{3c4}\u{3b9}\u{3c3}\u{3bc}\u{3bf}\u{3c5}\u{3c3}",
        "\u{3b7}\u{3bb}\u{3b5}\u{3ba}\u{3c4}\u{3c1}\u{3bf}\u{3bc}\u{3b1}\u{3b3}\u{3bd}\u{3b7}\u{3c4}\u{3b9}\u{3c3}\u{3bc}\u{3bf}\u{3c5}\u{3c3}\u{3b1}\u{3bd}",
    );
    let site = built(&[
        page("short", Some("el"), "One", short),
        page("long", Some("el"), "Two", long),
    ]);
    let mut found = urls(&site, short, &SearchOptions::while_typing(5));
    found.sort();
    assert_eq!(
        found,
        ["long", "short"],
        "19 letters of two bytes each, typed so far"
    );
}

#[test]
fn quotations_must_stand_as_they_are() {
    let site = built(&[
        page("exact", None, "One", "It returned errors quickly."),
        page(
            "apart",
            None,
            "Two",
            "Errors were returned, returned again, as errors.",
        ),
        page("title", None, "Returned errors", "Nothing here."),
    ]);
    let mut quoted = urls(&site, "\"returned errors\"", &SearchOptions::default());
    quoted.sort();
    assert_eq!(quoted, ["exact", "title"]);
    assert_eq!(
        urls(&site, "returned errors", &SearchOptions::default()).len(),
        3
    );
    check(&site, "\"errors returned\"", &[]);
    check(&site, "\"returned errors\" quickly", &["exact", "title"]);
    let preferred = urls(&site, "\"returned errors\"", &SearchOptions::question(5));
    assert_eq!(preferred.len(), 3, "nothing is left out: {preferred:?}");
    assert_eq!(preferred[2], "apart", "what has the words apart comes last");
}

#[test]
fn filters_narrow_and_weights_lift() {
    let mut pages = vec![
        page(
            "api",
            Some("en"),
            "Sockets",
            "A socket sends bytes. A socket receives bytes.",
        ),
        page("guide", Some("en"), "Talking", "Use a socket to talk."),
        page("de", Some("de"), "Reden", "Ein socket sendet."),
    ];
    pages[0]
        .filters
        .insert("kind".to_owned(), vec!["api".to_owned()]);
    pages[1].filters.insert(
        "kind".to_owned(),
        vec!["guide".to_owned(), "api".to_owned()],
    );
    let site = built(&pages);
    assert_eq!(urls(&site, "socket", &SearchOptions::default())[0], "api");
    let with = |name: &str, values: &[&str]| SearchOptions {
        filters: [(
            name.to_owned(),
            values.iter().map(|&value| value.to_owned()).collect(),
        )]
        .into(),
        ..SearchOptions::default()
    };
    assert_eq!(urls(&site, "socket", &with("kind", &["guide"])), ["guide"]);
    assert_eq!(urls(&site, "socket", &with("language", &["de"])), ["de"]);
    assert_eq!(urls(&site, "socket", &with("kind", &["none"])).len(), 0);
    let filters = site.0.filters().expect("some").counts();
    assert_eq!(filters["kind"], [("api", 2), ("guide", 1)].into());
    assert_eq!(filters["language"], [("de", 1), ("en", 2)].into());
    pages[1].weight = 4.0;
    pages[2].weight = 0.0;
    assert_eq!(
        urls(&built(&pages), "socket", &SearchOptions::default()),
        ["guide", "api"]
    );
}

#[test]
fn what_has_all_words_comes_in_the_order_asked_for() {
    let dated = |url: &str, date: Option<&str>, text: &str| {
        let mut page = page(url, None, url, text);
        let date = date.map(|date| ("date".to_owned(), date.to_owned()));
        page.sort.extend(date);
        page
    };
    let mut other = dated("other", Some("2026-03-01"), "Nothing but a socket.");
    other
        .filters
        .insert("kind".to_owned(), vec!["short".to_owned()]);
    let site = built(&[
        dated(
            "old",
            Some("2024-05-01"),
            "A socket sends bytes. Sockets, sockets.",
        ),
        dated(
            "new",
            Some("2026-02-01"),
            "Among other things, a socket sends bytes.",
        ),
        other,
        dated("undated", None, "A socket sends bytes."),
        dated(
            "middle",
            Some("2025-07-01"),
            "Bytes are what a socket sends.",
        ),
    ]);
    let by = |by: &str, descending| SearchOptions {
        sort: Some(Sort {
            by: by.to_owned(),
            descending,
        }),
        ..SearchOptions::default()
    };
    let query = "socket bytes";
    assert_eq!(
        urls(&site, query, &by("date", true)),
        ["new", "middle", "old", "undated"],
        "one lacks a word, and one has no date"
    );
    assert_eq!(
        urls(&site, query, &by("date", false)),
        ["old", "middle", "new", "undated"]
    );
    let mut narrow = by("date", true);
    narrow.limit = 2;
    assert_eq!(urls(&site, query, &narrow), ["new", "middle"]);
    assert_eq!(
        urls(&site, "\"sends bytes\"", &by("date", true)),
        ["new", "old", "undated"]
    );
    let mut filtered = by("date", true);
    filtered
        .filters
        .insert("kind".to_owned(), vec!["short".to_owned()]);
    assert_eq!(
        urls(&site, query, &filtered),
        ["other"],
        "of what a filter leaves, those with the most words"
    );
    let unsorted = urls(&site, query, &by("none", true));
    assert_eq!(
        unsorted.len(),
        4,
        "what can't be sorted by changes no order: {unsorted:?}"
    );
    assert_eq!(site.0.sort_keys(), ["date"]);
}

#[test]
fn metadata_comes_with_the_texts() {
    let mut pages = vec![
        page("a", None, "A", "A socket."),
        page("b", None, "B", "A tap."),
    ];
    pages[1].meta = [("title", "B"), ("author", "Ann"), ("image", "b.png")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let (index, bundle) = built(&pages);
    for index in [&index, &whole(&bundle)] {
        let hits = index.search("tap", None, &SearchOptions::default());
        let meta = &index.document(hits[0].chunk).expect("a document").meta;
        let meta: Vec<_> = meta
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            meta,
            [("author", "Ann"), ("image", "b.png")],
            "the title is told already"
        );
    }
}
