//! Files of settings objects: read whole and checked before anything is sent.

use std::{
    collections::HashMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
    rc::Rc,
};

use oriel_model::validate::{Mistake, fold};
use serde_json::Value;

use super::{
    path::{self, Step},
    words,
    yaml::{self, Placed},
};
use crate::failure::{Failure, Outcome};

/// Largest file, in bytes: a farm with ten thousand resources and their icons fits.
const FILE_MAX: u64 = 256 * 1024 * 1024;
/// Fields of a document.
const FIELDS: [&str; 6] = ["kind", "name", "site", "spec", "delete", "renamed_from"];
/// Ends of names of the files that are read from a folder.
const ENDS: [&str; 3] = ["yaml", "yml", "json"];

/// Documents with the places where they stand.
#[derive(Debug, Default)]
pub struct Documents {
    found: Vec<Document>,
}

/// A document and where it stands.
#[derive(Debug)]
struct Document {
    file: Rc<str>,
    placed: Placed,
    /// From an archive: it has an id, which is of no matter where objects are found by their names.
    archived: bool,
}

impl Documents {
    /// Reads files, folders and (`-`) standard input, and checks what can be checked here.
    pub fn read(paths: &[PathBuf]) -> Outcome<Self> {
        let mut documents = Self::default();
        for (name, text) in texts(paths)? {
            documents.add(&name, &text)?;
        }
        documents.check()?;
        Ok(documents)
    }

    fn add(&mut self, file: &str, text: &str) -> Outcome {
        let file: Rc<str> = file.into();
        for placed in yaml::read(text, &file)? {
            // A document, a list of them, or what `oriel export` wrote.
            let list = placed.field("documents").filter(|_| placed.field("format").is_some());
            let archived = list.is_some();
            let list = match list.unwrap_or(&placed).entries() {
                Some(entries) => entries.to_vec(),
                None => vec![placed],
            };
            self.found.extend(list.into_iter().map(|placed| Document {
                file: file.clone(),
                placed,
                archived,
            }));
        }
        Ok(())
    }

    /// Finds every mistake that can be found without the farm.
    fn check(&self) -> Outcome {
        let mut mistakes = Vec::new();
        let mut seen: HashMap<(String, String), String> = HashMap::new();
        for Document { file, placed: document, archived } in &self.found {
            let is_known = |name: &str| FIELDS.contains(&name) || (*archived && name == "id");
            let mut wrong = |line: u64, message: String| {
                mistakes.push(Mistake { field: format!("{file}:{line}"), message });
            };
            let text = |field: &str| document.field(field).map(|field| (field.line(), field.value()));
            for (name, value) in document.names().filter(|(name, _)| !is_known(name)) {
                let hint =
                    words::did_you_mean(name, FIELDS).map(|hint| format!(" ({hint})")).unwrap_or_default();
                wrong(value.line(), format!("a document has no field \"{name}\"{hint}"));
            }
            let kind = match text("kind") {
                Some((line, Value::String(word))) => match words::kind(&word) {
                    Some(kind) => Some(kind.as_str().to_owned()),
                    None => {
                        let known = oriel_model::Kind::ALL.iter().map(|kind| kind.as_str());
                        let hint = words::did_you_mean(&word, known)
                            .unwrap_or_else(|| "see oriel explain --help".into());
                        wrong(line, format!("kind: there are no objects of the kind \"{word}\": {hint}"));
                        None
                    }
                },
                Some((line, _)) => {
                    wrong(line, "kind: must be text".into());
                    None
                }
                None => {
                    wrong(document.line(), "a document needs the fields kind and name".into());
                    None
                }
            };
            match text("name") {
                Some((line, Value::String(name))) => {
                    let Some(kind) = kind else { continue };
                    let place = format!("{file}:{line}");
                    if let Some(first) = seen.insert((kind.clone(), fold(&name)), place) {
                        wrong(line, format!("{kind} \"{name}\" stands twice; first at {first}"));
                    }
                }
                Some((line, _)) => {
                    wrong(line, "name: must be text (in quotes, if it looks like a number)".into())
                }
                None if kind.is_some() => wrong(document.line(), "name: is missing".into()),
                None => {}
            }
        }
        if mistakes.is_empty() {
            return Ok(());
        }
        let lines: String =
            mistakes.iter().map(|wrong| format!("\n  {}: {}", wrong.field, wrong.message)).collect();
        Err(Failure::Usage(format!("nothing was sent:{lines}")))
    }

    /// What is sent.
    pub fn to_send(&self) -> Value {
        let sent = self.found.iter().map(|Document { placed, archived, .. }| {
            let mut document = placed.value();
            if let Some(kind) = document["kind"].as_str().and_then(words::kind) {
                document["kind"] = kind.as_str().into();
            }
            if let Some(fields) = document.as_object_mut().filter(|_| *archived) {
                fields.remove("id");
            }
            document
        });
        sent.collect()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Tells mistakes in `documents[3].spec.pool` with file and line instead.
    pub fn with_places(&self, failure: Failure) -> Failure {
        let Failure::Invalid { text, mistakes } = failure else { return failure };
        let mistakes = mistakes.into_iter().map(|mistake| Mistake {
            field: self.place(&mistake.field).unwrap_or(mistake.field),
            message: mistake.message,
        });
        Failure::Invalid { text, mistakes: mistakes.collect() }
    }

    fn place(&self, field: &str) -> Option<String> {
        let steps = path::parse(field).ok()?;
        let (number, rest) = match steps.as_slice() {
            [Step::Field(first), Step::Entry(number), rest @ ..] if first == "documents" => (*number, rest),
            _ => return None,
        };
        let Document { file, placed: document, .. } = self.found.get(number)?;
        let shown = field.split_once("].").map_or("", |(_, rest)| rest);
        let name = document.field("name").map(Placed::value);
        let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
        let separator = if shown.is_empty() { "" } else { ": " };
        Some(format!("{file}:{}: \"{name}\"{separator}{shown}", document.line_of(rest)))
    }
}

/// The whole farm in one file, as `oriel export` and backups write it.
pub fn archive(path: &Path) -> Outcome<Placed> {
    let texts = texts(std::slice::from_ref(&path.to_owned()))?;
    let [(file, text)] = texts.as_slice() else {
        return Err(Failure::Usage(format!("{} must be one file, not a folder", path.display())));
    };
    let mut read = yaml::read(text, file)?;
    match (read.pop(), read.is_empty()) {
        (Some(archive), true) if archive.field("format").is_some() => Ok(archive),
        _ => Err(Failure::Usage(format!("{file} is not what oriel export wrote: see oriel apply"))),
    }
}

/// The texts of files, folders and standard input, with names for messages.
pub fn texts(paths: &[PathBuf]) -> Outcome<Vec<(String, String)>> {
    let mut found = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            found.push(("standard input".to_owned(), text(std::io::stdin().lock(), path)?));
        } else if path.is_dir() {
            let files = files_of(path)?;
            if files.is_empty() {
                return Err(Failure::Usage(format!(
                    "{} holds no .yaml, .yml or .json files",
                    path.display()
                )));
            }
            for file in files {
                found.push((file.display().to_string(), open(&file)?));
            }
        } else {
            found.push((path.display().to_string(), open(path)?));
        }
    }
    Ok(found)
}

/// The files of a folder and of the folders in it, in the order of their names.
fn files_of(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let failed = |error: std::io::Error| Failure::Usage(format!("cannot read {}: {error}", folder.display()));
    let entries: Result<Vec<_>, _> = fs::read_dir(folder).map_err(failed)?.collect();
    let mut paths: Vec<_> = entries.map_err(failed)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        // Links to folders are left out: they may lead round in circles.
        if path.is_dir() && !path.is_symlink() && !hidden {
            files.extend(files_of(&path)?);
        } else if path.is_file()
            && !hidden
            && path.extension().is_some_and(|end| ENDS.iter().any(|known| end == *known))
        {
            files.push(path);
        }
    }
    Ok(files)
}

fn open(path: &Path) -> Outcome<String> {
    let file = fs::File::open(path)
        .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", path.display())))?;
    text(file, path)
}

fn text(from: impl Read, path: &Path) -> Outcome<String> {
    let mut text = String::new();
    let failed = |error: std::io::Error| Failure::Usage(format!("cannot read {}: {error}", path.display()));
    from.take(FILE_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > FILE_MAX {
        return Err(Failure::Usage(format!("{} is larger than {FILE_MAX} bytes", path.display())));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[(&str, &str)]) -> Outcome<Documents> {
        let mut documents = Documents::default();
        for (file, text) in texts {
            documents.add(file, text)?;
        }
        documents.check()?;
        Ok(documents)
    }

    #[test]
    fn documents_are_taken_from_streams_lists_and_exports() {
        let documents = read(&[
            ("a.yaml", "kind: pool\nname: A\n---\nkind: pools\nname: B\n"),
            ("b.yaml", "- {kind: site, name: S}\n- kind: logon-hours\n  name: H\n"),
            ("c.yaml", "format: oriel-export/1\ndocuments:\n- {kind: user, name: u}\n"),
        ]);
        let documents = documents.expect("valid");
        assert_eq!(documents.count(), 5);
        let sent = documents.to_send();
        let kinds: Vec<_> =
            sent.as_array().into_iter().flatten().filter_map(|document| document["kind"].as_str()).collect();
        assert_eq!(kinds, ["pool", "pool", "site", "logon_hours", "user"]);
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let wrong = "kind: pool\nname: A\nspce: {}\n---\nkind: pol\nname: B\n---\nkind: pool\nname: a\n---\njust text\n---\nkind: user\nname: 7\n";
        let error = read(&[("farm.yaml", wrong)]).expect_err("wrong").to_string();
        for part in [
            "farm.yaml:3: a document has no field \"spce\" (did you mean spec?)",
            "farm.yaml:5: kind: there are no objects of the kind \"pol\": did you mean policy or pool?",
            "farm.yaml:9: pool \"a\" stands twice; first at farm.yaml:2",
            "farm.yaml:11: a document needs the fields kind and name",
            "farm.yaml:14: name: must be text",
        ] {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
    }

    #[test]
    fn what_the_broker_finds_is_told_with_its_line() {
        let documents =
            read(&[("farm.yaml", "kind: host\nname: h1\nspec:\n  pool: Offcie\n")]).expect("readable");
        let mistake = Mistake { field: "documents[0].spec.pool".into(), message: "there is no pool".into() };
        let failure = documents.with_places(Failure::invalid("Not valid.", vec![mistake]));
        assert_eq!(failure.to_string(), "Not valid.\n  farm.yaml:4: \"h1\": spec.pool: there is no pool");
    }
}
