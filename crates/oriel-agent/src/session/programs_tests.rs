use super::*;

const OK: i32 = 0;
const EXIT_127: i32 = 127 << 8;

fn started(resource: &str, window: Window, at: Instant) -> Started {
    Started {
        name: "app".into(),
        resource: resource.into(),
        window,
        at,
        exited_at: None,
        has_shown: false,
        is_shaped: false,
        windowless_since: Some(at),
    }
}

fn one(at: Instant) -> Programs {
    Programs { started: vec![started("one", Window::Maximised, at)], windows: vec![] }
}

fn two(at: Instant, windows: [Window; 2]) -> Programs {
    let [first, second] = windows;
    Programs { started: vec![started("one", first, at), started("two", second, at)], windows: vec![] }
}

/// A main window of a program; the process is a hundred and its number.
fn window(window: u32, program: usize) -> Seen {
    Seen { window, pid: Some(100 + program as u32), program: Some(program), is_main: true }
}

fn open(programs: &Programs, now: Instant) -> Vec<String> {
    programs.resources(now).into_iter().collect()
}

#[test]
fn a_program_runs_until_its_last_window_is_gone_for_a_while() {
    let start = Instant::now();
    let after = |secs| start + Duration::from_secs(secs);
    let mut programs = one(start);
    assert!(programs.is_running(after(30)), "a slow start is a start");
    programs.windows(&[window(1, 0)], after(31));
    assert!(programs.is_running(after(100)));
    programs.windows(&[], after(100));
    assert!(programs.is_running(after(104)), "a splash screen may be followed by a window");
    assert!(!programs.is_running(after(105)), "a process without a window is of no use");
    assert!(programs.exited(0, ExitStatus::from_raw(OK), after(106)).is_none());
    assert!(!programs.is_running(after(106)));
    assert!(!programs.is_in_suspense());
}

#[test]
fn a_launcher_may_hand_over_but_a_failure_is_final() {
    let start = Instant::now();
    let after = |secs| start + Duration::from_secs(secs);
    let mut launcher = one(start);
    assert!(launcher.exited(0, ExitStatus::from_raw(OK), after(1)).is_none());
    assert!(launcher.is_running(after(10)));
    assert!(!launcher.is_running(after(11)));
    // Of a process that nobody knows.
    launcher.windows(&[Seen { window: 1, pid: None, program: None, is_main: true }], after(9));
    assert!(launcher.is_running(after(60)));
    assert_eq!(open(&launcher, after(60)), ["one"]);

    let mut failed = one(start);
    let sentence = failed.exited(0, ExitStatus::from_raw(EXIT_127), after(1)).expect("a failure");
    assert_eq!(sentence, "app ended at once with exit code 127");
    assert!(!failed.is_running(after(1)));
}

#[test]
fn each_program_runs_for_its_own_resource() {
    let start = Instant::now();
    let after = |secs| start + Duration::from_secs(secs);
    let mut programs = two(start, [Window::Maximised; 2]);
    assert_eq!(open(&programs, after(1)), ["one", "two"]);
    programs.windows(&[window(1, 0), window(2, 1)], after(1));
    programs.windows(&[window(2, 1)], after(2));
    programs.exited(0, ExitStatus::from_raw(OK), after(2));
    assert_eq!(open(&programs, after(2)), ["two"]);
    assert!(programs.is_running(after(2)));
    programs.windows(&[], after(3));
    programs.exited(1, ExitStatus::from_raw(OK), after(3));
    assert_eq!(open(&programs, after(3)), Vec::<String>::new());
    assert!(!programs.is_running(after(3)));
}

#[test]
fn a_second_start_that_hands_over_to_the_first_process_has_a_window_there() {
    let start = Instant::now();
    let after = |secs| start + Duration::from_secs(secs);
    let mut programs = two(start, [Window::Maximised; 2]);
    programs.windows(&[window(1, 0)], after(1));
    programs.exited(1, ExitStatus::from_raw(OK), after(2));
    programs.windows(&[window(1, 0), window(2, 0)], after(3));
    let window_of = |programs: &Programs, resource| programs.window_of(resource, &[]);
    assert_eq!((window_of(&programs, "one"), window_of(&programs, "two")), (Some(1), Some(2)));
    // One more window of that process is its own again.
    programs.windows(&[window(1, 0), window(2, 0), window(3, 0)], after(4));
    assert_eq!(window_of(&programs, "one"), Some(3));
}

#[test]
fn what_has_no_window_of_its_own_is_in_one_of_the_same_program() {
    let start = Instant::now();
    let mut programs = two(start, [Window::Maximised; 2]);
    let splash = Seen { is_main: false, ..window(3, 1) };
    programs.windows(&[window(1, 0), window(2, 1), splash], start);
    let of = |resource: &str, same: &[&str]| {
        programs.window_of(resource, &same.iter().map(|&id| id.to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(of("application", &["one"]), Some(1));
    assert_eq!(of("application", &["one", "two"]), Some(2), "the youngest main one");
    assert_eq!(of("one", &["two"]), Some(1), "its own comes first");
    assert_eq!((of("application", &[]), of("application", &["other"])), (None, None));
}

#[test]
fn windows_get_the_form_of_their_program_and_dialogs_none() {
    let start = Instant::now();
    let mut programs = two(start, [Window::Minimised, Window::Normal]);
    let shape = |window, form| Shape { window, form };
    let dialog = Seen { is_main: false, ..window(9, 0) };
    assert_eq!(programs.windows(&[dialog], start), []);
    let first = [dialog, window(1, 0), window(2, 1)];
    assert_eq!(programs.windows(&first, start), [shape(1, Window::Minimised), shape(2, Window::Normal)]);
    assert_eq!(programs.windows(&first, start), [], "each is shaped once");
    let more = [dialog, window(1, 0), window(2, 1), window(3, 0), window(4, 1)];
    assert_eq!(programs.windows(&more, start), [shape(3, Window::Maximised), shape(4, Window::Normal)]);
}
