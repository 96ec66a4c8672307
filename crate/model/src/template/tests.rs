//! Checks templates, malicious ones included, against the output of Python's Jinja.

use super::*;

pub(super) fn template(source: &str) -> ChatTemplate {
    ChatTemplate::new(source, "<s>", "</s>").unwrap()
}

#[track_caller]
fn check(source: &str, expected: &str) {
    let messages = [
        Message::new("user", "Be <kind>."),
        Message::new("assistant", "\"Hi\" \\u003c"),
    ];
    let found = template(source).render(&messages, true);
    assert_eq!(found.as_deref(), Ok(expected), "`{source}`");
}

#[test]
fn renders_messages_with_the_tokens_of_the_model() {
    check(
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m['content'] }}{{ eos_token }}\n{% endfor %}\
         {% if add_generation_prompt %}[assistant]{% endif %}",
        "<s>[user] Be <kind>.</s>\n[assistant] \"Hi\" \\u003c</s>\n[assistant]",
    );
}

#[test]
fn behaves_as_python_where_templates_rely_on_it() {
    check("{{ messages[0].content.strip('.').upper() }}", "BE <KIND>");
    check("{{ messages[1].content | tojson }}", r#""\"Hi\" \\u003c""#);
    check(
        "{{ ['<', '&', \"'\", '\\\\'] | tojson }}",
        r#"["<", "&", "'", "\\"]"#,
    );
    check(
        "{{ {'a': [1, none, 1.5], 'b': {}} | tojson(indent=1) }}",
        "{\n \"a\": [\n  1,\n  null,\n  1.5\n ],\n \"b\": {}\n}",
    );
    check(
        "{{ [1, true] | tojson(separators=(',', ':')) }}",
        "[1,true]",
    );
    check("{{ 'a\n\nb\n' | indent(2, first=True) }}", "  a\n\n  b\n");
    check(
        "{% if tools is not none %}tools{% else %}none{% endif %}",
        "none",
    );
    check("  {% if true %}\nx\n  {% endif %}\ny\n", "x\ny");
    check(
        "{% for m in messages %}{% if loop.last %}{% break %}{% endif %}a{% endfor %}",
        "a",
    );
    check("{%- generation -%} a {%- endgeneration %} b", "a b");
    check("{{ strftime_now('%d %b %Y') }}", "26 Jul 2024");
}

#[test]
fn a_system_message_is_never_lost() {
    let conversation = [
        Message::new("system", "Be kind."),
        Message::new("user", "Hi"),
        Message::new("assistant", "Hello"),
        Message::new("system", "Now."),
    ];
    for source in [
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}\
         {{ m.role }}:{{ m.content }};{% endfor %}",
        "{% for m in messages if m.role != 'system' %}{{ m.role }}:{{ m.content }};{% endfor %}",
    ] {
        let found = template(source).render(&conversation, true);
        assert_eq!(
            found.as_deref(),
            Ok("user:Be kind.\nHi;assistant:Hello;user:Now.;"),
            "`{source}`"
        );
    }
}

#[test]
fn a_template_may_refuse_the_messages() {
    let refusing = template("{{ raise_exception('roles must alternate') }}");
    let error = refusing.render(&[], false).unwrap_err().to_string();
    assert!(error.contains("roles must alternate"), "says why: {error}");
}

#[test]
fn a_hostile_template_comes_to_an_end() {
    for source in [
        "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
        "{% set ns = namespace(x='xxxxxxxx') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "{{ 'x' * 99999999 }}{{ 'x' * 99999999 }}{{ 'x' * 99999999 }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ [0] * 99999999 | length }}",
        "{{ 77777 * [{'a': 'bcdefgh'}] * 55 }}",
        "{{ 'x' | center(999999999999) }}",
        "{{ '%999999999d' | format(1) }}",
        "{{ 'x' | indent(9999999999, true) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '{:999999999999}'.format(1) }}",
        "{{ 'x'.ljust(99999999999) }}",
        "{{ 'x'.replace('', 'xxxxxxxxxxxxxxxx' * 9999999) }}",
        "{% set ns = namespace(x=[0]) %}{% for i in range(50) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}",
        "{% set ns = namespace(x=[0]) %}{% for i in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson }}",
    ] {
        let error = template(source).render(&[], false);
        assert!(
            matches!(error, Err(RunError::Template { .. })),
            "`{source}` gave {error:?}"
        );
    }
}

#[test]
fn refuses_what_is_no_template() {
    let nested = format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000));
    let long = " ".repeat(MAX_SOURCE_BYTES + 1);
    for source in [
        "{% if %}",
        "{{ x",
        "{% for %}{% endif %}",
        "{% unknown %}",
        &nested,
        &long,
    ] {
        let found = ChatTemplate::new(source, "", "");
        let start: String = source.chars().take(40).collect();
        assert!(
            matches!(found, Err(LoadError::Template { .. })),
            "`{start}` gave {found:?}"
        );
    }
}

#[test]
fn a_file_need_not_have_a_template() {
    assert!(
        ChatTemplate::from_gguf(&Gguf::default()).unwrap().is_none(),
        "no key, no template"
    );
    let mut gguf = Gguf::default();
    gguf.metadata
        .insert("tokenizer.chat_template".into(), "{{ bos_token }}".into());
    gguf.metadata
        .insert("tokenizer.ggml.tokens".into(), vec!["<s>"].into());
    gguf.metadata
        .insert("tokenizer.ggml.bos_token_id".into(), 0u32.into());
    let template = ChatTemplate::from_gguf(&gguf).unwrap().unwrap();
    assert_eq!(
        template.render(&[], false).as_deref(),
        Ok("<s>"),
        "names the file's token"
    );
    gguf.metadata
        .insert("tokenizer.ggml.bos_token_id".into(), 7u32.into());
    let template = ChatTemplate::from_gguf(&gguf).unwrap().unwrap();
    assert_eq!(
        template.render(&[], false).as_deref(),
        Ok(""),
        "a token outside the vocabulary is none"
    );
}
