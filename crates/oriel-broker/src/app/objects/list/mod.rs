//! Lists: filtered, sorted, a page at a time, whole objects or some of their fields. One mechanism for
//! settings objects and for what is known at run time.
//!
//! A list in its own order is read from where the page begins, and only what is on the page is put into
//! its shown form; a filter or another order looks at all, but only at the fields that it names.

mod fields;
mod filter;
mod looked;
mod order;
mod shape;

use std::borrow::Cow;

use oriel_model::{Id, site::Site};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use fields::Fields;
use filter::{Filter, Matches};
use looked::Paths;
use order::Order;
use shape::Shape;

/// Objects of one answer unless said otherwise.
pub const LIMIT_DEFAULT: usize = 100;
/// Objects of one answer at most: a table that people still scroll.
pub const LIMIT_MAX: usize = 1_000;

/// How any list is cut.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Cut {
    /// Only objects of which all of these hold, separated by commas: `path:value` (is), `path!:value` (is
    /// not), `path~:part` (contains); with `|` between them, one of them is enough. Paths are those of the
    /// shown JSON, such as `spec.enabled:false`; upper and lower case of values are the same; a value with
    /// a comma or a `|` goes into quotation marks.
    pub filter: Option<String>,
    /// Paths to sort by, separated by commas; with `-` in front the largest comes first.
    pub sort: Option<String>,
    /// Only these fields of each object, as paths separated by commas; the id is always there.
    pub fields: Option<String>,
    /// Most objects of the answer: 1 to 1000; 100 when not said.
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<usize>,
    /// Go on after this: `next` of the previous answer. It stays right while objects come and go.
    pub after: Option<String>,
    /// Says in `total` how many fit on all pages together, too.
    pub count: bool,
}

/// Which objects of a list of settings objects are wanted.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListQuery {
    /// Only objects whose name contains this; upper and lower case are the same.
    pub name: Option<String>,
    /// With `name`: only the object that is called exactly this.
    pub exact: bool,
    /// Only objects of this site.
    pub site: Option<Id<Site>>,
    /// Only objects of which all of these hold, separated by commas: `path:value` (is), `path!:value` (is
    /// not), `path~:part` (contains); with `|` between them, one of them is enough. Paths are those of the
    /// shown JSON, such as `spec.enabled:false`; upper and lower case of values are the same; a value with
    /// a comma or a `|` goes into quotation marks.
    pub filter: Option<String>,
    /// Paths to sort by, separated by commas; with `-` in front the largest comes first. Without it: by name.
    pub sort: Option<String>,
    /// Only these fields of each object, as paths separated by commas; the id is always there.
    pub fields: Option<String>,
    /// Most objects of the answer: 1 to 1000; 100 when not said.
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<usize>,
    /// Go on after this: `next` of the previous answer. It stays right while objects come and go.
    pub after: Option<String>,
    /// Says in `total` how many fit on all pages together, too.
    pub count: bool,
}

impl ListQuery {
    /// How the list is cut.
    pub fn cut(&self) -> Cut {
        let Self { filter, sort, fields, limit, after, count, .. } = self.clone();
        Cut { filter, sort, fields, limit, after, count }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Page<T> {
    /// The objects.
    pub items: Vec<Item<T>>,
    /// Pass it as `after` for the next page; none on the last.
    pub next: Option<String>,
    /// How many there are on all pages together; only when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
}

/// One object of a page.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Item<T> {
    /// All of it.
    Whole(T),
    /// The fields that were asked for.
    Part(Part),
}

/// Some fields of an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Part(Value);

impl JsonSchema for Part {
    fn schema_name() -> Cow<'static, str> {
        "Part".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The fields of an object that were asked for, and its id.",
            "type": "object",
            "properties": { "id": { "type": "string", "format": "uuid" } },
            "required": ["id"],
        })
    }
}

/// A part of a query that does not fit the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ListError {
    /// The part: `filter`, `sort`, `fields`, `limit` or `after`.
    pub part: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl ListError {
    fn new(part: &'static str, message: String) -> Self {
        Self { part, message }
    }

    fn unknown(part: &'static str, path: &str, above: &str, names: &[String]) -> Self {
        let shown: String = path.chars().take(100).collect();
        let place = if above.is_empty() { "an object here".to_owned() } else { format!("\"{above}\"") };
        let message = match names {
            [] => format!("\"{shown}\" is not a field: {place} has no fields"),
            names => format!("\"{shown}\" is not a field: {place} has {}", names.join(", ")),
        };
        Self { part, message }
    }
}

/// The size of a page.
pub fn limit(said: Option<usize>) -> Result<usize, ListError> {
    let limit = said.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(ListError::new("limit", format!("is {limit}; must be from 1 to {LIMIT_MAX}")));
    }
    Ok(limit)
}

/// A row of a list before it is shown.
pub struct Row<P, T> {
    /// Its place in the list's own order; no two have the same.
    pub place: P,
    /// What is shown.
    pub item: T,
}

/// A place in a list's own order.
pub trait Place: Ord {
    /// As it stands in a cursor; texts sort as the places do.
    fn text(&self) -> Cow<'_, str>;
}

impl Place for &str {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl Place for String {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl<T> Place for Id<T> {
    fn text(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

/// A row and its sort keys.
type Sorted<P, R> = (Vec<order::Key>, Row<P, R>);

/// How a list is cut, understood.
#[derive(Debug)]
pub struct Selection {
    filter: Filter,
    order: Order,
    /// What order and filter look at: first the paths of the one, then those of the other.
    paths: Paths,
    fields: Option<Fields>,
    limit: usize,
    after: Option<order::Cursor>,
    count: bool,
}

impl Selection {
    /// Understands how a list of what is shown as `T` is cut. `own` is the path of the list's own order.
    pub fn read<T: JsonSchema + 'static>(cut: &Cut, own: &str) -> Result<Self, ListError> {
        let shape = Shape::of::<T>();
        let said = |text: &Option<String>| text.clone().unwrap_or_default();
        let order = Order::read(&said(&cut.sort), own, &shape)?;
        let filter = Filter::read(&said(&cut.filter), &shape)?;
        Ok(Self {
            paths: Paths::new(order.paths().chain(filter.paths())),
            fields: cut.fields.as_deref().map(|fields| Fields::read(fields, &shape)).transpose()?,
            after: cut.after.as_deref().map(|after| order.read_cursor(after)).transpose()?,
            filter,
            order,
            limit: limit(cut.limit)?,
            count: cut.count,
        })
    }

    /// One page. `rows` gives all rows that come after a place, in the list's own order.
    pub fn page<P: Place, R, T: Serialize, I: Iterator<Item = Row<P, R>>>(
        &self,
        rows: impl FnOnce(Option<&str>) -> I,
        show: impl Fn(&R) -> T,
    ) -> Page<T> {
        if self.order.is_own() { self.own_order(rows, show) } else { self.sorted(rows, show) }
    }

    fn own_order<P: Place, R, T: Serialize, I: Iterator<Item = Row<P, R>>>(
        &self,
        rows: impl FnOnce(Option<&str>) -> I,
        show: impl Fn(&R) -> T,
    ) -> Page<T> {
        let takes = |row: &Row<P, R>| self.filter.is_empty() || self.keys(&show(&row.item)).is_some();
        let start = self.after.as_ref().map(|cursor| cursor.place.as_str());
        if !self.count {
            return self.cut_off(rows(start).filter(takes).map(|row| (Vec::new(), row)), &show, None);
        }
        let (mut page, mut total, mut is_past) = (Vec::new(), 0, start.is_none());
        for row in rows(None).filter(takes) {
            total += 1;
            is_past = is_past || start.is_some_and(|start| *row.place.text() > *start);
            // One more than fits: whether there is a next page.
            if is_past && page.len() <= self.limit {
                page.push((Vec::new(), row));
            }
        }
        self.cut_off(page.into_iter(), &show, Some(total))
    }

    fn sorted<P: Place, R, T: Serialize, I: Iterator<Item = Row<P, R>>>(
        &self,
        rows: impl FnOnce(Option<&str>) -> I,
        show: impl Fn(&R) -> T,
    ) -> Page<T> {
        let mut total = 0;
        let mut found = Vec::new();
        for row in rows(None) {
            let Some(keys) = self.keys(&show(&row.item)) else { continue };
            total += 1;
            let is_after = |cursor| self.order.is_after(&keys, &row.place, cursor);
            if self.after.as_ref().is_none_or(is_after) {
                found.push((keys, row));
            }
        }
        let compare =
            |a: &Sorted<P, R>, b: &Sorted<P, R>| self.order.compare((&a.0, &a.1.place), (&b.0, &b.1.place));
        // What comes after the page need not be in order, but one of it must be left.
        if found.len() > self.limit {
            found.select_nth_unstable_by(self.limit, compare);
            found.truncate(self.limit + 1);
        }
        found.sort_unstable_by(compare);
        self.cut_off(found.into_iter(), &show, self.count.then_some(total))
    }

    /// The sort keys of what is shown; none: the filter does not let it through.
    fn keys<T: Serialize>(&self, shown: &T) -> Option<Vec<order::Key>> {
        let (mut keys, mut matches) = (self.order.no_keys(), Matches::default());
        let first_term = keys.len();
        looked::look(shown, &self.paths, &mut |number, leaf| match keys.get_mut(number) {
            Some(key) => *key = order::Key::of(leaf),
            None => self.filter.note(number - first_term, leaf, &mut matches),
        });
        self.filter.takes(&matches).then_some(keys)
    }

    fn cut_off<P: Place, R, T: Serialize>(
        &self,
        mut rows: impl Iterator<Item = Sorted<P, R>>,
        show: impl Fn(&R) -> T,
        total: Option<usize>,
    ) -> Page<T> {
        let mut page: Vec<_> = rows.by_ref().take(self.limit).collect();
        let is_last = rows.next().is_none();
        let items = page.iter().map(|(_, row)| self.item(show(&row.item))).collect();
        let last = if is_last { None } else { page.pop() };
        Page { items, next: last.map(|(keys, row)| self.order.cursor(keys, &row.place)), total }
    }

    fn item<T: Serialize>(&self, shown: T) -> Item<T> {
        match &self.fields {
            None => Item::Whole(shown),
            Some(fields) => Item::Part(Part(fields.of(&json(&shown)))),
        }
    }
}

fn json<T: Serialize>(shown: &T) -> Value {
    serde_json::to_value(shown).expect("what is shown is plain JSON")
}

#[cfg(test)]
mod tests;
