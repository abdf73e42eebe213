//! Filters of lists: `spec.enabled:false,state.problem~:disk|state.reachable:false,name!:"a, b"`.

use std::{borrow::Cow, ops::Range};

use oriel_model::validate::fold;

use super::{ListError, Shape, looked::Leaf};

/// Terms of one filter at most: more than anyone types.
const TERMS_MAX: usize = 20;
const _: () = assert!(TERMS_MAX <= u32::BITS as usize, "Matches has a bit for each");

/// What must hold of an object.
#[derive(Debug, Default)]
pub struct Filter {
    terms: Vec<Term>,
    /// Of the terms of each of these, one must hold.
    one_of: Vec<Range<usize>>,
}

/// What was found of one object, a bit for each term.
#[derive(Debug, Default)]
pub struct Matches {
    /// Where there is a value.
    seen: u32,
    /// Where one of the values is the wanted one.
    wanted: u32,
}

#[derive(Debug)]
struct Term {
    path: String,
    test: Test,
    wanted: String,
    /// What is wanted, as a number.
    number: Option<f64>,
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
        let mut filter = Self::default();
        for one_of in all {
            let first = filter.terms.len();
            for term in one_of {
                filter.terms.push(Term::read(&term, shape)?);
            }
            filter.one_of.push(first..filter.terms.len());
        }
        Ok(filter)
    }

    /// The path that each term looks at.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().map(|term| term.path.as_str())
    }

    /// Whether everything is let through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Takes in a value that lies at a term's path.
    pub fn note(&self, term: usize, value: &Leaf<'_>, matches: &mut Matches) {
        matches.seen |= 1 << term;
        if self.terms[term].is_wanted(value) {
            matches.wanted |= 1 << term;
        }
    }

    /// Whether an object is let through of which everything was noted.
    pub fn takes(&self, matches: &Matches) -> bool {
        let holds = |term: usize| {
            let (seen, wanted) = (matches.seen & 1 << term != 0, matches.wanted & 1 << term != 0);
            self.terms[term].holds(seen, wanted)
        };
        self.one_of.iter().all(|one_of| one_of.clone().any(holds))
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
        let number = wanted.parse().ok();
        Ok(Self { path, test, wanted, number })
    }

    /// Whether a value is what is wanted.
    fn is_wanted(&self, value: &Leaf<'_>) -> bool {
        match (self.test, value) {
            (Test::Contains, value) => contains(&text(value), &self.wanted),
            (_, Leaf::Number(number)) => self.number.is_some() && number.as_f64() == self.number,
            (_, value) => is_alike(&text(value), &self.wanted),
        }
    }

    /// Whether it holds of an object that has a value there or none, and the wanted one among them or not.
    fn holds(&self, seen: bool, wanted: bool) -> bool {
        let is = wanted || (!seen && self.wanted == "null");
        match self.test {
            Test::Is => is,
            Test::IsNot => !is,
            Test::Contains => wanted,
        }
    }
}

/// A value as people write it.
fn text<'a>(value: &'a Leaf<'_>) -> Cow<'a, str> {
    match value {
        Leaf::Null => "null".into(),
        Leaf::Bool(value) => if *value { "true" } else { "false" }.into(),
        Leaf::Number(number) => number.to_string().into(),
        Leaf::Text(text) => (*text).into(),
    }
}

/// Whether a text contains a part that is in lower case.
fn contains(text: &str, part: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(part);
    }
    // Nearly every name, and nothing to be written for it.
    let part = part.as_bytes();
    part.is_empty() || text.as_bytes().windows(part.len()).any(|some| some.eq_ignore_ascii_case(part))
}

/// Whether a text is the same as one that is folded.
fn is_alike(text: &str, folded: &str) -> bool {
    if text.is_ascii() { text.trim().eq_ignore_ascii_case(folded) } else { fold(text) == folded }
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
