//! The names that people sign in with.

use oriel_model::validate::{NAME_MAX, fold};

/// The form in which names are compared, counted and looked up: trimmed and case-folded. None when
/// it is the name of nobody, because no user's name can be like that.
pub fn normalised(name: &str) -> Option<String> {
    let name = name.trim();
    // Bytes first, so that a hostile megabyte is not counted.
    let fits = !name.is_empty() && name.len() <= NAME_MAX * 4 && name.chars().count() <= NAME_MAX;
    (fits && !name.chars().any(char::is_control)).then(|| fold(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_folded_and_impossible_ones_are_nobody() {
        assert_eq!(normalised(" Alice\t").as_deref(), Some("alice"));
        assert_eq!(normalised(&"é".repeat(255)), Some("é".repeat(255)));
        for nobody in ["", "  ", "a\0b", "a\nb", &"x".repeat(256), &"x".repeat(1 << 20)] {
            assert_eq!(normalised(nobody), None);
        }
    }
}
