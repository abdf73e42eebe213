//! Words that people type: kinds of objects, and what they may have meant.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use oriel_model::Kind;

/// Reads a kind: its word or its plural, with `-` for `_` if one likes.
pub fn kinds() -> impl TypedValueParser<Value = Kind> {
    let values = Kind::ALL.iter().map(|kind| {
        let word = kind.as_str();
        let mut value = PossibleValue::new(word).help(kind.about());
        for other in [kind.plural().to_owned(), word.replace('_', "-"), kind.plural().replace('_', "-")] {
            if other != word {
                value = value.alias(leaked(other));
            }
        }
        value
    });
    PossibleValuesParser::new(values).map(|word| kind(&word).expect("only known words are let through"))
}

/// Clap wants texts that live as long as the program; there is one for each form of each kind.
fn leaked(text: String) -> &'static str {
    use std::{collections::BTreeSet, sync::Mutex};
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(known) = known.get(text.as_str()) {
        return known;
    }
    let text: &'static str = Box::leak(text.into_boxed_str());
    known.insert(text);
    text
}

/// The kind of a word or a plural.
pub fn kind(word: &str) -> Option<Kind> {
    let word = word.replace('-', "_");
    Kind::ALL.iter().copied().find(|kind| kind.as_str() == word || kind.plural() == word)
}

/// From how near on a word is suggested: above what unrelated words have by chance.
const NEAR: f64 = 0.75;
/// Most words that are suggested.
const SUGGESTIONS_MAX: usize = 3;

/// "did you mean A or B?"; none: nothing is near.
pub fn did_you_mean<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<String> {
    let typed = word.to_lowercase();
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        .filter_map(|known| {
            let other = known.to_lowercase();
            let contained = typed.len() > 2 && other.contains(&typed);
            let nearness = if contained { 1.0 } else { strsim::jaro_winkler(&typed, &other) };
            (nearness >= NEAR).then_some((nearness, known))
        })
        .collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.truncate(SUGGESTIONS_MAX);
    let near: Vec<_> = near.into_iter().map(|(_, known)| known).collect();
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_read_from_every_form_of_their_words() {
        for word in ["logon_hours", "logon-hours"] {
            assert_eq!(kind(word), Some(Kind::LogonHours));
        }
        for all in Kind::ALL {
            assert_eq!((kind(all.as_str()), kind(all.plural())), (Some(*all), Some(*all)));
        }
        assert_eq!(kind("hostage"), None);
    }

    #[test]
    fn what_is_near_is_suggested_and_nothing_else() {
        let pools = ["Office", "Laboratory"];
        assert_eq!(did_you_mean("Offcie", pools).as_deref(), Some("did you mean Office?"));
        assert_eq!(did_you_mean("labor", pools).as_deref(), Some("did you mean Laboratory?"));
        assert_eq!(did_you_mean("xyz", pools), None);
    }
}
