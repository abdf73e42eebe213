//! Filters of lists: `spec.enabled:false,state.problem~:disk|state.reachable:false,name!:"a, b"`.

use oriel_model::validate::fold;
use serde_json::Value;

use super::{ListError, Shape, values};

/// Terms of one filter at most: more than anyone types.
const TERMS_MAX: usize = 20;

/// What must hold of an object: of each of these, one term.
#[derive(Debug, Default)]
pub struct Filter(Vec<Vec<Term>>);

#[derive(Debug)]
struct Term {
    path: String,
    test: Test,
    wanted: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    /// `:`
    Is,
    /// `!:`
    IsNot,
    /// `~:`
    Contains,
}

impl Filter {
    /// Reads a filter; an error names the term that is wrong.
    pub fn read(text: &str, shape: &Shape) -> Result<Self, ListError> {
        let all = split(text)?;
        if all.iter().map(Vec::len).sum::<usize>() > TERMS_MAX {
            return Err(ListError::new("filter", format!("has more than {TERMS_MAX} terms")));
        }
        let read = |one_of: Vec<String>| one_of.iter().map(|term| Term::read(term, shape)).collect();
        all.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The paths that are looked at.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(|term| term.path.as_str())
    }

    /// Whether everything is let through.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what is shown is let through.
    pub fn takes(&self, shown: &Value) -> bool {
        self.0.iter().all(|one_of| one_of.iter().any(|term| term.takes(shown)))
    }
}

impl Term {
    fn read(term: &str, shape: &Shape) -> Result<Self, ListError> {
        let wrong = |message: String| Err(ListError::new("filter", message));
        let Some((left, wanted)) = term.split_once(':') else {
            return wrong(format!("\"{term}\" is no term such as spec.enabled:false"));
        };
        let (path, test) = match left.as_bytes().last() {
            Some(b'!') => (&left[..left.len() - 1], Test::IsNot),
            Some(b'~') => (&left[..left.len() - 1], Test::Contains),
            _ => (left, Test::Is),
        };
        let (path, wanted) = (path.trim().to_owned(), unquoted(wanted.trim()));
        let nature = shape.nature("filter", &path)?;
        if nature.has_fields {
            return wrong(format!("\"{path}\" holds several fields: name one of them"));
        }
        let none = wanted == "null";
        if test != Test::Contains && nature.is_only(&["boolean"]) && !none && wanted.parse::<bool>().is_err()
        {
            return wrong(format!("\"{path}\" is true or false, not \"{wanted}\""));
        }
        let is_number = nature.is_only(&["integer", "number"]);
        if test != Test::Contains && is_number && !none && wanted.parse::<f64>().is_err() {
            return wrong(format!("\"{path}\" is a number, and \"{wanted}\" is none"));
        }
        let wanted = if test == Test::Contains { wanted.to_lowercase() } else { fold(&wanted) };
        Ok(Self { path, test, wanted })
    }

    fn takes(&self, shown: &Value) -> bool {
        let found = values(shown, &self.path);
        match self.test {
            Test::Is => self.is_among(&found),
            Test::IsNot => !self.is_among(&found),
            Test::Contains => found.iter().any(|value| text(value).to_lowercase().contains(&self.wanted)),
        }
    }

    fn is_among(&self, found: &[&Value]) -> bool {
        if found.iter().all(|value| value.is_null()) {
            return self.wanted == "null";
        }
        found.iter().any(|value| match value {
            Value::Number(number) => number.as_f64() == self.wanted.parse().ok(),
            value => fold(&text(value)) == self.wanted,
        })
    }
}

/// A value as people write it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// Splits at commas, and what is between them at `|`; neither counts within quotes.
fn split(text: &str) -> Result<Vec<Vec<String>>, ListError> {
    let (mut all, mut one_of, mut term, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    // The last term ends like the others.
    for c in text.chars().chain([',']) {
        match c {
            ',' | '|' if !quoted => {
                one_of.push(std::mem::take(&mut term).trim().to_owned());
                if c == ',' {
                    all.push(std::mem::take(&mut one_of));
                }
            }
            c => {
                quoted ^= c == '"';
                term.push(c);
            }
        }
    }
    if quoted {
        return Err(ListError::new("filter", "has a quotation mark that is not closed".into()));
    }
    // A comma too many says nothing; a `|` with nothing beside it is a mistake, which the term tells.
    all.retain(|one_of| one_of.iter().any(|term| !term.is_empty()));
    Ok(all)
}

fn unquoted(text: &str) -> String {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).to_owned()
}
