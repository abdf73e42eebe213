//! Distinguished names ([RFC 4514]).

/// The entry below `parent` that is named by this value of the attribute.
pub(super) fn child(attribute: &str, value: &str, parent: &str) -> String {
    format!("{attribute}={},{parent}", escaped(value))
}

/// The root of an Active Directory domain with this DNS name.
pub(super) fn of_domain(domain: &str) -> String {
    let parts: Vec<String> = domain
        .trim()
        .split('.')
        .filter(|part| !part.is_empty())
        .map(|part| format!("DC={}", escaped(part)))
        .collect();
    parts.join(",")
}

/// 2.4: a value within a distinguished name. Everything but letters, digits and what is harmless between
/// them is written in hexadecimal digits, so that there is nothing to know about what is special where.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@') {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                out.push_str(&format!("\\{byte:02x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_made_of_values_whatever_these_are() {
        assert_eq!(child("uid", "alice", "dc=x"), "uid=alice,dc=x");
        assert_eq!(child("uid", "a,dc=y", "dc=x"), "uid=a\\2cdc\\3dy,dc=x");
        assert_eq!(child("uid", "#é ", "dc=x"), "uid=\\23é\\20,dc=x");
        assert_eq!(of_domain("ad.example.org"), "DC=ad,DC=example,DC=org");
    }

    proptest! {
        #[test]
        fn no_value_ends_before_its_end(value in "\\PC{0,30}|[,=+\"\\\\<>;# a]{0,12}") {
            let escaped = escaped(&value);
            prop_assert!(!escaped.contains([',', '=', '+', '"', '<', '>', ';', '#', ' ', '\0']));
            let mut bytes = Vec::new();
            let mut chars = escaped.chars();
            while let Some(c) = chars.next() {
                if c == '\\' {
                    let digits: String = chars.by_ref().take(2).collect();
                    bytes.push(u8::from_str_radix(&digits, 16).expect("two digits"));
                } else {
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            prop_assert_eq!(String::from_utf8(bytes), Ok(value));
        }
    }
}
