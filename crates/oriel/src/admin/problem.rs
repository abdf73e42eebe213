//! What the broker says when it refuses ([RFC 9457]), as sentences for people and a kind of failure.

use oriel_model::validate::Mistake;
use serde_json::Value;
use ureq::http::StatusCode;

use super::{output::plain, words};
use crate::failure::Failure;

/// What a failed call says: the sentence, the advice, every mistake, and what was changed meanwhile.
pub fn refusal(status: StatusCode, body: &str) -> Failure {
    let problem = serde_json::from_str::<Value>(body).unwrap_or_default();
    let part = |name: &str| problem[name].as_str().filter(|text| !text.is_empty());
    let mut text = match part("detail").or(part("title")) {
        Some(text) => text.to_owned(),
        None => format!("the broker answered {status} without saying why"),
    };
    if let Some(advice) = part("advice") {
        text += " ";
        text += advice;
    }
    for change in problem["changes"].as_array().into_iter().flatten() {
        text += &format!(
            "\n  {}: {} -> {}",
            plain(&change["field"]),
            plain(&change["before"]),
            plain(&change["after"])
        );
    }
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let mistakes: Vec<_> = problem["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| Mistake { field: word(entry, "field"), message: with_hint(word(entry, "message")) })
        .collect();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::NotPermitted(text),
        StatusCode::NOT_FOUND | StatusCode::GONE => Failure::NotFound(text),
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED | StatusCode::PRECONDITION_REQUIRED => {
            // One thing that stands in the way is told already.
            for Mistake { message, .. } in mistakes.iter().filter(|_| mistakes.len() > 1) {
                text += &format!("\n  {message}");
            }
            Failure::Conflict(text)
        }
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE => {
            Failure::invalid(text, mistakes)
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Failure::Busy(text)
        }
        _ => Failure::Refused(text),
    }
}

/// Adds what may have been meant to a complaint about an unknown word, and leaves out the long list of all
/// known ones: "unknown field `a`, expected one of `b`, `c`".
fn with_hint(message: String) -> String {
    let Some((complaint, expected)) = message.split_once(", expected ") else { return message };
    let quoted =
        |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect() };
    let typed = complaint.strip_prefix("unknown ").and_then(|_| quoted(complaint).into_iter().next());
    let known = quoted(expected);
    match typed.and_then(|typed| words::did_you_mean(&typed, known.iter().map(String::as_str))) {
        Some(hint) => format!("{complaint}: {hint}"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_everything_that_the_broker_said() {
        let body = r#"{"code":"invalid","title":"Not valid","detail":"Two fields are wrong.","advice":"Correct them.",
            "errors":[{"field":"name","message":"must not be empty"}]}"#;
        let failure = refusal(StatusCode::UNPROCESSABLE_ENTITY, body);
        assert_eq!(failure.to_string(), "Two fields are wrong. Correct them.\n  name: must not be empty");
        assert_eq!(failure.number(), 7);
        assert!(refusal(StatusCode::BAD_GATEWAY, "<html>").to_string().contains("502"));
    }

    #[test]
    fn a_word_that_is_nearly_known_is_suggested() {
        let check = |message: &str, told: &str| assert_eq!(with_hint(message.into()), told);
        check(
            "unknown field `max_sesions`, expected one of `accounts`, `max_sessions`",
            "unknown field `max_sesions`: did you mean max_sessions?",
        );
        check("unknown field `x`, expected `name`", "unknown field `x`, expected `name`");
        check("invalid value: integer `-3`, expected u32", "invalid value: integer `-3`, expected u32");
    }

    #[test]
    fn a_stale_write_names_what_was_changed_meanwhile() {
        let body = r#"{"detail":"Changed by token bob.",
            "changes":[{"field":"spec.description","before":"old","after":"new"}]}"#;
        let failure = refusal(StatusCode::PRECONDITION_FAILED, body);
        assert_eq!(failure.number(), 6);
        assert_eq!(failure.to_string(), "Changed by token bob.\n  spec.description: old -> new");
    }
}
