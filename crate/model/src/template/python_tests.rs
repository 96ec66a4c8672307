//! Compares the results of expressions with those of Jinja 3.1.6 under Python 3, set up as `transformers` does.

use super::tests::template;
use super::*;

/// Templates, and their output for two messages.
const CASES: &[(&str, &str)] = &[
    (r#"{{ "a.b.c".rsplit(".", 1)|join("-") }}"#, "a.b-c"),
    (r#"{{ "a.b.c".rsplit(".")|join("-") }}"#, "a-b-c"),
    (r#"{{ " a b  c ".rsplit(none, 1)|join("|") }}"#, " a b|c"),
    (r#"{{ " a b  c ".split(none, 1)|join("|") }}"#, "a|b  c "),
    (r#"{{ "  a  b ".split()|join("|") }}"#, "a|b"),
    (r#"{{ "  a  b ".rsplit()|join("|") }}"#, "a|b"),
    (r#"{{ "a,b,c".split(",", maxsplit=1)|join("|") }}"#, "a|b,c"),
    (
        r#"{{ "a,b,c".rsplit(sep=",", maxsplit=1)|join("|") }}"#,
        "a,b|c",
    ),
    (r#"{{ "a,b".split(",", -1)|length }}"#, "2"),
    (r#"{{ "".split()|length }}{{ "".split(",")|length }}"#, "01"),
    (r#"{{ "k=v=w".partition("=")|join("|") }}"#, "k|=|v=w"),
    (r#"{{ "k=v=w".rpartition("=")|join("|") }}"#, "k=v|=|w"),
    (r#"{{ "kvw".partition("=")|join("|") }}"#, "kvw||"),
    (r#"{{ "kvw".rpartition("=")|join("|") }}"#, "||kvw"),
    (
        r#"{{ "<think>x</think>".removeprefix("<think>").removesuffix("</think>") }}"#,
        "x",
    ),
    (
        r#"{{ "été été".find("été", 1) }} {{ "été".find("x") }} {{ "été été".rfind("t") }}"#,
        "4 -1 5",
    ),
    (
        r#"{{ "banana".index("n") }} {{ "banana".rindex("n") }} {{ "banana".index("a", 2, -1) }}"#,
        "2 4 3",
    ),
    (
        r#"{{ "banana".count("an") }} {{ "banana".count("a", 2) }} {{ "banana".count("a", 9) }} {{ "banana".count("") }}"#,
        "2 2 0 7",
    ),
    (
        r#"{{ "banana".startswith("nan", 2) }} {{ "banana".endswith("an", 0, -1) }} {{ "banana".startswith(("x", "ba")) }}"#,
        "True True True",
    ),
    (r#"{{ "banana".startswith(("x", "an"), 1) }}"#, "True"),
    (
        r#"{{ "aXbX".replace("X", "-", 1) }} {{ "aXbX".replace("X", "") }}"#,
        "a-bX ab",
    ),
    (
        r#"{{ "a\nb\r\nc\n".splitlines()|join("|") }} {{ "a\nb".splitlines(true)|join("|") }} {{ "a\nb".splitlines(keepends=True)|length }}"#,
        "a|b|c a\n|b 2",
    ),
    (
        r#"{{ "-7".zfill(4) }} {{ "7".zfill(3) }} {{ "abc".zfill(2) }}"#,
        "-007 007 abc",
    ),
    (
        r#"[{{ "ab".ljust(4) }}] [{{ "ab".rjust(4, ".") }}] [{{ "ab".center(5) }}] [{{ "abc".center(6, "*") }}]"#,
        "[ab  ] [..ab] [  ab ] [*abc**]",
    ),
    (
        r#"{{ "it's a dog-day".title() }} {{ "éCLAIR x".capitalize() }} {{ "aBc".swapcase() }} {{ "Straße".casefold() }}"#,
        "It'S A Dog-Day Éclair x AbC strasse",
    ),
    (
        r#"{{ "Ab".upper() }} {{ "Ab".lower() }} {{ "12".isdigit() }} {{ "12".isdecimal() }} {{ "a1".isalnum() }} {{ "ab".isalpha() }}"#,
        "AB ab True True True True",
    ),
    (
        r#"[{{ "  x ".lstrip() }}] [{{ "  x ".rstrip() }}] [{{ "xxaxx".strip("x") }}] [{{ " x ".strip(none) }}]"#,
        "[x ] [  x] [a] [x]",
    ),
    (r#"{{ ", ".join(["a", "b"]) }}"#, "a, b"),
    (
        r#"{{ ["a", "b", "a"].index("b") }} {{ ["a", "b", "a"].count("a") }}"#,
        "1 2",
    ),
    (
        r#"{{ {"a": 1, "b": 2}.items()|list|length }} {% for k, v in {"a": 1, "b": 2}.items() %}{{ k }}={{ v }};{% endfor %}"#,
        "2 a=1;b=2;",
    ),
    (
        r#"{{ {"a": 1}.get("b", "none") }} {{ {"a": 1}.get("a") }} {{ {"a": 1}.keys()|join }} {{ {"a": 7}.values()|join }}"#,
        "none 1 a 7",
    ),
    (
        r#"{{ "%s" % "x" }} {{ "%d of %d" % (3, 4) }} {{ "%s: %s" % ("a", ["b"]) }} {{ "%05.1f|%-4s|%x|%%" % (3.14159, "ab", 255) }}"#,
        "x 3 of 4 a: ['b'] 003.1|ab  |ff|%",
    ),
    (
        r#"{{ "%(who)s has %(n)d" % {"who": "Ann", "n": 2} }}"#,
        "Ann has 2",
    ),
    (
        r#"{{ "%s" % messages[0].role }} {{ ("%s" % messages[0]["role"]).upper() }}"#,
        "user USER",
    ),
    (
        r#"{{ "%s!" % messages[0].role|upper }} {{ ("%s-" * 2) % ("a", "b") }}"#,
        "USER! a-b-",
    ),
    (
        r#"{% set form = "<%s>" %}{{ form % "x" }} {{ form % ("y",) }} {{ form % "a" ~ "b" }}"#,
        "<x> <y> <a>b",
    ),
    (
        r#"{{ "<%s>" % ("a" ~ "b") }} {{ "%s" % ("%s" % ("%s" % "deep")) }}"#,
        "<ab> deep",
    ),
    (
        "{% for m in messages %}{{ loop.index0 % 2 }}{{ (loop.index0 % 2 == 0) }}{% endfor %}",
        "0True1False",
    ),
    (
        "{{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7.5 % 2 }} {{ 2 * 7 % 4 }} {{ 20 % 7 % 4 }} {{ 7 % 2 ** 2 }} {{ 1 + 7 % 4 }} {{ 10 - 7 % 4 * 2 }}",
        "1 2 -2 1.5 2 2 3 4 4",
    ),
    (
        r#"{% if 7 % 2 and not 8 % 2 %}odd{% endif %} {{ "even" if 4 % 2 == 0 else "odd" }} {{ [5 % 2, 6 % 4]|join(",") }} {{ {"a": 9 % 4}["a"] }}"#,
        "odd even 1,2 1",
    ),
    (
        r#"{# 5 % 2 #}{% raw %}{{ 5 % 2 }}{% endraw %} 100 % sure {{ "a % b" }}"#,
        "{{ 5 % 2 }} 100 % sure a % b",
    ),
    (
        r#"{{ "{} {}".format("a", 1) }} {{ "{0}{1}{0}".format("a", "b") }} {{ "{x:>4}|{y:.2f}".format(x="a", y=1.5) }}"#,
        "a 1 aba    a|1.50",
    ),
    (
        r#"{{ "[é] {} {{[é]}} é[é]".format("a") }} {{ "%%(é) (é) %s é" % "a" }} {{ "%(k)s"|format(k="é") }}"#,
        "[é] a {[é]} é[é] %(é) (é) a é é",
    ),
    (
        r#"{{ {"b": "é", "a": [1, none, true]}|tojson(ensure_ascii=True, sort_keys=True) }}"#,
        r#"{"a": [1, null, true], "b": "\u00e9"}"#,
    ),
    (
        r#"{{ {"b": "é😀", "a": 1}|tojson }} {{ {"b": "é😀"}|tojson(true) }}"#,
        r#"{"b": "é😀", "a": 1} {"b": "\u00e9\ud83d\ude00"}"#,
    ),
    (
        r#"{{ {"b": 1}|tojson(separators=(",", ":"), indent=2) }}"#,
        "{\n  \"b\":1\n}",
    ),
    (
        "{{ messages[::-1][0].role }} {{ messages[1:]|length }} {{ (messages + [1])|length }}",
        "assistant 1 3",
    ),
    (
        r#"{%- set ns = namespace(found=false) -%}{% for m in messages %}{% if m.role == "assistant" %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.found }}"#,
        "True",
    ),
    (
        r#"{{ messages|map(attribute="role")|join(" ") }} {{ messages|selectattr("role", "equalto", "user")|list|length }} {{ messages|rejectattr("role", "in", ["user"])|map(attribute="content")|first|length }}"#,
        "user assistant 1 11",
    ),
    (
        r#"{{ "a" in "abc" }} {{ messages[0] is mapping }} {{ "x" is string }} {{ [] is iterable }} {{ x is defined }} {{ none is none }} {{ messages is sequence }}"#,
        "True True True True False True True",
    ),
    (
        r#"{{ "a\tb"|replace("\t", " ")|trim|upper }} {{ " x "|trim ~ "|" }} {{ "abc"[1:] }} {{ "abc"[-1] }} {{ "abc"|length }} {{ "3"|int + 1 }}"#,
        "A B x| bc c 3 4",
    ),
];

#[test]
fn expressions_give_what_they_give_in_python() {
    let messages = [
        Message::new("user", "Be <kind>."),
        Message::new("assistant", "\"Hi\" \\u003c"),
    ];
    let differing: Vec<String> = CASES
        .iter()
        .filter_map(|&(source, expected)| {
            let found = template(source).render(&messages, true);
            let is_same = found.as_deref() == Ok(expected);
            (!is_same).then(|| format!("`{source}` gave {found:?}, expected {expected:?}"))
        })
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn what_python_refuses_is_named() {
    for (source, named) in [
        ("{{ 'x'.encode('utf-8') }}", "no method named encode"),
        ("{{ messages.append(1) }}", "`append` changes a list"),
        ("{{ messages[0].update(a=1) }}", "`update` changes a dict"),
        ("{{ 'x'.index('y') }}", "substring not found"),
        ("{{ 'x'.split('') }}", "empty separator"),
        ("{{ 1 % 0 }}", "divides by 0"),
        ("{{ [1] % 2 }}", "`%` does not take sequence and number"),
        ("{{ '%d' % 'x' }}", "format"),
        ("{{ '%s %s' % 'x' }}", "argument"),
        ("{{ 1|tojson(indents=2) }}", "indents"),
        ("{{ 'x'.rsplit(limit=1) }}", "limit"),
        ("{{ 'x'|nothing }}", "nothing"),
        ("{{ '{0[\u{e9}]}'.format('x') }}", "keys in ASCII"),
        ("{{ '[\u{e9}] {a[\u{4e09}'.format(a=1) }}", "keys in ASCII"),
        ("{{ '%(\u{e9})s' % 'x' }}", "keys in ASCII"),
        ("{{ '%(k\u{1f600}'|format(k=1) }}", "keys in ASCII"),
        ("{{ '{a[{\u{e9}]}'.format(a=1) }}", "keys in ASCII"),
        ("{{ '{:{w[\u{e9}]}}'.format(1, w=1) }}", "keys in ASCII"),
    ] {
        let messages = [Message::new("user", "Hi")];
        let found = ChatTemplate::new(source, "", "")
            .map_err(|error| error.to_string())
            .and_then(|template| {
                template
                    .render(&messages, true)
                    .map_err(|error| error.to_string())
            });
        let error = found.expect_err(source);
        assert!(error.contains(named), "`{source}` gave: {error}");
    }
}

#[test]
fn what_is_no_expression_stays() {
    for source in [
        "",
        "{",
        "{ % }",
        "5 % 2 {x} }} %}",
        "{# {{ 5 % 2 }} #}{# never closed",
        "{{ 'never % closed",
        "{{ (5 ",
        "{% raw %}{{ a % b }}",
        "{%- if a -%} % b {%- endif -%}",
        "{{ 2 * a % b }}{{ -a % b }}",
        "{{ 'a % b' ~ \"c \\\" % d\" }}",
    ] {
        assert_eq!(rewrite::rewrite(source), source);
    }
    let source = "{{- form % (a % b).c[0]|upper -}} {%if x.in%2%}";
    let expected = "{{- form |__mod__( (a |__mod__( b)).c[0]|upper) -}} {%if x.in|__mod__(2)%}";
    assert_eq!(rewrite::rewrite(source), expected);
}

#[test]
fn deep_and_long_templates_are_rewritten_in_time() {
    let n = MAX_SOURCE_BYTES / 8;
    for source in [
        format!("{{{{ {}1{} }}}}", "a % (".repeat(n), ")".repeat(n)),
        format!("{{{{ 1{} }}}}", " % 1".repeat(n)),
        format!("{{{{ 1 % {} }}}}", "-".repeat(n)),
        "{{".repeat(n),
        "{%".repeat(n),
        "{% raw %}".repeat(n / 2),
    ] {
        let rewritten = rewrite::rewrite(&source);
        assert!(rewritten.len() >= source.len(), "{} bytes", rewritten.len());
    }
}
