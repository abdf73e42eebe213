//! Some fields of an object, by their paths.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ListError, Shape};

/// Fields chosen at most.
const FIELDS_MAX: usize = 50;

/// The fields that are wanted of an object, each with those wanted within it; without any, all of it is.
#[derive(Debug, Default)]
pub struct Fields(BTreeMap<String, Fields>);

impl Fields {
    /// Reads a choice of fields; an error names the path that is wrong. The id is always chosen.
    pub fn read(text: &str, shape: &Shape) -> Result<Self, ListError> {
        let paths: Vec<_> = text.split(',').map(str::trim).filter(|path| !path.is_empty()).collect();
        if paths.len() > FIELDS_MAX {
            return Err(ListError::new("fields", format!("names more than {FIELDS_MAX} fields")));
        }
        for path in &paths {
            shape.nature("fields", path)?;
        }
        Ok(Self::at(paths.into_iter().chain(["id"])))
    }

    /// The fields at these paths.
    fn at<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        let mut fields = Self::default();
        'paths: for path in paths {
            let mut at = &mut fields;
            for name in path.split('.') {
                // All of that is chosen already.
                if at.0.get(name).is_some_and(Self::is_all) {
                    continue 'paths;
                }
                at = at.0.entry(name.to_owned()).or_default();
            }
            // All of it: what was chosen within it before does not count.
            at.0.clear();
        }
        fields
    }

    /// Whether all of it is wanted.
    fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wanted of what is shown.
    pub fn of(&self, shown: &Value) -> Value {
        match shown {
            Value::Object(all) if !self.is_all() => {
                let chosen = self
                    .0
                    .iter()
                    .filter_map(|(name, within)| all.get(name).map(|value| (name.clone(), within.of(value))));
                Value::Object(chosen.collect::<Map<_, _>>())
            }
            Value::Array(all) => all.iter().map(|value| self.of(value)).collect(),
            value => value.clone(),
        }
    }
}
