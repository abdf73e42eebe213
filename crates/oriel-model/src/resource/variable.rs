//! Variables: what stands for something else in arguments, paths and addresses.

/// What stands for something else in arguments and addresses: `%USER%`. `%%` is a per cent sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Variable {
    User,
    FullName,
    ClientName,
    ClientAddress,
    ClientOs,
    Resource,
    Host,
    Site,
    Gateway,
}

impl Variable {
    /// Every variable.
    pub const ALL: [Variable; 9] = [
        Variable::User,
        Variable::FullName,
        Variable::ClientName,
        Variable::ClientAddress,
        Variable::ClientOs,
        Variable::Resource,
        Variable::Host,
        Variable::Site,
        Variable::Gateway,
    ];

    /// Its word, without the per cent signs.
    pub fn as_str(self) -> &'static str {
        match self {
            Variable::User => "USER",
            Variable::FullName => "FULLNAME",
            Variable::ClientName => "CLIENTNAME",
            Variable::ClientAddress => "CLIENTADDRESS",
            Variable::ClientOs => "CLIENTOS",
            Variable::Resource => "RESOURCE",
            Variable::Host => "HOST",
            Variable::Site => "SITE",
            Variable::Gateway => "GATEWAY",
        }
    }
}

/// `text` with every variable replaced by what `value` says of it.
///
/// # Errors
///
/// A sentence: which variable is not known, or that a per cent sign stands alone.
pub fn expand(text: &str, mut value: impl FnMut(Variable) -> String) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        expanded.push_str(before);
        let (word, after) =
            after.split_once('%').ok_or("has a single %; write %% for a per cent sign".to_owned())?;
        match Variable::ALL.into_iter().find(|variable| variable.as_str() == word) {
            Some(variable) => expanded.push_str(&value(variable)),
            None if word.is_empty() => expanded.push('%'),
            None => {
                let word: String = word.chars().take(32).collect();
                let known = Variable::ALL.map(|variable| format!("%{}%", variable.as_str())).join(", ");
                return Err(format!("has %{word}%, which is no variable; there are {known}"));
            }
        }
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_and_unknown_ones_are_named() {
        let value = |variable| match variable {
            Variable::User => "alice".to_owned(),
            _ => "?".to_owned(),
        };
        assert_eq!(expand("--for %USER% at 100%%", value), Ok("--for alice at 100%".to_owned()));
        let error = expand("%PASSWORD%", value).expect_err("no such variable");
        assert!(error.starts_with("has %PASSWORD%"), "{error}");
        assert!(expand("50%", value).is_err());
    }
}
