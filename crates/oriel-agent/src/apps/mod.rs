//! Programs installed on the machine, from freedesktop entries: what an administrator picks from when
//! publishing.
//!
//! Sources: the Desktop Entry Specification 1.5 and the Icon Theme Specification 0.13 of freedesktop.org.
//! Deliberately absent: actions, D-Bus activation, and file associations but for one: what opens folders.

mod entry;
mod icon;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use entry::Entry;
pub use entry::{join_words, split_words};

use crate::host::App;

/// Folders of desktop entries, the most specific first: an entry hides those of the same name behind it.
const FOLDERS: [&str; 4] = [
    "/usr/local/share/applications",
    "/var/lib/flatpak/exports/share/applications",
    "/usr/share/applications",
    "/var/lib/snapd/desktop/applications",
];
/// Largest desktop entry read; those with the most languages have some 50 KiB.
const ENTRY_BYTES_MAX: u64 = 256 * 1024;
/// Most programs listed. A full desktop system has a few hundred.
const APPS_MAX: usize = 2_000;
/// Looking for icons and converting them stops after this long; the rest have none.
const ICONS_TIME_MAX: Duration = Duration::from_secs(10);

/// Folders that programs are looked for in when an entry gives no path.
pub const PROGRAM_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/games:/usr/games";

/// Lists what can be published, by name. Reads many files and may run a picture converter, so it
/// belongs on a thread that may block.
pub fn installed(languages: &[String]) -> Vec<App> {
    installed_in(&FOLDERS.map(PathBuf::from), languages)
}

/// Files in which an administrator or a distribution says what opens what, the first that says it wins.
const DEFAULTS: [&str; 4] = [
    "/etc/xdg/mimeapps.list",
    "/usr/local/share/applications/mimeapps.list",
    "/usr/share/applications/mimeapps.list",
    "/usr/share/applications/defaults.list",
];
/// Largest of them that is read.
const DEFAULTS_BYTES_MAX: u64 = 1024 * 1024;
/// The media type of a folder.
const FOLDER_TYPE: &str = "inode/directory";

/// The program that opens folders: the machine's default, else the first that says that it can.
pub fn folder_handler() -> Option<App> {
    let defaults = DEFAULTS.iter().filter_map(|path| {
        let readable = fs::metadata(path).is_ok_and(|meta| meta.len() <= DEFAULTS_BYTES_MAX);
        readable.then(|| fs::read_to_string(path).ok()).flatten()
    });
    let wanted: Vec<String> = defaults.flat_map(|text| defaults_in(&text)).collect();
    folder_handler_in(&FOLDERS.map(PathBuf::from), &wanted)
}

fn folder_handler_in(folders: &[PathBuf], wanted: &[String]) -> Option<App> {
    let mut entries = BTreeMap::new();
    for folder in folders {
        collect(folder, "", 0, &mut entries);
    }
    let mut icons = icon::Icons::new(Instant::now());
    let mut handlers: Vec<App> = entries
        .into_iter()
        .filter_map(|(id, entry)| Some((id, entry?)))
        .filter(|(_, entry)| entry.opens.iter().any(|kind| kind == FOLDER_TYPE))
        // An editor opens folders, too, but it is none that people look for files with.
        .filter(|(id, entry)| {
            let is_manager = entry.categories.iter().any(|category| category == "FileManager");
            is_manager || wanted.contains(id)
        })
        .filter_map(|(id, entry)| app(id, entry, &[], &mut icons))
        .collect();
    handlers.sort_by_key(|app| wanted.iter().position(|id| *id == app.id).unwrap_or(usize::MAX));
    (!handlers.is_empty()).then(|| handlers.remove(0))
}

/// The entries that a list of associations names for folders, the preferred first.
fn defaults_in(text: &str) -> Vec<String> {
    let mut group = "";
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            group = line;
        } else if let Some((FOLDER_TYPE, ids)) = line.split_once('=')
            && group == "[Default Applications]"
        {
            let ids = ids.split(';').filter_map(|id| id.trim().strip_suffix(".desktop"));
            found.extend(ids.map(str::to_owned));
        }
    }
    found
}

fn installed_in(folders: &[PathBuf], languages: &[String]) -> Vec<App> {
    let mut entries = BTreeMap::new();
    for folder in folders {
        collect(folder, "", 0, &mut entries);
    }
    let deadline = Instant::now() + ICONS_TIME_MAX;
    let mut icons = icon::Icons::new(deadline);
    let mut apps: Vec<App> = entries
        .into_iter()
        .filter_map(|(id, entry)| app(id, entry?, languages, &mut icons))
        .take(APPS_MAX)
        .collect();
    apps.sort_by_cached_key(|app| app.name.to_lowercase());
    apps
}

/// Takes every entry below a folder; the id of one in a subfolder has the folder's name in front.
fn collect(folder: &Path, prefix: &str, depth: u32, entries: &mut BTreeMap<String, Option<Entry>>) {
    const DEPTH_MAX: u32 = 3;
    let Ok(files) = fs::read_dir(folder) else { return };
    for file in files.flatten() {
        let path = file.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if path.is_dir() {
            if depth < DEPTH_MAX {
                collect(&path, &format!("{prefix}{name}-"), depth + 1, entries);
            }
            continue;
        }
        let Some(stem) = name.strip_suffix(".desktop") else { continue };
        if entries.len() >= APPS_MAX * 4 {
            return;
        }
        // An entry that is hidden still hides the ones behind it, so it is kept as `None`.
        entries.entry(format!("{prefix}{stem}")).or_insert_with(|| {
            let readable = fs::metadata(&path).is_ok_and(|meta| meta.len() <= ENTRY_BYTES_MAX);
            let bytes = if readable { fs::read(&path).ok()? } else { return None };
            Entry::parse(&String::from_utf8_lossy(&bytes)).filter(Entry::is_shown)
        });
    }
}

fn app(id: String, entry: Entry, languages: &[String], icons: &mut icon::Icons) -> Option<App> {
    if let Some(wanted) = &entry.try_exec {
        find_program(wanted)?;
    }
    let mut words = entry.command()?;
    find_program(words.first()?)?;
    if entry.is_terminal {
        let terminal =
            ["x-terminal-emulator", "xterm"].into_iter().find(|name| find_program(name).is_some())?;
        words.splice(0..0, [terminal.to_owned(), "-e".to_owned()]);
    }
    let program = words.remove(0);
    Some(App {
        name: entry.name.in_language(languages)?.to_owned(),
        comment: entry.comment.in_language(languages).unwrap_or_default().to_owned(),
        program,
        arguments: join_words(&words),
        icon_png: entry.icon.as_deref().and_then(|icon| icons.find(icon)).unwrap_or_default(),
        categories: entry.categories,
        id,
    })
}

/// The file that a program name means: an absolute path, or a name in [`PROGRAM_PATH`].
pub fn find_program(name: &str) -> Option<PathBuf> {
    let is_program = |path: &Path| {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    if name.starts_with('/') {
        return Some(PathBuf::from(name)).filter(|path| is_program(path));
    }
    if name.is_empty() || name.contains('/') {
        return None;
    }
    PROGRAM_PATH.split(':').map(|folder| Path::new(folder).join(name)).find(|path| is_program(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("oriel-apps-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("temporary folder");
        path
    }

    #[test]
    fn entries_become_programs_and_the_first_folder_wins() {
        let (local, system) = (folder("local"), folder("system"));
        fs::create_dir_all(system.join("kde")).expect("folder");
        let write = |path: PathBuf, text: &str| {
            fs::write(path, format!("[Desktop Entry]\nType=Application\n{text}")).expect("file")
        };
        write(
            system.join("shell.desktop"),
            "Name=Shell\nName[de]=Muschel\nExec=sh -c \"echo %U\" %f\nCategories=System;Core;\n",
        );
        write(system.join("kde/env.desktop"), "Name=Env\nExec=env\nComment=Shows variables\n");
        write(system.join("gone.desktop"), "Name=Gone\nExec=no-such-program-x1\n");
        write(system.join("hidden.desktop"), "Name=Hidden\nExec=sh\n");
        write(local.join("hidden.desktop"), "Name=Hidden\nExec=sh\nNoDisplay=true\n");
        let apps = installed_in(&[local.clone(), system.clone()], &["de_AT.UTF-8".into()]);
        let shown: Vec<_> = apps.iter().map(|app| (app.id.as_str(), app.name.as_str())).collect();
        assert_eq!(shown, [("kde-env", "Env"), ("shell", "Muschel")]);
        assert_eq!((apps[1].program.as_str(), apps[1].arguments.as_str()), ("sh", "-c 'echo %U'"));
        assert_eq!(apps[1].categories, ["System", "Core"]);
        for path in [local, system] {
            let _ = fs::remove_dir_all(path);
        }
    }

    #[test]
    fn folders_open_with_the_default_or_else_with_a_file_manager() {
        let local = folder("handlers");
        let write = |name: &str, categories: &str| {
            let text = format!(
                "[Desktop Entry]\nType=Application\nName={name}\nExec=sh %U\nMimeType=text/plain;inode/directory;\n\
                 Categories={categories};\n"
            );
            fs::write(local.join(format!("{name}.desktop")), text).expect("file");
        };
        write("a-editor", "TextEditor");
        let handler = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|&id| id.to_owned()).collect();
            folder_handler_in(std::slice::from_ref(&local), &wanted).map(|app| app.id)
        };
        assert_eq!(handler(&[]), None);
        write("b-files", "System;FileManager");
        write("c-files", "FileManager");
        assert_eq!(handler(&[]).as_deref(), Some("b-files"));
        assert_eq!(handler(&["gone", "c-files"]).as_deref(), Some("c-files"));
        let list = "[Added Associations]\ninode/directory=a.desktop;\n[Default Applications]\n\
                    text/plain=b.desktop\ninode/directory=c.desktop;d.desktop;\n";
        assert_eq!(defaults_in(list), ["c", "d"]);
        let _ = fs::remove_dir_all(local);
    }

    #[test]
    fn programs_are_found_by_path_or_name_only() {
        assert!(find_program("sh").is_some());
        assert!(find_program("/bin/sh").is_some());
        for bad in ["", "bin/sh", "/etc/passwd", "/usr", "no-such-program-x1"] {
            assert!(find_program(bad).is_none(), "{bad}");
        }
    }
}
