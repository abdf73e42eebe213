//! Command lines with their variables replaced.
//!
//! What a variable stands for may come from the user's device (its name, for one), so it never ends a
//! word, a quotation, a folder or a part of an address that it was put into.

use oriel_model::resource::{Variable, expand};

/// What each variable stands for.
pub type Values<'a> = &'a dyn Fn(Variable) -> String;

/// What is started, with every variable replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program.
    pub program: String,
    /// Its arguments, in the shell's quoting.
    pub arguments: String,
    /// The folder it starts in; empty: the user's home.
    pub start_in: String,
    /// The file, folder or page that it opens, as it is, without any quoting; empty: nothing.
    pub opens: String,
}

pub(super) fn command(
    program: &str,
    arguments: &str,
    start_in: &str,
    values: Values<'_>,
) -> Result<Command, String> {
    let path = |text: &str| expand(text, |variable| in_path(&values(variable)));
    Ok(Command {
        program: path(program)?,
        arguments: expand_arguments(arguments, values)?,
        start_in: path(start_in)?,
        opens: String::new(),
    })
}

/// Replaces variables in arguments: each value stays within the word that its variable is in, whatever
/// quotation it stands in.
fn expand_arguments(arguments: &str, values: Values<'_>) -> Result<String, String> {
    if arguments.matches('%').count() % 2 == 1 {
        // One stands alone: its sentence.
        return expand(arguments, values);
    }
    let mut expanded = String::with_capacity(arguments.len());
    let mut quote = None;
    // At an even index the text itself, at an odd one what stands between two per cent signs.
    for (index, part) in arguments.split('%').enumerate() {
        if index % 2 == 1 {
            let value = expand(&format!("%{part}%"), values)?;
            expanded.push_str(&match (part, quote) {
                ("", _) => "%".to_owned(),
                (_, None) => quoted(&value),
                (_, Some('"')) => escaped(&value),
                (_, Some(_)) => value.replace('\'', r"'\''"),
            });
            continue;
        }
        let mut chars = part.chars();
        while let Some(c) = chars.next() {
            expanded.push(c);
            match (quote, c) {
                (Some(end), _) if c == end => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                // Before a variable it is itself, so that it does not undo the value's quotation.
                (None | Some('"'), '\\') => expanded.push(chars.next().unwrap_or('\\')),
                _ => {}
            }
        }
    }
    Ok(expanded)
}

/// A text as one word of the shell.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A text within `"…"`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A value as a part of a path: no folder of its own.
pub(super) fn in_path(value: &str) -> String {
    match value {
        "." | ".." => value.replace('.', "_"),
        _ => value.replace(['/', '\\', '\0'], "_"),
    }
}

/// A value as a part of an address ([RFC 3986] 2.3: what is not unreserved is encoded).
pub(super) fn in_url(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arguments(text: &str, value: &str) -> Result<String, String> {
        expand_arguments(text, &|_| value.to_owned())
    }

    #[test]
    fn a_value_stays_in_the_word_that_it_is_put_into() {
        let check = |text: &str, value: &str, expected: &str| {
            assert_eq!(arguments(text, value).as_deref(), Ok(expected));
        };
        check("--user %USER% -x", "alice", "--user alice -x");
        check("--user=%USER%", "a b", "--user='a b'");
        check("--user=\"%USER% (%HOST%)\"", "a\" b", "--user=\"a\\\" b (a\\\" b)\"");
        check("'%USER%'", "it's", "'it'\\''s'");
        check("%CLIENTNAME%", "", "''");
        check("\\%USER%", "a b", "\\\\'a b'");
        check("100%% \\\"%USER%", "x y", "100% \\\"'x y'");
    }

    #[test]
    fn what_is_no_variable_is_a_sentence() {
        assert!(arguments("50%", "x").expect_err("alone").contains("single %"));
        assert!(arguments("%PASSWORD%", "x").expect_err("unknown").contains("%PASSWORD%"));
    }

    #[test]
    fn values_do_not_leave_the_part_of_a_path_or_an_address() {
        assert_eq!(in_path("../../etc"), ".._.._etc");
        assert_eq!(in_path(".."), "__");
        assert_eq!(in_url("a&b=c/ü"), "a%26b%3Dc%2F%C3%BC");
    }

    /// Words as a shell splits them, written from its rules.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut is_open) = (Vec::new(), String::new(), false);
        let mut quote = ' ';
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match (quote, c) {
                (' ', ' ') => {
                    if is_open {
                        words.push(std::mem::take(&mut word));
                    }
                    is_open = false;
                    continue;
                }
                (' ', '\'' | '"') => quote = c,
                ('\'', '\'') | ('"', '"') => quote = ' ',
                (' ', '\\') => word.extend(chars.next()),
                ('"', '\\') => match chars.next() {
                    Some(c) if "\"\\$`".contains(c) => word.push(c),
                    other => word.extend(Some('\\').into_iter().chain(other)),
                },
                _ => word.push(c),
            }
            is_open = true;
        }
        assert_eq!(quote, ' ', "a quotation is open in {line}");
        if is_open {
            words.push(word);
        }
        words
    }

    proptest! {
        #[test]
        fn no_value_adds_a_word(value in "[a '\"\\\\$`%;-]{0,12}") {
            let whole = |text: &str| words(&arguments(text, &value).expect("known variables"));
            prop_assert_eq!(whole("-a %USER% -b"), ["-a", value.as_str(), "-b"]);
            prop_assert_eq!(whole("\"%USER%\""), [value.as_str()]);
            prop_assert_eq!(whole("'%USER%' x"), [value.as_str(), "x"]);
            prop_assert_eq!(whole("pre%USER%post"), [format!("pre{value}post")]);
            prop_assert_eq!(words(&quoted(&value)), [value.as_str()]);
        }
    }
}
