//! Tells the imports and exports of MDX, which are statements of a script, from sentences.

use super::MAX_LINES;

/// Number of lines in the import or export that starts here; 0 if there is none.
pub(super) fn lines(lines: &[&str]) -> usize {
    let first = lines.first().copied().unwrap_or("");
    if first.starts_with("import") {
        return import_lines(lines);
    }
    match first.strip_prefix("export ") {
        Some(rest) if is_export(rest) => export_lines(lines),
        _ => 0,
    }
}

fn import_lines(lines: &[&str]) -> usize {
    let mut statement = String::new();
    for (number, line) in (1..).zip(lines.iter().take(MAX_LINES)) {
        if line.trim().is_empty() {
            return 0;
        }
        statement.push_str(line);
        statement.push(' ');
        if is_import(&statement) {
            return number;
        }
        // Only names in braces continue on the next line.
        if !statement.contains('{') {
            return 0;
        }
    }
    0
}

/// `import 'x'`, or names, `from` and a text in quotes.
fn is_import(statement: &str) -> bool {
    let statement = statement.trim().trim_end_matches(';').trim_end();
    let Some(rest) = statement.strip_prefix("import") else {
        return false;
    };
    let (names, file) = match rest.rsplit_once("from") {
        Some((names, file)) => (Some(names), file),
        None => (None, rest),
    };
    // A query, or attributes, may follow: `with { type: 'json' }`.
    let file = file.split(" with {").next().unwrap_or(file).trim();
    let is_quoted = ['"', '\''].iter().any(|quote| {
        file.len() > 2
            && file.starts_with(*quote)
            && file.ends_with(*quote)
            && file.matches(*quote).count() == 2
    });
    is_quoted && names.is_none_or(|names| are_bindings(names.trim()))
}

/// `a`, `* as a`, `{ a, b as c }`, or two of them joined by a comma.
fn are_bindings(names: &str) -> bool {
    let names = names.strip_prefix("type ").unwrap_or(names);
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
    };
    let is_binding = |name: &str| {
        let name = name.trim();
        is_name(name)
            || name
                .strip_prefix("* as ")
                .is_some_and(|name| is_name(name.trim()))
    };
    match names.split_once('{') {
        Some((before, braced)) => {
            let before = before.trim();
            let first = before.strip_suffix(',').map(str::trim);
            braced.ends_with('}') && (before.is_empty() || first.is_some_and(is_binding))
        }
        None => names.split(',').all(is_binding),
    }
}

fn is_export(rest: &str) -> bool {
    let declares = ["const ", "let ", "var "]
        .iter()
        .any(|word| rest.starts_with(word))
        && rest.contains('=');
    let calls = ["function ", "async function ", "class "]
        .iter()
        .any(|word| {
            rest.strip_prefix("default ")
                .unwrap_or(rest)
                .starts_with(word)
        })
        && rest.contains(['(', '{']);
    let passes_on = rest.starts_with('{') || rest.starts_with("* from ");
    let is_default = rest.strip_prefix("default ").is_some_and(|value| {
        value.starts_with(['{', '(']) || value.contains("=>") || value.trim_end().ends_with(';')
    });
    declares || calls || passes_on || is_default
}

/// Number of lines until all brackets are closed and the statement ends.
fn export_lines(lines: &[&str]) -> usize {
    let mut depth = 0_i32;
    for (number, line) in lines.iter().take(MAX_LINES).enumerate() {
        for c in line.chars() {
            depth += match c {
                '{' | '(' | '[' => 1,
                '}' | ')' | ']' => -1,
                _ => 0,
            };
        }
        let is_last = lines
            .get(number + 1)
            .is_none_or(|next| next.trim().is_empty());
        if depth <= 0 && (is_last || line.trim_end().ends_with([';', '}'])) {
            return number + 1;
        }
    }
    0
}
