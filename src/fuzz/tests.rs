//! The short run: every input of the corpus, and some thousands that differ from one in a few places. It is the
//! same in every run; `just fuzz` looks for new ones.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{TARGETS, Target};

/// How many inputs are made up for each target.
const MADE_UP: usize = 1_500;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// The inputs of a target, by name.
fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = corpus().join(target);
    let listing = fs::read_dir(&folder).expect("a corpus");
    let mut inputs: Vec<(String, Vec<u8>)> = listing
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let bytes = fs::read(&path).expect("an input");
            (path.display().to_string(), bytes)
        })
        .collect();
    inputs.sort();
    assert!(inputs.len() > 3, "{} has no corpus", folder.display());
    inputs
}

/// Reads an input, and says which one it was that made it fail.
fn check(target: Target, input: &[u8], name: &dyn Fn() -> String) {
    let outcome = std::panic::catch_unwind(|| target(input));
    assert!(
        outcome.is_ok(),
        "{}: {:?}",
        name(),
        String::from_utf8_lossy(input)
    );
}

#[test]
fn every_input_of_the_corpus_is_read_as_it_must_be() {
    for (name, target) in TARGETS {
        for (path, bytes) in inputs(name) {
            check(target, &bytes, &|| path.clone());
        }
    }
}

#[test]
fn every_folder_of_the_corpus_is_a_targets() {
    let mut folders: Vec<String> = fs::read_dir(corpus())
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    folders.sort();
    let mut names = TARGETS.map(|(name, _)| name);
    names.sort_unstable();
    assert_eq!(folders, names);
}

#[test]
fn what_differs_from_the_corpus_in_a_few_places_is_read_as_it_must_be() {
    for (name, target) in TARGETS {
        let inputs = inputs(name);
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let damages =
            proptest::collection::vec((proptest::prelude::any::<[usize; 3]>(), 0..6_u8), 1..6);
        for _ in 0..MADE_UP {
            let which = proptest::prelude::any::<[usize; 2]>();
            let made = (which, &damages).new_tree(&mut runner).expect("a value");
            let ([one, other], damages) = made.current();
            let mut input = inputs[one % inputs.len()].1.clone();
            let other = &inputs[other % inputs.len()].1;
            for (numbers, kind) in damages {
                damage(&mut input, other, numbers, kind);
            }
            check(target, &input, &|| format!("made up for {name}"));
        }
    }
}

/// Changes an input in one place: by a bit, by another byte, by some bytes less, by some bytes twice, or by some
/// bytes of another input.
fn damage(input: &mut Vec<u8>, other: &[u8], [at, length, what]: [usize; 3], kind: u8) {
    const LONGEST: usize = 40;
    let at = at % (input.len() + 1);
    let end = (at + length % LONGEST).min(input.len());
    match kind {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << (what % 8);
            }
        }
        1 => input.insert(at, b"\n\t :-#{}[],'\"\\&*!|>%@`$\0\x7f\xff0x"[what % 28]),
        2 => drop(input.drain(at..end)),
        3 => {
            let twice = input[at..end].to_vec();
            input.splice(at..at, twice);
        }
        4 => {
            let from = what % (other.len() + 1);
            let to = (from + length % LONGEST).min(other.len());
            input.splice(at..end, other[from..to].iter().copied());
        }
        _ => input.truncate(at),
    }
}
