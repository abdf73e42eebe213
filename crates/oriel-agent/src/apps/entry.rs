//! Reading one desktop entry, and the quoting of command lines.

use std::collections::HashMap;

/// A text in several languages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    plain: Option<String>,
    translated: HashMap<String, String>,
}

impl Text {
    /// In the first language there is; else untranslated. "de_AT.UTF-8" is served by "de_AT", then "de".
    pub(super) fn in_language(&self, languages: &[String]) -> Option<&str> {
        let translated = languages.iter().find_map(|language| {
            let language = language.split(['.', '@']).next().unwrap_or_default().replace('-', "_");
            let short = language.split('_').next().unwrap_or_default().to_owned();
            self.translated.get(&language).or_else(|| self.translated.get(&short))
        });
        translated.or(self.plain.as_ref()).map(String::as_str)
    }

    fn set(&mut self, language: Option<&str>, value: String) {
        match language {
            Some(language) => {
                self.translated.insert(language.to_owned(), value);
            }
            None => self.plain = Some(value),
        }
    }
}

/// The keys of a desktop entry that we use.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub(super) name: Text,
    pub(super) comment: Text,
    pub(super) icon: Option<String>,
    pub(super) try_exec: Option<String>,
    pub(super) categories: Vec<String>,
    pub(super) is_terminal: bool,
    /// What it opens, by media type.
    pub(super) opens: Vec<String>,
    exec: Option<String>,
    kind: String,
    is_hidden: bool,
}

impl Entry {
    /// Reads the main group of a file; `None` when it has none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut entry = None::<Self>;
        for line in text.lines() {
            let line = line.trim();
            if line.starts_with('[') {
                // The main group comes first; what follows are actions.
                match (line == "[Desktop Entry]", &entry) {
                    (true, None) => entry = Some(Self::default()),
                    (_, Some(_)) => break,
                    (false, None) => {}
                }
                continue;
            }
            let (Some(entry), Some((key, value))) = (&mut entry, line.split_once('=')) else { continue };
            if !key.starts_with('#') {
                entry.set(key.trim(), value.trim());
            }
        }
        entry
    }

    fn set(&mut self, key: &str, value: &str) {
        let (key, language) = match key.strip_suffix(']').and_then(|key| key.split_once('[')) {
            Some((key, language)) => (key, Some(language)),
            None => (key, None),
        };
        let text = || unescape(value);
        match key {
            "Type" => value.clone_into(&mut self.kind),
            "Name" => self.name.set(language, text()),
            "Comment" => self.comment.set(language, text()),
            "Icon" if language.is_none() => self.icon = Some(text()),
            "Exec" => self.exec = Some(text()),
            "TryExec" => self.try_exec = Some(text()),
            "Terminal" => self.is_terminal = value == "true",
            "NoDisplay" | "Hidden" => self.is_hidden |= value == "true",
            "Categories" => self.categories = words(value),
            "MimeType" => self.opens = words(value),
            _ => {}
        }
    }

    /// Whether it is a program that menus show.
    pub(super) fn is_shown(&self) -> bool {
        self.kind == "Application" && !self.is_hidden && self.exec.is_some()
    }

    /// The command without its field codes, which stand for files that we do not pass.
    pub(super) fn command(&self) -> Option<Vec<String>> {
        let mut words = Vec::new();
        for word in split_words(self.exec.as_ref()?).ok()? {
            match word.strip_prefix('%') {
                Some(code) if code.chars().count() == 1 && code != "%" => {}
                _ => words.push(word.replace("%%", "%")),
            }
        }
        (!words.is_empty()).then_some(words)
    }
}

/// A list of words with semicolons behind them.
fn words(value: &str) -> Vec<String> {
    value.split(';').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Escapes of values of type string: `\s \n \t \r \\`.
fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('s') => out.push(' '),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\\') => out.push('\\'),
            // An escape that is not ours belongs to the quoting of the command line.
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// A quotation that does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quotation mark is missing at the end")]
pub struct OpenQuote;

/// Splits a command line the way a shell does: blanks separate, `'…'`, `"…"` and `\` quote. Nothing is
/// expanded.
///
/// # Errors
/// When a quotation does not end.
pub fn split_words(line: &str) -> Result<Vec<String>, OpenQuote> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut quote = None::<char>;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(end), _) if c == end => quote = None,
            (Some('"'), '\\') => match chars.next() {
                Some(c @ ('"' | '\\' | '$' | '`')) => word.get_or_insert_default().push(c),
                Some(other) => word.get_or_insert_default().extend(['\\', other]),
                None => return Err(OpenQuote),
            },
            (Some(_), _) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().push(chars.next().ok_or(OpenQuote)?),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(OpenQuote);
    }
    words.extend(word);
    Ok(words)
}

/// The opposite of [`split_words`].
pub fn join_words(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    let quoted = words.iter().map(|word| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_split_like_a_shell_and_join_back() {
        let check = |line: &str, expected: &[&str]| {
            let words = split_words(line).expect("closed");
            assert_eq!(words, expected, "{line}");
            assert_eq!(split_words(&join_words(&words)).expect("closed"), words);
        };
        check("", &[]);
        check("a  b\tc", &["a", "b", "c"]);
        check(r#"--title "two words" '' x\ y"#, &["--title", "two words", "", "x y"]);
        check(r#""a\"b\\c\d" 'it'\''s' $HOME;ls"#, &[r#"a"b\c\d"#, "it's", "$HOME;ls"]);
        for open in ["'a", "\"a", "a\\", "\"a\\"] {
            assert_eq!(split_words(open), Err(OpenQuote), "{open}");
        }
    }

    #[test]
    fn field_codes_go_and_percent_signs_stay() {
        let entry = Entry::parse(
            "# x\n[Desktop Entry]\nExec=app --at 5%% %U \"%f\" -c\n[Desktop Action new]\nExec=other\n",
        )
        .expect("has the group");
        assert_eq!(entry.command().expect("command"), ["app", "--at", "5%", "-c"]);
    }

    #[test]
    fn names_come_in_the_first_language_that_there_is() {
        let entry =
            Entry::parse("[Desktop Entry]\nName=Editor\nName[de]=Bearbeiter\nName[pt_BR]=Editor de texto\n")
                .expect("has the group");
        let name = |languages: &[&str]| {
            let languages: Vec<String> = languages.iter().map(|&language| language.to_owned()).collect();
            entry.name.in_language(&languages).map(str::to_owned).expect("name")
        };
        assert_eq!(name(&["de-AT", "en"]), "Bearbeiter");
        assert_eq!(name(&["fr", "pt_BR.UTF-8"]), "Editor de texto");
        assert_eq!(name(&[]), "Editor");
    }
}
