//! The cookie that holds the sealed sign-in.

use http::{HeaderMap, HeaderValue, header::COOKIE};
use oriel_model::Timestamp;
use oriel_wire::portal::SIGN_IN_COOKIE;

/// The sealed sign-in that a browser sends, if any.
pub fn of_request(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == SIGN_IN_COOKIE)
        .map(|(_, value)| value)
}

/// Sets the cookie until the sign-in ends.
pub fn set(sealed: &str, expires_at: Timestamp, now: Timestamp) -> HeaderValue {
    let secs = expires_at.duration_since(now).as_secs().max(0);
    header(sealed, secs)
}

/// Removes the cookie.
pub fn clear() -> HeaderValue {
    header("", 0)
}

fn header(value: &str, max_age_secs: i64) -> HeaderValue {
    let text = format!(
        "{SIGN_IN_COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={max_age_secs}"
    );
    let mut header = HeaderValue::from_str(&text).expect("base64 and numbers are header text");
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        assert_eq!(of_request(&headers), None);
        headers.append(COOKIE, HeaderValue::from_static("theme=dark; x__Host-oriel=no; __Host-oriel=abc"));
        assert_eq!(of_request(&headers), Some("abc"));
    }

    #[test]
    fn it_is_for_this_host_over_tls_and_not_for_scripts() {
        let now = Timestamp::UNIX_EPOCH;
        let text = set("abc", Timestamp::from_second(60).expect("in range"), now);
        let text = text.to_str().expect("text");
        assert_eq!(text, "__Host-oriel=abc; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60");
    }
}
