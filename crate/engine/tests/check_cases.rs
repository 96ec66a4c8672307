//! Checks the verdicts on adversarial pairs of claim and source, each with the reason for its expected verdict.

use anchorite::check;

/// A sentence that a generator might write from a source, and the verdict expected.
struct Case {
    claim: &'static str,
    source: &'static str,
    supported: bool,
    why: &'static str,
}

const fn yes(claim: &'static str, source: &'static str, why: &'static str) -> Case {
    Case {
        claim,
        source,
        supported: true,
        why,
    }
}

const fn no(claim: &'static str, source: &'static str, why: &'static str) -> Case {
    Case {
        claim,
        source,
        supported: false,
        why,
    }
}

const SERVER: &str = "The server listens on port 8080 by default. Set `--port` to choose another one. \
Idle connections are closed after 50 seconds. At most 1,000 connections are accepted.";
const CACHE: &str = "The cache is disabled unless `cache_dir` is set. Entries expire after 5 minutes. \
The cache does not store responses larger than 10 MB.";
const RUST: &str = "Rust 1.95 was released in 2026. Cargo downloads your dependencies and builds them. \
Run `cargo build --release` to build with optimisations.";
const CURIE: &str = "Marie Curie was born in Warsaw in 1867. She won the Nobel Prize in Physics in 1903 with her husband \
Pierre Curie and Henri Becquerel. In 1911 she won the Nobel Prize in Chemistry.";
const RIVER: &str = "The Danube is the second-longest river in Europe, after the Volga. It flows through ten countries and is \
2,850 km long. Its source lies in the Black Forest in Germany.";
const NEEDS: &str =
    "Windows 10 needs 4 GB of memory and Windows 11 needs 8 GB. Linux runs with 512 MB.";
const CODE: &str = "Call `open_file()` before `read_line()`. The function `std::fs::read` returns an error when the path does not exist. \
The option `max_retries` is 3, and ports[1] is the second port.";
const ADMIN: &str = "Only administrators can delete projects. Members may archive a project. Guests must not edit pages.";

const CASES: &[Case] = &[
    // Clauses of their own.
    no(
        "The server listens on port 8080 by default, what rule am I breaking?",
        SERVER,
        "a copy that goes on with the words of a question",
    ),
    no(
        "Idle connections are closed after 50 seconds, because memory leaks otherwise.",
        SERVER,
        "a reason that the source does not give",
    ),
    yes(
        "Idle connections are closed after 50 seconds, as a rule.",
        SERVER,
        "one word more says nothing",
    ),
    // Numbers.
    yes(
        "The server listens on port 8080 by default.",
        SERVER,
        "a copy",
    ),
    yes(
        "By default, the server listens on port 8080.",
        SERVER,
        "the same words in another order",
    ),
    no(
        "The server listens on port 80 by default.",
        SERVER,
        "80 is only a part of 8080",
    ),
    no(
        "The server listens on port 808 by default.",
        SERVER,
        "808 is only a part of 8080",
    ),
    no(
        "Idle connections are closed after 5 seconds.",
        SERVER,
        "5 is only a part of 50",
    ),
    no(
        "Idle connections are closed after 50 minutes.",
        SERVER,
        "another unit",
    ),
    no(
        "Idle connections are closed after 50 ms.",
        SERVER,
        "another unit, written short",
    ),
    yes(
        "Idle connections are closed after 50 s.",
        SERVER,
        "the same unit, written short",
    ),
    yes(
        "Idle connections are closed after 50s.",
        SERVER,
        "the unit touches its number",
    ),
    yes(
        "At most 1000 connections are accepted.",
        SERVER,
        "thousands with and without a comma",
    ),
    no(
        "At most 10,000 connections are accepted.",
        SERVER,
        "ten times as many",
    ),
    no(
        "At least 1,000 connections are accepted.",
        SERVER,
        "the other end of the range",
    ),
    no(
        "At most 8080 connections are accepted.",
        SERVER,
        "a number that belongs to the port",
    ),
    yes(
        "Entries expire after five minutes.",
        CACHE,
        "a number that is spelled out",
    ),
    no(
        "Entries expire after six minutes.",
        CACHE,
        "another number that is spelled out",
    ),
    no(
        "Entries expire after 5 hours.",
        CACHE,
        "minutes are not hours",
    ),
    no(
        "The cache does not store responses larger than 10 GB.",
        CACHE,
        "MB is not GB",
    ),
    yes(
        "The cache does not store responses larger than 10MB.",
        CACHE,
        "no space before the unit",
    ),
    no(
        "The oven is heated to 20 °F.",
        "The oven is heated to 20 °C.",
        "another scale of temperature",
    ),
    yes(
        "The oven is heated to 20°C.",
        "The oven is heated to 20 °C.",
        "no space before the degree",
    ),
    no(
        "The oven is heated to 20 °C.",
        "The oven is heated to -20 °C.",
        "the sign is missing",
    ),
    yes(
        "Half of it, 50 percent, is lost.",
        "Half of it, 50%, is lost.",
        "per cent as word and sign",
    ),
    no(
        "The tax is 50 dollars.",
        "The tax is 50%.",
        "an amount is no share",
    ),
    no(
        "The plan costs €35 a month.",
        "The plan costs $35 a month.",
        "another currency",
    ),
    yes(
        "The plan costs 35 dollars a month.",
        "The plan costs $35 a month.",
        "currency as word and sign",
    ),
    yes(
        "The city has 1,500,000 inhabitants.",
        "The city has 1.5 million inhabitants.",
        "a million written out",
    ),
    no(
        "The city has 1.5 billion inhabitants.",
        "The city has 1.5 million inhabitants.",
        "a thousand times as many",
    ),
    no(
        "The meeting starts at 10:30.",
        "The meeting starts at 11:30.",
        "another time",
    ),
    no(
        "The backup was made on 2024-01-15.",
        "The backup was made on 2024-01-16.",
        "another day",
    ),
    yes(
        "The war lasted from 1914 to 1918.",
        "The war lasted from 1914 to 1918 (1914–1918).",
        "a range and its ends",
    ),
    no(
        "The war lasted from 1914 to 1919.",
        "The war (1914–1918) lasted from 1914 to 1918.",
        "another end",
    ),
    yes(
        "The 3rd release added it.",
        "The third release added it.",
        "ordinals in digits and letters",
    ),
    no(
        "The 4th release added it.",
        "The third release added it.",
        "another ordinal",
    ),
    // Numbers that belong to something else.
    yes(
        "Windows 11 needs 8 GB.",
        NEEDS,
        "the pair as the source has it",
    ),
    no("Windows 11 needs 4 GB.", NEEDS, "what Windows 10 needs"),
    no("Linux runs with 8 GB.", NEEDS, "what Windows 11 needs"),
    no(
        "There are 50 requests and 10 connections.",
        "There are 50 connections and 10 requests.",
        "counts are exchanged",
    ),
    yes(
        "There are 10 requests.",
        "There are 50 connections and 10 requests.",
        "the second count alone",
    ),
    no(
        "Marie Curie won the Nobel Prize in Chemistry in 1903.",
        CURIE,
        "the year of the other prize",
    ),
    yes(
        "In 1911 Marie Curie won the Nobel Prize in Chemistry.",
        CURIE,
        "the pronoun stands for the first sentence's name",
    ),
    // Versions.
    yes("Rust 1.95 was released in 2026.", RUST, "a copy"),
    no(
        "Rust 1.9 was released in 2026.",
        RUST,
        "1.9 is only a part of 1.95",
    ),
    no("Rust 1.96 was released in 2026.", RUST, "the next version"),
    no(
        "The fix is in v1.2.",
        "The fix is in v1.2.3.",
        "a version cut short",
    ),
    no(
        "The fix is in 1.2.3.4.",
        "The fix is in 1.2.3.",
        "a version made longer",
    ),
    yes(
        "The fix is in 1.2.3.",
        "The fix is in v1.2.3.",
        "a version with and without its letter",
    ),
    no(
        "The fix is in 1.1.",
        "The fix is in 1.10.",
        "1.10 comes after 1.9",
    ),
    // Flags, paths, identifiers.
    yes("Run `cargo build --release`.", RUST, "code word for word"),
    yes(
        "Run cargo build --release to build with optimisations.",
        RUST,
        "code without its backticks",
    ),
    no(
        "Run `cargo build --release-lto`.",
        RUST,
        "another flag that begins the same",
    ),
    no("Run `cargo build --rel`.", RUST, "a flag cut short"),
    no("Run `cargo run --release`.", RUST, "another command"),
    no(
        "Run `build cargo --release`.",
        RUST,
        "code in another order",
    ),
    no(
        "Set `-p` to choose another one.",
        SERVER,
        "a short flag that the source lacks",
    ),
    no(
        "Use -V for details.",
        "Use -v for details.",
        "flags of one letter differ by case",
    ),
    no(
        "The file is /etc/nginx.",
        "The file is /etc/nginx/nginx.conf.",
        "a path cut short",
    ),
    no(
        "The file is /etc/nginx/conf.d.",
        "The file is /etc/nginx/nginx.conf.",
        "another path",
    ),
    yes(
        "The file is `/etc/nginx/nginx.conf`.",
        "The file is /etc/nginx/nginx.conf.",
        "backticks change nothing",
    ),
    no(
        "See https://example.org/docs.",
        "See https://example.org/doc.",
        "another address",
    ),
    no(
        "The option `max_retry` is 3.",
        CODE,
        "an identifier cut short",
    ),
    no(
        "The option `max_retries_total` is 3.",
        CODE,
        "an identifier made longer",
    ),
    yes(
        "The option max_retries is 3.",
        CODE,
        "an identifier without its backticks",
    ),
    no("The option `max_retries` is 5.", CODE, "another value"),
    yes(
        "Call open_file() before read_line().",
        CODE,
        "two calls in order",
    ),
    no(
        "Call `read_line()` before `open_file()`.",
        CODE,
        "two calls in the other order",
    ),
    no(
        "Call `open_file()` after `read_line()`.",
        CODE,
        "after for before",
    ),
    no(
        "The function `std::fs::write` returns an error when the path does not exist.",
        CODE,
        "another function",
    ),
    yes(
        "The element ports[1] is the second port.",
        CODE,
        "an index is code",
    ),
    no(
        "The element ports[2] is the second port.",
        CODE,
        "another index",
    ),
    no(
        "The default is `userName`.",
        "The default is `userId`.",
        "another identifier in camel case",
    ),
    // Names, the first word too.
    yes(
        "Cargo downloads your dependencies.",
        RUST,
        "a name that opens the sentence",
    ),
    no(
        "Bazel downloads your dependencies and builds them.",
        RUST,
        "another name opens the sentence",
    ),
    no(
        "In release mode Bazel builds your dependencies.",
        RUST,
        "another name inside",
    ),
    no(
        "Pierre Curie was born in Warsaw in 1867.",
        "Marie Curie was born in Warsaw in 1867.",
        "another person of that name",
    ),
    no(
        "Marie Becquerel won the Nobel Prize in Physics in 1903.",
        CURIE,
        "a name made of two",
    ),
    yes(
        "The Danube flows through ten countries.",
        RIVER,
        "the pronoun stands for the sentence before",
    ),
    yes(
        "The Danube is 2850 km long.",
        RIVER,
        "two sentences that follow each other",
    ),
    no(
        "The Rhine flows through ten countries.",
        RIVER,
        "another river",
    ),
    no(
        "The Danube flows through 12 countries.",
        RIVER,
        "another count",
    ),
    no("The Danube is 2,850 miles long.", RIVER, "another unit"),
    no(
        "Its source lies in the Black Forest in Austria.",
        RIVER,
        "another country",
    ),
    yes(
        "The source of the Danube lies in the Black Forest.",
        "The Danube has its source in Germany. Its source lies in the Black Forest.",
        "a pronoun",
    ),
    yes(
        "The company was founded by Ada Smith.",
        "Ada Smith founded the company.",
        "passive for active",
    ),
    no(
        "Apple acquired Beats.",
        "Beats acquired Apple.",
        "who acquired whom",
    ),
    yes(
        "Beats was acquired by Apple.",
        "Apple acquired Beats.",
        "passive for active, names turned",
    ),
    no(
        "Go is faster than Rust.",
        "Rust is faster than Go.",
        "a comparison turned round",
    ),
    no(
        "Copy files from Dest to Source.",
        "Copy files from Source to Dest.",
        "a direction turned round",
    ),
    // Negation and opposites.
    no(
        "The cache stores responses larger than 10 MB.",
        CACHE,
        "the negation is left out",
    ),
    yes(
        "Responses larger than 10 MB are not stored in the cache.",
        CACHE,
        "the negation in the passive",
    ),
    no("Entries never expire.", CACHE, "an invented negation"),
    no(
        "Entries do not expire after 5 minutes.",
        CACHE,
        "an invented negation",
    ),
    no(
        "The cache is enabled unless `cache_dir` is set.",
        CACHE,
        "the opposite",
    ),
    no("The cache is disabled.", CACHE, "the condition is left out"),
    no(
        "The function `std::fs::read` returns an error when the path exists.",
        CODE,
        "the negation of the condition is left out",
    ),
    no(
        "The flag is optional.",
        "The flag is required.",
        "the opposite",
    ),
    yes(
        "The flag is not required.",
        "The flag is optional.",
        "a denied opposite",
    ),
    yes(
        "The flag isn't optional.",
        "The flag is required.",
        "a denied opposite, contracted",
    ),
    no(
        "The flag is required.",
        "The flag is not required.",
        "the negation is left out",
    ),
    no(
        "The minimum length is 8 characters.",
        "The maximum length is 8 characters.",
        "the other end",
    ),
    no(
        "Tests run after the build.",
        "Tests run before the build.",
        "the other order",
    ),
    no(
        "The value defaults to true.",
        "The value defaults to false.",
        "the other value",
    ),
    no(
        "Logging is turned on by default.",
        "Logging is turned off by default.",
        "on for off",
    ),
    no(
        "The option increases memory use.",
        "The option reduces memory use.",
        "the other direction",
    ),
    no(
        "The first argument is the path.",
        "The last argument is the path.",
        "the other end",
    ),
    no(
        "It works without a network.",
        "It works with a network.",
        "an invented lack",
    ),
    yes(
        "It does not need a network.",
        "It needs no network.",
        "no for not",
    ),
    no(
        "The lock is always held.",
        "The lock is never held.",
        "never for always",
    ),
    // Force and conditions.
    yes("Only administrators can delete projects.", ADMIN, "a copy"),
    no(
        "Only members may archive a project.",
        "Members may archive a project.",
        "an invented limit",
    ),
    no(
        "Members must archive a project.",
        "Members may archive a project.",
        "allowed is not demanded",
    ),
    no(
        "Guests may edit pages.",
        "Guests must not edit pages.",
        "forbidden is not allowed",
    ),
    no(
        "You must set the token.",
        "You can set the token.",
        "allowed is not demanded",
    ),
    no(
        "You can set the token.",
        "You must set the token.",
        "demanded is not merely allowed",
    ),
    yes(
        "You have to set the token.",
        "You must set the token.",
        "demanded in other words",
    ),
    no(
        "The build fails on Windows.",
        "The build may fail on Windows.",
        "possible is not certain",
    ),
    no(
        "All files are copied.",
        "Some files are copied.",
        "some are not all",
    ),
    yes(
        "Every file is copied.",
        "All files are copied.",
        "all in other words",
    ),
    no(
        "By default the server uses TLS.",
        "The server uses TLS when a key is given.",
        "an invented default",
    ),
    no(
        "Files are deleted.",
        "Files are deleted except those in `keep`.",
        "the exception is left out",
    ),
    // Rates, operators, agents, and claims of two sentences.
    no(
        "The limit is 5 GB per project.",
        "The limit is 5 GB per user and 50 GB per project.",
        "the limit of something else",
    ),
    yes(
        "The limit is 5 GB per user.",
        "The limit is 5 GB per user and 50 GB per project.",
        "the limit and what it is for",
    ),
    no(
        "Logs in `/var/log` are rotated every week.",
        "Logs in `/var/log` are rotated every day.",
        "another period",
    ),
    yes(
        "Water boils at 100 °C.",
        "Water boils at 100 degrees Celsius.",
        "a unit of two words",
    ),
    no(
        "Join the commands with `||` to run both.",
        "Join the commands with `&&` to run both.",
        "another operator",
    ),
    no(
        "Beats was acquired by Apple.",
        "Beats acquired Apple.",
        "passive for active, names not turned",
    ),
    yes(
        "Paris is the capital of France.",
        "France's capital is Paris.",
        "a statement that can be turned round",
    ),
    no(
        "The plugin was added in version 3.",
        "In version 3, the plugin was removed.",
        "the opposite",
    ),
    no(
        "Git 2.30 or earlier is required.",
        "Git 2.30 or later is required.",
        "the other end of the range",
    ),
    no(
        "HTTPS uses port 80.",
        "HTTP uses port 80 and HTTPS uses port 443.",
        "the port of the other protocol",
    ),
    yes(
        "HTTPS uses port 443.",
        "HTTP uses port 80 and HTTPS uses port 443.",
        "the port of this protocol",
    ),
    yes(
        "Rust 1.95 was released in 2026. Cargo builds your dependencies.",
        RUST,
        "two sentences, both there",
    ),
    no(
        "Rust 1.95 was released in 2026. Bazel builds your dependencies.",
        RUST,
        "two sentences, one of them there",
    ),
    // Other traps.
    no(
        "The moon is made of cheese.",
        RIVER,
        "nothing of it is there",
    ),
    no(
        "Cheese pumps need oil.",
        "",
        "an empty source supports nothing",
    ),
    no("It is.", RIVER, "no content at all"),
    yes(
        "The pump stops when the tank is full.",
        "When the tank is full, the pump stops.",
        "clauses in another order",
    ),
    yes("The pumps stopped.", "The pump stops.", "endings of words"),
    no(
        "The server needs Linux and 8080 entries expire after 50 seconds.",
        "Linux is free. Some text lies between. Entries expire. Ports are many, 8080 of them. More text lies here. After 50 seconds the server needs rest.",
        "words from all over the passage",
    ),
    yes(
        "إعادة التشغيل ضرورية",
        "إعادة التشغيل ضرورية",
        "a script from right to left, copied",
    ),
    no(
        "端口是 8081",
        "端口是 8080",
        "a script without spaces, another number",
    ),
    yes(
        "端口是 8080",
        "端口是 8080",
        "a script without spaces, copied",
    ),
];

#[test]
fn each_case_has_its_verdict() {
    let wrong: Vec<String> = CASES
        .iter()
        .filter(|case| check::supports(case.claim, case.source) != case.supported)
        .map(|case| {
            let wanted = if case.supported {
                "supported"
            } else {
                "struck"
            };
            format!(
                "not {wanted}: {:?} ({}), from {:?}",
                case.claim, case.why, case.source
            )
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        CASES.len(),
        wrong.join("\n")
    );
}

#[test]
fn the_table_is_a_mix() {
    let n_supported = CASES.iter().filter(|case| case.supported).count();
    let n_struck = CASES.len() - n_supported;
    assert!(
        n_supported >= 30 && n_struck >= 50,
        "{n_supported} supported, {n_struck} struck"
    );
    for (idx, case) in CASES.iter().enumerate() {
        let twin = CASES[..idx]
            .iter()
            .find(|other| other.claim == case.claim && other.source == case.source);
        assert!(twin.is_none(), "{:?} stands twice", case.claim);
    }
}
