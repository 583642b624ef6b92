//! The house keeps its own plan: what may be named where, and how large a room may be.
//!
//! Everything here reads the sources as text, without comments and without tests. A rule about a file that
//! is not there yet holds.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test that cannot read the sources has to fail; `pub` marks what the plan says"
)]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "architecture/plan.rs"]
mod plan;

use plan::{LAYERS, NOT_IN_CORE, NOT_IN_LOOK, OWED, OWED_DIVISIONS, RULES};

const SMELL: usize = 400;
const FAULT: usize = 800;

/// One source file: its path from the root of the project, and its lines that are neither comments nor tests.
struct Source {
    path: String,
    lines: Vec<(usize, String)>,
    length: usize,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let mut files = Vec::new();
    for folder in folders {
        rust_files(&root().join(folder), &mut files);
    }
    files.sort();
    assert!(!files.is_empty(), "there is nothing to read");
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).expect("a source file can be read");
            let path = file.strip_prefix(root()).expect("it lies in the project");
            Source {
                path: path.to_string_lossy().replace('\\', "/"),
                length: text.lines().count(),
                lines: code(&text),
            }
        })
        .collect()
}

/// The sources of the library and the command, without the files that are tests from end to end.
fn house() -> Vec<Source> {
    let mut all = sources(&["src"]);
    all.retain(|source| {
        let is_test = source.path.ends_with("/tests.rs")
            || source.path.contains("/tests/")
            || source.path.ends_with("/stand_in.rs");
        !is_test
    });
    all
}

/// The lines of code with their numbers: no comments, and no `#[cfg(test)]` modules.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut lines = text.lines().enumerate();
    let mut kept = Vec::new();
    while let Some((at, line)) = lines.next() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        if line.trim() == "#[cfg(test)]" {
            let indent = &line[..line.len() - line.trim_start().len()];
            let is_over = |inside: &str| {
                let rest = inside.strip_prefix(indent).unwrap_or(inside);
                rest == "}" || (!rest.starts_with(' ') && rest.ends_with(';'))
            };
            // One statement, or everything up to the brace below its beginning.
            lines.by_ref().find(|(_, inside)| is_over(inside));
            continue;
        }
        kept.push((at + 1, line.to_owned()));
    }
    kept
}

/// Whether a line names a word, and not one that only contains it.
fn names(line: &str, word: &str) -> bool {
    let is_part = |it: char| it.is_alphanumeric() || it == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let begins = !word.starts_with(is_part) || !before.is_some_and(is_part);
        let ends = !word.ends_with(is_part) || !after.is_some_and(is_part);
        begins && ends
    })
}

fn is_in(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| {
        path.strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('.'))
    })
}

/// Every line of `sources` that names one of `words`, as `file:line: word`.
fn found<'s>(sources: impl Iterator<Item = &'s Source>, words: &[&str]) -> Vec<String> {
    sources
        .flat_map(|source| {
            source.lines.iter().flat_map(move |(at, line)| {
                words
                    .iter()
                    .filter(move |word| names(line, word))
                    .map(move |word| format!("{}:{at}: {word}", source.path))
            })
        })
        .collect()
}

#[test]
fn the_core_touches_nothing() {
    let house = house();
    let core = house
        .iter()
        .filter(|source| is_in(&source.path, &["src/core"]));
    assert_eq!(found(core, NOT_IN_CORE), [""; 0], "the core is pure");
}

#[test]
fn looking_changes_nothing() {
    let house = house();
    let look = house
        .iter()
        .filter(|source| is_in(&source.path, &["src/look"]));
    assert_eq!(
        found(look, NOT_IN_LOOK),
        [""; 0],
        "nothing of anybody's is opened for writing, and no lock is taken"
    );
}

#[test]
fn each_word_is_named_only_where_it_belongs() {
    let house = house();
    for rule in RULES {
        let others = house
            .iter()
            .filter(|source| !is_in(&source.path, rule.only_in));
        let mut found = found(others, rule.words);
        found.retain(|line| {
            let is_owed = |&(file, word): &(&str, &str)| {
                line.starts_with(&format!("{file}:")) && line.ends_with(&format!(": {word}"))
            };
            !OWED.iter().any(is_owed)
        });
        assert_eq!(
            found, [""; 0],
            "only in {:?}: {}",
            rule.only_in, rule.because
        );
    }
}

#[test]
fn nothing_is_owed_that_was_mended() {
    let all = sources(&["src"]);
    for source in &all {
        for (file, word) in OWED.iter().filter(|(file, _)| *file == source.path) {
            let still = source.lines.iter().any(|(_, line)| names(line, word));
            assert!(still, "{file} no longer names {word}: take it off the list");
        }
        if OWED_DIVISIONS.contains(&source.path.as_str()) {
            let path = &source.path;
            assert!(
                source.length > FAULT,
                "{path} is short: take it off the list"
            );
        }
    }
}

#[test]
fn each_layer_imports_only_what_is_below_it() {
    let house = house();
    let mut wrong = Vec::new();
    for layer in LAYERS {
        for source in house.iter().filter(|it| is_in(&it.path, &[layer.path])) {
            for (at, line) in &source.lines {
                for (place, _) in line.match_indices("crate::") {
                    let rest = &line[place + "crate::".len()..];
                    let module: String = rest
                        .chars()
                        .take_while(|it| it.is_alphanumeric() || *it == '_')
                        .collect();
                    if !layer.imports.contains(&module.as_str()) {
                        wrong.push(format!("{}:{at}: crate::{module}", source.path));
                    }
                }
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn no_file_is_too_long() {
    let mut long: Vec<(usize, String)> = sources(&["src", "tests", "benches"])
        .into_iter()
        .filter(|source| source.length > SMELL)
        .map(|source| (source.length, source.path))
        .collect();
    long.sort();
    for (length, path) in &long {
        eprintln!("over {SMELL} lines: {path} has {length}");
    }
    long.retain(|(length, path)| *length > FAULT && !OWED_DIVISIONS.contains(&path.as_str()));
    assert_eq!(
        long,
        [],
        "a file of more than {FAULT} lines is more than one noun"
    );
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> = house()
        .into_iter()
        .filter(|source| {
            let text = fs::read_to_string(root().join(&source.path)).expect("it was read before");
            !text.starts_with("//!")
        })
        .map(|source| source.path)
        .collect();
    assert_eq!(
        silent, [""; 0],
        "the first line of a file is what it is for"
    );
}

#[test]
fn comments_and_tests_are_not_read_as_code() {
    let text = "//! fs2\nuse a;\n#[cfg(test)]\nmod tests;\nuse b; // kept\n#[cfg(test)]\n#[expect(x)]\nmod tests {\n    use fs2;\n\n    fn f() {\n    }\n}\nfn c() {}\n    // fs2\n";
    let kept: Vec<usize> = code(text).into_iter().map(|(at, _)| at).collect();
    assert_eq!(kept, [2, 5, 14]);
}

#[test]
fn a_word_is_not_found_inside_another() {
    assert!(names("use fs2::FileExt;", "fs2"));
    assert!(names("let x = std::fs::read(y);", "std::fs"));
    assert!(!names("let offs2 = 1;", "fs2"));
    assert!(!names("use std::fsx;", "std::fs"));
    assert!(is_in("src/cli.rs", &["src/cli"]));
    assert!(is_in("src/cli/demo/stage.rs", &["src/cli/demo"]));
    assert!(!is_in("src/client.rs", &["src/cli"]));
}
