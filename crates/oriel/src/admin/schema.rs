//! The schemas of the specs: what fields a kind has, what they mean and what they hold. From the same
//! types as the API's document, so that nothing is described twice.

use oriel_model::Kind;
use serde_json::Value;

use super::path::Step;

macro_rules! schemas {
    ($($variant:ident, $spec:ty, $word:literal, $plural:ident, $area:ident, $about:literal;)*) => {
        fn written(kind: Kind) -> Value {
            match kind {
                $(Kind::$variant => schemars::schema_for!($spec).to_value(),)*
            }
        }
    };
}

oriel_model::every_kind!(schemas);

/// Deepest field that is listed: rules are the deepest, with six.
const DEPTH_MAX: usize = 8;
/// Most references followed for one place: a schema that refers to itself must end.
const HOPS_MAX: usize = 16;

/// The schema of one kind's spec.
pub struct Schema {
    root: Value,
}

/// A field, as it is described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds: "text", "number (1 to 8)", "name of a pool".
    pub holds: String,
    /// What it means.
    pub about: String,
    /// The variant that it belongs to, such as `kind: desktop`; none: it is always there.
    pub variant: Option<String>,
    /// Whether it must be said.
    pub required: bool,
    /// What holds where nothing is said, if that is worth saying.
    pub default: Option<Value>,
}

impl Schema {
    /// The schema of a kind.
    pub fn of(kind: Kind) -> Self {
        Self { root: written(kind) }
    }

    /// What the schema says of the place at a path; nothing: there is no such field.
    pub fn at(&self, path: &[Step]) -> Vec<&Value> {
        let mut places = vec![&self.root];
        for step in path {
            let mut next = Vec::new();
            for place in self.expanded(&places) {
                match step {
                    Step::Field(name) => {
                        next.extend(place["properties"].get(name));
                        next.extend(place.get("additionalProperties").filter(|more| more.is_object()));
                    }
                    Step::Entry(_) => next.extend(place.get("items").filter(|items| items.is_object())),
                }
            }
            places = next;
        }
        places
    }

    /// The places with everything that they refer to or are put together from.
    fn expanded<'s>(&'s self, places: &[&'s Value]) -> Vec<&'s Value> {
        let mut found = Vec::new();
        for place in places {
            self.expand(place, HOPS_MAX, &mut found);
        }
        found
    }

    fn expand<'s>(&'s self, place: &'s Value, hops: usize, found: &mut Vec<&'s Value>) {
        if hops == 0 || !place.is_object() {
            return;
        }
        found.push(place);
        let target =
            place["$ref"].as_str().and_then(|target| self.root.pointer(target.trim_start_matches('#')));
        let parts =
            ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|word| place[word].as_array()).flatten();
        for part in target.into_iter().chain(parts) {
            self.expand(part, hops - 1, found);
        }
    }

    /// What is documented about the place at a path.
    pub fn about(&self, path: &[Step]) -> Option<String> {
        let places = self.at(path);
        let own = places.iter().find_map(|place| place["description"].as_str());
        let from_parts =
            || self.expanded(&places).into_iter().find_map(|place| place["description"].as_str());
        own.or_else(from_parts).map(in_words)
    }

    /// What the place at a path holds, in words.
    pub fn holds(&self, path: &[Step]) -> String {
        self.form(&self.at(path))
    }

    /// Whether the place at a path takes text and nothing else, so that `10.2` is no number there.
    pub fn is_text(&self, path: &[Step]) -> bool {
        let places = self.at(path);
        let kinds: Vec<_> =
            self.expanded(&places).into_iter().flat_map(types).filter(|kind| *kind != "null").collect();
        !kinds.is_empty() && kinds.iter().all(|kind| *kind == "string")
    }

    /// Whether the place at a path may name an object of this kind.
    pub fn may_name(&self, path: &[Step], kind: Kind) -> bool {
        let is_kind = |place: &&Value| place["x-oriel-kind"].as_str() == Some(kind.as_str());
        self.expanded(&self.at(path)).iter().any(is_kind)
    }

    fn form(&self, places: &[&Value]) -> String {
        let all = self.expanded(places);
        if let Some(kind) = all.iter().find_map(|place| place["x-oriel-kind"].as_str()) {
            return format!("name of a {}", kind.replace('_', " "));
        }
        let words = values(&all);
        let is = |kind: &str| all.iter().any(|place| types(place).contains(&kind));
        if !words.is_empty() && is("integer") {
            return format!("number, or {}", words.join(" or "));
        }
        if !words.is_empty() {
            return format!("one of: {}", words.join(", "));
        }
        if is("array") {
            let items: Vec<_> = all.iter().filter_map(|place| place.get("items")).collect();
            return format!("list of {}", self.form(&items));
        }
        if is("object") {
            return "fields".into();
        }
        if is("boolean") {
            return "true or false".into();
        }
        if is("integer") || is("number") {
            return "number".into();
        }
        match all.iter().find_map(|place| place["format"].as_str()) {
            Some("date-time") => "time, as in 2026-12-01T02:00:00Z".into(),
            Some("partial-time" | "time") => "time of day, as in 08:00:00".into(),
            Some("uuid") => "id".into(),
            _ => "text".into(),
        }
    }

    /// The fields below a path, in the order of their documentation.
    pub fn fields(&self, path: &[Step]) -> Vec<Field> {
        let mut found: Vec<Field> = Vec::new();
        for place in self.expanded(&self.at(path)) {
            let Some(properties) = place["properties"].as_object() else { continue };
            let required: Vec<_> =
                place["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let tag = properties.iter().find_map(|(name, field)| Some((name, field["const"].as_str()?)));
            for (name, field) in properties {
                if tag.is_some_and(|(tag, _)| tag == name) {
                    let known = found.iter_mut().find(|field| field.name == *name);
                    let word = tag.map_or("", |(_, word)| word);
                    match known {
                        Some(field) if field.holds.split([' ', ',']).any(|known| known == word) => {}
                        Some(field) => field.holds += &format!(", {word}"),
                        None => found.push(Field {
                            name: name.clone(),
                            holds: format!("one of: {word}"),
                            about: "Which of these it is.".into(),
                            variant: None,
                            required: true,
                            default: None,
                        }),
                    }
                    continue;
                }
                let places = [field];
                let about =
                    self.expanded(&places).into_iter().find_map(|place| place["description"].as_str());
                let described = Field {
                    name: name.clone(),
                    holds: self.form(&places),
                    about: about.map(in_words).unwrap_or_default(),
                    variant: tag.map(|(tag, word)| format!("{tag}: {word}")),
                    required: required.contains(&name.as_str()),
                    default: field.get("default").filter(|default| is_telling(default)).cloned(),
                };
                // Several kinds of a thing may have a part of the same form.
                if !found.contains(&described) {
                    found.push(described);
                }
            }
        }
        found
    }

    /// The paths of all fields that hold values, with what they mean: for completion and suggestions.
    pub fn paths(&self) -> Vec<(String, Field)> {
        let mut found = Vec::new();
        self.collect(&mut Vec::new(), "", &mut found);
        found
    }

    fn collect(&self, steps: &mut Vec<Step>, prefix: &str, found: &mut Vec<(String, Field)>) {
        if steps.len() >= DEPTH_MAX {
            return;
        }
        for field in self.fields(steps) {
            let path =
                if prefix.is_empty() { field.name.clone() } else { format!("{prefix}.{}", field.name) };
            if found.iter().any(|(known, _)| *known == path) {
                continue;
            }
            steps.push(Step::Field(field.name.clone()));
            found.push((path.clone(), field));
            self.collect(steps, &path, found);
            steps.pop();
        }
    }
}

/// Whether a default says more than that there is nothing.
fn is_telling(default: &Value) -> bool {
    match default {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(entries) => !entries.is_empty(),
        Value::Object(_) => false,
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn types(place: &Value) -> Vec<&str> {
    match &place["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The words that a place may hold, when it holds nothing else.
fn values<'s>(places: &[&'s Value]) -> Vec<&'s str> {
    let mut found = Vec::new();
    for place in places {
        if place["properties"].is_object() {
            return Vec::new();
        }
        let all = place["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for word in place["const"].as_str().into_iter().chain(all) {
            if !found.contains(&word) {
                found.push(word);
            }
        }
    }
    found
}

/// Documentation as people read it: on one line, without the marks of links and code.
fn in_words(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("[`", "").replace("`]", "").replace('`', "").replace("([", "(").replace("])", ")")
}

#[cfg(test)]
mod tests {
    use super::{super::path, *};

    fn at(path: &str) -> Vec<Step> {
        path::parse(path).expect("a path")
    }

    #[test]
    fn every_kind_has_documented_fields() {
        for kind in Kind::ALL {
            let schema = Schema::of(*kind);
            let fields = schema.fields(&[]);
            assert!(!fields.is_empty(), "{kind}");
            for field in fields {
                assert!(!field.about.is_empty(), "{kind}.{} has no documentation", field.name);
            }
        }
    }

    #[test]
    fn fields_are_found_through_references_lists_and_variants() {
        let resource = Schema::of(Kind::Resource);
        assert_eq!(resource.holds(&at("target.source.pools[0]")), "name of a pool");
        assert_eq!(resource.holds(&at("target.source.pools")), "list of name of a pool");
        assert_eq!(resource.holds(&at("rules.rules[3].effect")), "one of: allow, deny");
        assert!(resource.at(&at("target.sauce")).is_empty());
        let kinds = resource.fields(&at("target")).into_iter().find(|field| field.name == "kind");
        assert!(kinds.expect("it is tagged").holds.contains("web_application"));
        let policy = Schema::of(Kind::Policy);
        assert!(policy.paths().iter().any(|(path, _)| path == "settings.clipboard.direction"));
    }

    #[test]
    fn defaults_and_words_beside_numbers_are_told() {
        let pool = Schema::of(Kind::Pool);
        let told = |name: &str| {
            let fields = pool.fields(&at("settings"));
            let field = fields.into_iter().find(|field| field.name == name).expect(name);
            (field.holds, field.default.unwrap_or_default())
        };
        assert_eq!(told("max_sessions"), ("number".into(), 250.into()));
        assert_eq!(told("linger_disconnect_secs"), ("number, or never".into(), 25.into()));
        assert_eq!(told("balanced"), ("true or false".into(), true.into()));
        assert!(!pool.is_text(&at("settings.linger_logoff_secs")));
    }

    #[test]
    fn a_form_that_several_variants_share_is_told_once() {
        let fields = Schema::of(Kind::Resource).fields(&at("target.source"));
        let told: Vec<_> = fields.iter().map(|field| (field.name.as_str(), field.holds.as_str())).collect();
        let expected = [
            ("from", "one of: all_hosts, pools, hosts"),
            ("pools", "list of name of a pool"),
            ("hosts", "list of name of a host"),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_holds_text_only_is_known() {
        let resource = Schema::of(Kind::Resource);
        assert!(resource.is_text(&at("description")));
        assert!(resource.is_text(&at("title")), "text or nothing");
        assert!(!resource.is_text(&at("order")));
        assert!(!resource.is_text(&at("no.such.field")));
    }
}
