//! Settings that inherit: each field says a value or nothing, and nothing means the next level's:
//! host, then pool, then site, then the product's default.
//!
//! [`inherited!`](crate::inherited) makes, from one list of fields with their defaults and ranges, what
//! a level may say, what holds in the end, where each value comes from, and the checks.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The host itself.
    Host,
    /// The pool it is a member of.
    Pool,
    /// The site's defaults.
    Site,
    /// The defaults of another site, which this site follows.
    FollowedSite,
    /// The product's default.
    Product,
}

/// Settings of which each field inherits.
pub trait Inherited: Sized {
    /// With every field decided.
    type Effective: Default;

    /// What holds when `levels` are asked in this order.
    fn effective(levels: &[(Level, &Self)]) -> Self::Effective;

    /// From which of `levels`, asked in this order, each field comes.
    fn origins(levels: &[(Level, &Self)]) -> Origins;

    /// Both.
    fn resolve(levels: &[(Level, &Self)]) -> (Self::Effective, Origins) {
        (Self::effective(levels), Self::origins(levels))
    }
}

/// From which level each field comes, by the field's name.
pub type Origins = BTreeMap<&'static str, Level>;

/// Makes settings that inherit. Each row: documentation, field, type, default, and the check of a value.
/// The check is a function `(&mut Mistakes, field, &value)`, such as [`range`].
#[macro_export]
macro_rules! inherited {
    (
        $(#[$about:meta])* $said:ident => $(#[$effective_about:meta])* $effective:ident
        { $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr, $check:expr;)* }
    ) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        #[serde(deny_unknown_fields, default)]
        pub struct $said {
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                #[schemars(extend("default" = std::convert::identity::<$type>($default)))]
                pub $field: Option<$type>,
            )*
        }

        $(#[$effective_about])*
        #[derive(
            Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        pub struct $effective {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl Default for $effective {
            /// The product's defaults.
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::inherit::Inherited for $said {
            type Effective = $effective;

            fn effective(levels: &[($crate::inherit::Level, &Self)]) -> $effective {
                $effective {
                    $($field: levels
                        .iter()
                        .find_map(|(_, said)| said.$field.clone())
                        .unwrap_or_else(|| $default),)*
                }
            }

            fn origins(levels: &[($crate::inherit::Level, &Self)]) -> $crate::inherit::Origins {
                let mut origins = $crate::inherit::Origins::new();
                $(
                    let says = levels.iter().find(|(_, said)| said.$field.is_some());
                    let origin = says.map_or($crate::inherit::Level::Product, |(level, _)| *level);
                    origins.insert(stringify!($field), origin);
                )*
                origins
            }
        }

        impl $said {
            /// Checks every value that is said.
            pub fn validate(&self, mistakes: &mut $crate::validate::Mistakes) {
                $(
                    if let Some(value) = &self.$field {
                        let check: fn(&mut $crate::validate::Mistakes, &str, &$type) = $check;
                        check(mistakes, stringify!($field), value);
                    }
                )*
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::Mistakes;

    inherited! {
        /// What a level says.
        Said =>
        /// What holds.
        Holds {
            /// A number.
            seats: u32 = 5, |m, field, value| m.range(field, value, 1..=9);
            /// A list.
            left_out: Vec<String> = Vec::new(), |_, _, _| {};
        }
    }

    #[test]
    fn the_nearest_level_that_says_something_wins_and_is_named() {
        let host = Said { seats: Some(2), ..Said::default() };
        let pool = Said { seats: Some(3), left_out: Some(vec!["a".into()]) };
        let (holds, origins) = Said::resolve(&[(Level::Host, &host), (Level::Pool, &pool)]);
        assert_eq!(holds, Holds { seats: 2, left_out: vec!["a".into()] });
        assert_eq!(origins, Origins::from([("seats", Level::Host), ("left_out", Level::Pool)]));
        let (holds, origins) = Said::resolve(&[]);
        assert_eq!((holds.seats, origins["seats"]), (5, Level::Product));
    }

    #[test]
    fn only_what_is_said_is_checked() {
        let mut mistakes = Mistakes::default();
        Said::default().validate(&mut mistakes);
        Said { seats: Some(10), ..Said::default() }.validate(&mut mistakes);
        let found = mistakes.into_vec();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].field, "seats");
    }
}
