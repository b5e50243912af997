//! Just enough of Rust's grammar to tell code from comments and literals.

/// The source with every comment, string and character literal replaced by spaces; lines stay where they are.
pub(crate) fn code_of(source: &str) -> String {
    let mut rest = source;
    let mut code = String::with_capacity(source.len());
    while let Some(first) = rest.chars().next() {
        let length = blank_length(rest, ends_in_word(&code));
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (blank, after) = rest.split_at(length);
        code.extend(blank.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    code
}

/// Byte positions of `word` in `code`, where it stands for itself and is no part of a longer name.
pub(crate) fn words<'c>(code: &'c str, word: &'c str) -> impl Iterator<Item = usize> + 'c {
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let after = &code[at + word.len()..];
            !ends_in_word(&code[..at]) && !after.starts_with(is_word)
        })
}

/// How many bytes at the start of `rest` are a comment or a literal; 0 if it starts with code.
fn blank_length(rest: &str, inside_name: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if let Some(inside) = rest.strip_prefix('"') {
        return 1 + quoted(inside, '"');
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    if inside_name {
        return 0;
    }
    // A prefix: `b`, `c`, `r`, `br`, `cr`; the ones with `r` may have hashes.
    let prefix = rest.len() - rest.trim_start_matches(['b', 'c', 'r']).len();
    if !matches!(&rest[..prefix], "r" | "br" | "cr") {
        return 0;
    }
    let hashes = rest[prefix..].len() - rest[prefix..].trim_start_matches('#').len();
    let body = &rest[prefix + hashes..];
    if !body.starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body[1..]
        .find(&end)
        .map_or(body.len(), |at| 1 + at + end.len());
    prefix + hashes + length
}

/// The length of a block comment, those inside it included.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of what follows an opening quote, the closing one included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal, 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut inside = text[1..].chars();
    match (inside.next(), inside.next()) {
        (Some('\\'), _) => 1 + quoted(&text[1..], '\''),
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 0,
    }
}

fn ends_in_word(text: &str) -> bool {
    text.ends_with(is_word)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often `unsafe` stands in the code of `source`.
    fn count(source: &str) -> usize {
        words(&code_of(source), "unsafe").count()
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        assert_eq!(
            count("// unsafe\n/// unsafe\n/* unsafe /* unsafe */ unsafe */"),
            0
        );
        assert_eq!(
            count(
                r##"("unsafe", "\" unsafe", b"unsafe", r"unsafe\", r#"" unsafe"#, br#"unsafe"#)"##
            ),
            0
        );
    }

    #[test]
    fn code_beside_them_is_found() {
        assert_eq!(count("unsafe { f() } // unsafe"), 1);
        assert_eq!(
            count("/* a */ unsafe fn f<'a>(c: char) { c == '\"' } unsafe impl T for U {}"),
            2
        );
        assert_eq!(
            count(r##"g(r#"x"#, '\'', '\\', '"', "\\"); unsafe { h() }"##),
            1
        );
        assert_eq!(count("for c in s.chars() { unsafe { r(c) } }"), 1);
    }

    #[test]
    fn a_longer_name_is_another_word() {
        assert_eq!(
            count("#![deny(unsafe_code)] fn not_unsafe() {} fn unsafe2() {}"),
            0
        );
    }

    #[test]
    fn lines_stay_where_they_are() {
        let source = "a\n/* b\n c */ d\n\"e\nf\" g\n";
        let code = code_of(source);
        assert_eq!(code.matches('\n').count(), source.matches('\n').count());
        assert_eq!(code.split_whitespace().collect::<String>(), "adg");
    }
}
