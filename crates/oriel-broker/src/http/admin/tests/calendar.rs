//! The times of all schedules.

use jiff::{SignedDuration, Timestamp};

use super::*;

fn schedule(name: &str, starts_at: &str, repeat: Option<&str>, host_or_pool: Value) -> Value {
    json!({"name": name, "spec": {
        "action": {"do": "reboot"}, "target": host_or_pool, "starts_at": starts_at,
        "time_zone": "Europe/Berlin", "repeat": repeat,
    }})
}

#[tokio::test]
async fn a_month_has_every_time_of_every_schedule_also_where_clocks_change() {
    let office = Office::open().await;
    let pool = office.made("pools", json!({"name": "p", "spec": {}})).await;
    let target = json!({"of": "pools", "pools": [pool]});
    // March of a year to come, which has a day of 23 hours in Berlin.
    let year = jiff::Zoned::now().year() + 1;
    let starts = format!("{year}-01-01T02:30:00");
    for schedule in [
        schedule("Nightly", &starts, Some("FREQ=DAILY"), target.clone()),
        schedule("Weekly", &starts, Some("FREQ=WEEKLY;BYDAY=SU"), target.clone()),
        schedule("Later", &format!("{year}-07-01T02:30:00"), None, target.clone()),
    ] {
        office.made("schedules", schedule).await;
    }
    let mut off = schedule("Off", &starts, Some("FREQ=DAILY"), target);
    off["spec"]["enabled"] = json!(false);
    office.made("schedules", off).await;

    let berlin = jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone");
    let midnight =
        |month: i8| jiff::civil::date(year, month, 1).to_zoned(berlin.clone()).expect("a moment").timestamp();
    let (from, until) = (midnight(3), midnight(4));
    let path = format!("schedules/runs?from={from}&until={until}");
    let month = office.get(&path).await.expect(StatusCode::OK);
    let items = month["items"].as_array().expect("times");
    let count = |name: &str| items.iter().filter(|item| item["name"] == name).count();
    let sundays =
        (1..=31).filter(|day| jiff::civil::date(year, 3, *day).weekday() == jiff::civil::Weekday::Sunday);
    assert_eq!(
        (count("Nightly"), count("Weekly"), count("Later"), count("Off")),
        (31, sundays.count(), 0, 0)
    );
    let at = |item: &Value| item["at"].as_str().expect("a moment").parse::<Timestamp>().expect("a moment");
    assert!(items.is_sorted_by_key(at));
    let clocks: Vec<_> = items
        .iter()
        .filter(|item| item["name"] == "Nightly")
        .map(|item| at(item).to_zoned(berlin.clone()).strftime("%d %H:%M").to_string())
        .filter(|clock| !clock.ends_with("02:30"))
        .collect();
    let last_sunday =
        (25..=31).find(|day| jiff::civil::date(year, 3, *day).weekday() == jiff::civil::Weekday::Sunday);
    assert_eq!(clocks, [format!("{:02} 03:30", last_sunday.expect("a Sunday"))]);
    assert_eq!(
        (&items[0]["state"], &items[0]["run"], &items[0]["hosts"]),
        (&json!("coming"), &json!(null), &json!(0))
    );
    assert_eq!(items[0]["action"]["do"], "reboot");
    assert_eq!(month["until"], until.to_string());
}

#[tokio::test]
async fn too_many_times_end_early_and_a_span_that_makes_no_sense_is_refused() {
    let office = Office::open().await;
    let pool = office.made("pools", json!({"name": "p", "spec": {}})).await;
    let target = json!({"of": "pools", "pools": [pool]});
    for number in 0..4 {
        let hourly =
            schedule(&format!("Hourly {number}"), "2026-01-01T00:00:00", Some("FREQ=HOURLY"), target.clone());
        office.made("schedules", hourly).await;
    }
    let from = Timestamp::now() + SignedDuration::from_hours(24);
    let until = from + SignedDuration::from_hours(24 * 60);
    let month = office.get(&format!("schedules/runs?from={from}&until={until}")).await.expect(StatusCode::OK);
    let items = month["items"].as_array().expect("times");
    // Each hour has four; what is there is there whole, and it says up to when.
    let told: Timestamp = month["until"].as_str().expect("a moment").parse().expect("a moment");
    assert_eq!(items.len(), 2_000);
    let hours = told.duration_since(from).as_hours();
    assert!((499..=500).contains(&hours), "{hours} hours");

    for (from, until) in [(until, from), (from, from), (from, from + SignedDuration::from_hours(24 * 70 + 1))]
    {
        let answer = office.get(&format!("schedules/runs?from={from}&until={until}")).await;
        assert!(answer.refused(StatusCode::BAD_REQUEST, "bad_request").contains("at most 70 days"));
    }
    office.get("schedules/runs").await.refused(StatusCode::BAD_REQUEST, "bad_request");
}

#[tokio::test]
async fn who_does_not_see_a_schedule_sees_no_time_of_it() {
    let office = Office::open().await;
    let [berlin, oslo] = ["Berlin", "Oslo"].map(|name| json!({"name": name, "spec": {}}));
    let (berlin, oslo) = (office.made("sites", berlin).await, office.made("sites", oslo).await);
    for (name, site) in [("here", &berlin), ("there", &oslo)] {
        let pool = office.made("pools", json!({"name": name, "site": site, "spec": {}})).await;
        let target = json!({"of": "pools", "pools": [pool]});
        let mut made = schedule(name, "2026-01-01T02:30:00", Some("FREQ=DAILY"), target);
        made["site"] = json!(site);
        office.made("schedules", made).await;
    }
    let spec = json!({"role": "viewer", "reach": {"sites": [berlin]}});
    let made = office.post("tokens", json!({"name": "b", "spec": spec})).await.expect(StatusCode::CREATED);
    let secret = made["secret"].as_str().expect("a secret");
    let from = Timestamp::now();
    let path = format!("schedules/runs?from={from}&until={}", from + SignedDuration::from_hours(72));
    let month = office.send(secret, Method::GET, &path, "", Vec::new(), None).await.expect(StatusCode::OK);
    let items = month["items"].as_array().expect("times");
    assert!(items.len() >= 2 && items.iter().all(|item| item["name"] == "here"), "{month:#}");
}
