//! LDAP messages ([RFC 4511] 4.2): bytes in, bytes out.

use zeroize::Zeroizing;

use super::{
    ber::{Garbled, Reader, SEQUENCE, SET, Writer, number},
    filter::Filter,
};

/// [RFC 2696] paged results.
const PAGED: &str = "1.2.840.113556.1.4.319";
/// [draft-behera-ldap-password-policy-10] 6: what a policy for passwords has to say.
const PASSWORD_POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
/// [RFC 4511] 4.14.1.
const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
/// [RFC 3062] password modify.
const PASSWORD_MODIFY: &str = "1.3.6.1.4.1.4203.1.11.1";

/// [RFC 4511] appendix A: result codes that something follows from.
pub(super) mod code {
    pub const SUCCESS: i64 = 0;
    pub const SIZE_LIMIT_EXCEEDED: i64 = 4;
    pub const STRONGER_AUTH_REQUIRED: i64 = 8;
    pub const REFERRAL: i64 = 10;
    pub const CONFIDENTIALITY_REQUIRED: i64 = 13;
    pub const CONSTRAINT_VIOLATION: i64 = 19;
    pub const NO_SUCH_OBJECT: i64 = 32;
    pub const INVALID_DN_SYNTAX: i64 = 34;
    pub const INAPPROPRIATE_AUTHENTICATION: i64 = 48;
    pub const INVALID_CREDENTIALS: i64 = 49;
    pub const INSUFFICIENT_ACCESS: i64 = 50;
    pub const BUSY: i64 = 51;
    pub const UNAVAILABLE: i64 = 52;
    pub const UNWILLING: i64 = 53;
}

/// How far below the base entries are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The entry itself.
    Base = 0,
    /// Everything below it.
    Subtree = 2,
}

/// A search.
#[derive(Debug, Clone)]
pub(super) struct Search<'a> {
    pub base: &'a str,
    pub scope: Scope,
    pub filter: Filter,
    pub attributes: Vec<&'a str>,
    /// Entries at most.
    pub limit: usize,
}

/// One part of a change to an entry.
pub(super) enum Change {
    Add(&'static str, Zeroizing<Vec<u8>>),
    Delete(&'static str, Zeroizing<Vec<u8>>),
}

fn message(id: i32, write: impl FnOnce(&mut Writer)) -> Zeroizing<Vec<u8>> {
    let mut out = Writer::default();
    out.nested(SEQUENCE, |out| {
        out.integer(id);
        write(out);
    });
    out.into_bytes()
}

fn controls(out: &mut Writer, kind: &str, value: Option<&[u8]>) {
    out.nested(0xa0, |out| {
        out.nested(SEQUENCE, |out| {
            out.octets(kind.as_bytes());
            if let Some(value) = value {
                out.octets(value);
            }
        });
    });
}

/// 4.2: a simple bind, asking for what the password policy has to say.
pub(super) fn bind(id: i32, name: &str, password: &str) -> Zeroizing<Vec<u8>> {
    message(id, |out| {
        out.nested(0x60, |out| {
            out.integer(3);
            out.octets(name.as_bytes());
            out.primitive(0x80, password.as_bytes());
        });
        controls(out, PASSWORD_POLICY, None);
    })
}

/// 4.3.
pub(super) fn unbind(id: i32) -> Zeroizing<Vec<u8>> {
    message(id, |out| out.primitive(0x42, &[]))
}

/// 4.5.1, a page of `size` entries that follow what `cookie` stands for.
pub(super) fn search(
    id: i32,
    search: &Search<'_>,
    seconds: i32,
    page: Option<(i32, &[u8])>,
) -> Zeroizing<Vec<u8>> {
    message(id, |out| {
        out.nested(0x63, |out| {
            out.octets(search.base.as_bytes());
            out.enumerated(search.scope as u8);
            // Aliases are not followed: who may write one would name anybody.
            out.enumerated(0);
            // One more than is taken shows that there are more; pages have limits of their own.
            let limit = i32::try_from(search.limit).unwrap_or(i32::MAX).saturating_add(1);
            out.integer(if page.is_some() { 0 } else { limit });
            out.integer(seconds);
            out.boolean(false);
            search.filter.write(out);
            out.nested(SEQUENCE, |out| {
                search.attributes.iter().for_each(|attribute| out.octets(attribute.as_bytes()));
            });
        });
        if let Some((size, cookie)) = page {
            let mut value = Writer::default();
            value.nested(SEQUENCE, |value| {
                value.integer(size);
                value.octets(cookie);
            });
            controls(out, PAGED, Some(&value.into_bytes()));
        }
    })
}

/// 4.6.
pub(super) fn modify(id: i32, dn: &str, changes: &[Change]) -> Zeroizing<Vec<u8>> {
    message(id, |out| {
        out.nested(0x66, |out| {
            out.octets(dn.as_bytes());
            out.nested(SEQUENCE, |out| {
                for change in changes {
                    let (operation, attribute, value) = match change {
                        Change::Add(attribute, value) => (0, attribute, value),
                        Change::Delete(attribute, value) => (1, attribute, value),
                    };
                    out.nested(SEQUENCE, |out| {
                        out.enumerated(operation);
                        out.nested(SEQUENCE, |out| {
                            out.octets(attribute.as_bytes());
                            out.nested(SET, |out| out.octets(value));
                        });
                    });
                }
            });
        });
    })
}

/// 4.14.
pub(super) fn start_tls(id: i32) -> Zeroizing<Vec<u8>> {
    message(id, |out| out.nested(0x77, |out| out.primitive(0x80, START_TLS.as_bytes())))
}

/// [RFC 3062] 2, with the control of the password policy.
pub(super) fn change_password(id: i32, dn: &str, old: &str, new: &str) -> Zeroizing<Vec<u8>> {
    let mut value = Writer::default();
    value.nested(SEQUENCE, |value| {
        value.primitive(0x80, dn.as_bytes());
        value.primitive(0x81, old.as_bytes());
        value.primitive(0x82, new.as_bytes());
    });
    let value = value.into_bytes();
    message(id, |out| {
        out.nested(0x77, |out| {
            out.primitive(0x80, PASSWORD_MODIFY.as_bytes());
            out.primitive(0x81, &value);
        });
        controls(out, PASSWORD_POLICY, None);
    })
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The message that it answers; 0 when none does.
    pub id: i64,
    pub body: Body,
    /// The cookie of a page: empty after the last one.
    pub cookie: Option<Vec<u8>>,
    pub policy: Policy,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    Bound(Outcome),
    Entry(Entry),
    /// The search goes on elsewhere, where it is not followed.
    Reference,
    Searched(Outcome),
    Modified(Outcome),
    Extended(Outcome),
}

/// How it ended, 4.1.9.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub code: i64,
    /// What the server says about it, for people. May be anything.
    pub words: String,
}

/// What a policy for passwords had to say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Policy {
    /// Seconds until the password expires.
    pub expires_in: Option<i64>,
    /// It has expired, and works this many times more.
    pub grace: Option<i64>,
    pub error: Option<PolicyError>,
}

/// [draft-behera-ldap-password-policy-10] 6.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PolicyError {
    PasswordExpired,
    AccountLocked,
    ChangeAfterReset,
    ModNotAllowed,
    MustSupplyOld,
    Quality,
    TooShort,
    TooYoung,
    InHistory,
    TooLong,
}

/// An entry with the attributes that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub dn: String,
    attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    /// One of which nothing but the name is known.
    pub(super) fn at(dn: &str) -> Self {
        Self { dn: dn.to_owned(), attributes: Vec::new() }
    }

    /// The values of an attribute.
    pub(super) fn values(&self, attribute: &str) -> &[Vec<u8>] {
        let found = self.attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
        found.map_or(&[], |(_, values)| values)
    }

    /// The first value of an attribute.
    pub(super) fn value(&self, attribute: &str) -> Option<&[u8]> {
        self.values(attribute).first().map(Vec::as_slice)
    }

    /// The first value of an attribute as text that says something.
    pub(super) fn text(&self, attribute: &str) -> Option<String> {
        let text = std::str::from_utf8(self.value(attribute)?).ok()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    pub(super) fn number(&self, attribute: &str) -> Option<i64> {
        self.text(attribute)?.parse().ok()
    }
}

/// Reads one whole message.
pub(super) fn read(bytes: &[u8]) -> Result<Answer, Garbled> {
    let mut message = Reader::new(bytes).inside(SEQUENCE)?;
    let id = message.integer()?;
    let (tag, value) = message.any()?;
    let body = match tag {
        0x61 => Body::Bound(outcome(value)?),
        0x64 => Body::Entry(entry(value)?),
        0x65 => Body::Searched(outcome(value)?),
        0x67 => Body::Modified(outcome(value)?),
        0x73 => Body::Reference,
        0x78 => Body::Extended(outcome(value)?),
        _ => return Err(Garbled),
    };
    let mut answer = Answer { id, body, cookie: None, policy: Policy::default() };
    // Active Directory puts the name of its last words here, where only controls may be.
    if let Some(value) = message.optional(0xa0)? {
        read_controls(value, &mut answer)?;
    }
    Ok(answer)
}

fn outcome(bytes: &[u8]) -> Result<Outcome, Garbled> {
    let mut reader = Reader::new(bytes);
    let code = reader.enumerated()?;
    reader.octets()?;
    Ok(Outcome { code, words: reader.text()? })
}

fn entry(bytes: &[u8]) -> Result<Entry, Garbled> {
    let mut reader = Reader::new(bytes);
    let mut entry = Entry { dn: reader.text()?, attributes: Vec::new() };
    let mut list = reader.inside(SEQUENCE)?;
    while !list.is_empty() {
        let mut attribute = list.inside(SEQUENCE)?;
        let name = attribute.text()?;
        let mut values = attribute.inside(SET)?;
        let mut taken = Vec::new();
        while !values.is_empty() {
            taken.push(values.octets()?.to_vec());
        }
        entry.attributes.push((name, taken));
    }
    Ok(entry)
}

fn read_controls(bytes: &[u8], answer: &mut Answer) -> Result<(), Garbled> {
    let mut list = Reader::new(bytes);
    while !list.is_empty() {
        let mut control = list.inside(SEQUENCE)?;
        let kind = control.octets()?;
        control.optional(0x01)?;
        let Some(value) = control.optional(0x04)? else { continue };
        if kind == PAGED.as_bytes() {
            let mut page = Reader::new(value).inside(SEQUENCE)?;
            page.integer()?;
            answer.cookie = Some(page.octets()?.to_vec());
        } else if kind == PASSWORD_POLICY.as_bytes() {
            answer.policy = policy(value)?;
        }
    }
    Ok(())
}

fn policy(bytes: &[u8]) -> Result<Policy, Garbled> {
    let mut reader = Reader::new(bytes).inside(SEQUENCE)?;
    let mut policy = Policy::default();
    if let Some(warning) = reader.optional(0xa0)? {
        match Reader::new(warning).any()? {
            (0x80, seconds) => policy.expires_in = Some(number(seconds)?),
            (0x81, count) => policy.grace = Some(number(count)?),
            _ => return Err(Garbled),
        }
    }
    if let Some(error) = reader.optional(0x81)? {
        policy.error = Some(match number(error)? {
            0 => PolicyError::PasswordExpired,
            1 => PolicyError::AccountLocked,
            2 => PolicyError::ChangeAfterReset,
            3 => PolicyError::ModNotAllowed,
            4 => PolicyError::MustSupplyOld,
            5 => PolicyError::Quality,
            6 => PolicyError::TooShort,
            7 => PolicyError::TooYoung,
            8 => PolicyError::InHistory,
            9 => PolicyError::TooLong,
            _ => return Err(Garbled),
        });
    }
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    #[test]
    fn requests_are_those_of_the_standard() {
        assert_eq!(*unbind(5), hex("30 05 020105 4200"));
        assert_eq!(*start_tls(1), hex("301d 020101 7718 8016 312e332e362e312e342e312e313436362e3230303337"));
        let bound = bind(2, "cn=a", "secret");
        assert_eq!(bound[..24], hex("3035 020102 6011 020103 0404 636e3d61 8006 736563726574")[..24]);
        let question = Search {
            base: "dc=x",
            scope: Scope::Subtree,
            filter: Filter::equal("uid", "a*)(uid=*"),
            attributes: vec!["cn"],
            limit: 9,
        };
        // The value is as long as it is: brackets and stars in it end nothing.
        assert_eq!(
            *search(3, &question, 5, None),
            hex("3030 020103 632b 040464633d78 0a0102 0a0100 02010a 020105 010100 \
                 a310 0403756964 0409 612a29287569643d2a 3004 0402636e")
        );
    }

    #[test]
    fn answers_are_read_with_their_controls() {
        let refused = hex("300f 020102 610a 0a0131 0400 0403 62 61 64");
        let answer = read(&refused).expect("an answer");
        assert_eq!(
            answer.body,
            Body::Bound(Outcome { code: code::INVALID_CREDENTIALS, words: "bad".into() })
        );

        // As slapd 2.5 answers whoever must change their password.
        let mut value = Writer::default();
        value.nested(SEQUENCE, |out| {
            out.nested(0xa0, |out| out.primitive(0x80, &[0x0e, 0x10]));
            out.primitive(0x81, &[2]);
        });
        let value = value.into_bytes();
        let bytes = message(7, |out| {
            out.nested(0x61, |out| {
                out.enumerated(0);
                out.octets(b"");
                out.octets(b"");
            });
            controls(out, PASSWORD_POLICY, Some(&value));
        });
        let policy = read(&bytes).expect("an answer").policy;
        let expected =
            Policy { expires_in: Some(3600), grace: None, error: Some(PolicyError::ChangeAfterReset) };
        assert_eq!(policy, expected);

        // Active Directory's notice of disconnection, with its name at the wrong place.
        let notice = hex("3012 020100 7807 0a0134 0400 0400 8a04 312e3333");
        let answer = read(&notice).expect("an answer");
        assert_eq!((answer.id, answer.body), (0, Body::Extended(Outcome { code: 52, words: String::new() })));
    }

    proptest! {
        #[test]
        fn no_value_of_a_filter_reaches_beyond_itself(value in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut out = Writer::default();
            Filter::And(vec![Filter::equal("uid", value.clone()), Filter::Present("cn".into())]).write(&mut out);
            let bytes = out.into_bytes();
            let mut whole = Reader::new(&bytes);
            let mut parts = whole.inside(0xa0).expect("and");
            let mut first = parts.inside(0xa3).expect("equal");
            prop_assert_eq!(first.octets(), Ok(&b"uid"[..]));
            prop_assert_eq!(first.octets(), Ok(value.as_slice()));
            prop_assert!(first.is_empty());
            prop_assert_eq!(parts.value(0x87), Ok(&b"cn"[..]));
            prop_assert!(parts.is_empty() && whole.is_empty());
        }

        #[test]
        fn any_bytes_are_an_answer_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = read(&bytes);
        }

        /// Real answers with some bytes changed get further than random ones.
        #[test]
        fn damaged_answers_are_read_or_refused(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
        ) {
            let mut bytes = message(4, |out| {
                out.nested(0x64, |out| {
                    out.octets(b"cn=alice,dc=x");
                    out.nested(SEQUENCE, |out| out.nested(SEQUENCE, |out| {
                        out.octets(b"mail");
                        out.nested(SET, |out| out.octets(b"alice@example.org"));
                    }));
                });
                controls(out, PAGED, Some(&[0x30, 0x05, 2, 1, 0, 4, 0]));
            }).to_vec();
            prop_assert!(read(&bytes).is_ok());
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = read(&bytes);
        }
    }

    #[test]
    fn deep_nesting_is_refused_at_its_first_level() {
        const DEPTH: u32 = 100_000;
        let levels = (0..DEPTH).flat_map(|at| {
            let length = (DEPTH - 1 - at) * 6;
            [0x30, 0x84].into_iter().chain(length.to_be_bytes())
        });
        assert_eq!(read(&levels.collect::<Vec<u8>>()), Err(Garbled));
    }
}
