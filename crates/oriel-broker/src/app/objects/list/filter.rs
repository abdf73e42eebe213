//! Filters of lists: `spec.enabled:false,state.problem~:disk,name!:"a, b"`.

use oriel_model::validate::fold;
use serde_json::Value;

use super::{ListError, Shape, values};

/// Terms of one filter at most: more than anyone types.
const TERMS_MAX: usize = 20;

/// What must hold of an object: all of its terms.
#[derive(Debug, Default)]
pub struct Filter(Vec<Term>);

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
        let terms = split(text)?;
        if terms.len() > TERMS_MAX {
            return Err(ListError::new("filter", format!("has more than {TERMS_MAX} terms")));
        }
        terms.into_iter().map(|term| Term::read(&term, shape)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether everything is let through.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what is shown is let through.
    pub fn takes(&self, shown: &Value) -> bool {
        self.0.iter().all(|term| term.takes(shown))
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

/// Splits at commas that are not within quotes.
fn split(text: &str) -> Result<Vec<String>, ListError> {
    let (mut terms, mut term, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                term.push(c);
            }
            ',' if !quoted => terms.push(std::mem::take(&mut term)),
            c => term.push(c),
        }
    }
    if quoted {
        return Err(ListError::new("filter", "has a quotation mark that is not closed".into()));
    }
    terms.push(term);
    Ok(terms.into_iter().map(|term| term.trim().to_owned()).filter(|term| !term.is_empty()).collect())
}

fn unquoted(text: &str) -> String {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).to_owned()
}
