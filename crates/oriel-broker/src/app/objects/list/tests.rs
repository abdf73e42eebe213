use super::*;

#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Thing {
    id: String,
    name: String,
    size: u64,
}

fn things(count: u64) -> Vec<Thing> {
    (0..count).map(|n| Thing { id: n.to_string(), name: format!("{n:05}"), size: n % 7 }).collect()
}

fn page(all: &[Thing], cut: &Cut, shown: &std::cell::Cell<usize>) -> Page<Thing> {
    let selection = Selection::read::<Thing>(cut, "name").expect("a list");
    let rows = |after: Option<&str>| {
        let after = after.unwrap_or_default().to_owned();
        let rows = all.iter().filter(move |thing| thing.name > after);
        rows.map(|thing| Row { place: thing.name.as_str(), item: thing })
    };
    selection.page(rows, |thing| {
        shown.set(shown.get() + 1);
        (*thing).clone()
    })
}

#[test]
fn a_page_in_the_lists_own_order_shows_no_more_than_what_is_on_it() {
    let (all, shown) = (things(10_000), std::cell::Cell::new(0));
    let first = page(&all, &Cut { limit: Some(50), ..Cut::default() }, &shown);
    assert_eq!((first.items.len(), shown.get()), (50, 50));
    let next = Cut { limit: Some(50), after: first.next, ..Cut::default() };
    let second = page(&all, &next, &shown);
    assert_eq!((shown.get(), json(&second.items[0])["name"].as_str()), (100, Some("00050")));
}

#[test]
fn pages_in_any_order_give_every_object_once() {
    let (all, shown) = (things(100), std::cell::Cell::new(0));
    for sort in ["size", "-size,name", "-name", "name"] {
        let mut cut = Cut { sort: Some(sort.into()), limit: Some(9), ..Cut::default() };
        let mut seen = Vec::new();
        loop {
            let page = page(&all, &cut, &shown);
            seen.extend(page.items.iter().map(|item| json(item)["name"].to_string()));
            cut.after = page.next;
            if cut.after.is_none() {
                break;
            }
        }
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((count, seen.len()), (100, 100), "{sort}");
    }
}
