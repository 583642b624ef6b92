//! The name of the folder below `projects/` in which Claude Code keeps what began in one working folder.
//!
//! The way back is lost: `/a/b-c`, `/a/b_c` and `/a/b/c` share one name. A key narrows a search, and what the
//! files say inside decides.

/// How long a key may be before the end of it becomes a hash that depends on the runtime.
const LONGEST: usize = 200;

/// One possible name of a project's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// The whole name.
    Exact(String),
    /// What the name begins with.
    Prefix(String),
}

impl Key {
    /// Whether a folder of that name may be the one.
    pub(super) fn fits(&self, name: &str) -> bool {
        match self {
            Self::Exact(key) => key == name,
            Self::Prefix(prefix) => name.starts_with(prefix),
        }
    }
}

/// The names that what began in a working folder may be kept under: one, or two where the path has letters
/// with their accents written apart, which only some versions put together.
pub(super) fn keys(folder: &str) -> Vec<Key> {
    let mut keys = vec![key(folder.encode_utf16())];
    if is_decomposed(folder) {
        let composed = key(composed(folder).encode_utf16());
        if !keys.contains(&composed) {
            keys.push(composed);
        }
    }
    keys
}

/// Whether a path has letters with their accents written apart.
pub(super) fn is_decomposed(path: &str) -> bool {
    path.chars().any(is_accent)
}

fn key(units: impl Iterator<Item = u16>) -> Key {
    let mut key: String = units
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii_alphanumeric() => char::from(byte),
            _ => '-',
        })
        .collect();
    if key.len() <= LONGEST {
        Key::Exact(key)
    } else {
        key.truncate(LONGEST);
        key.push('-');
        Key::Prefix(key)
    }
}

/// The path with each letter and its accents replaced by one letter that is not ASCII: for a key that is as
/// good as the composed form.
fn composed(path: &str) -> String {
    let mut letters = String::with_capacity(path.len());
    for letter in path.chars() {
        if is_accent(letter) {
            letters.pop();
            letters.push('\u{e9}');
        } else {
            letters.push(letter);
        }
    }
    letters
}

const fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(folder: &str) -> String {
        match keys(folder).as_slice() {
            [Key::Exact(key)] => key.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_but_ascii_letters_and_digits_become_hyphens() {
        assert_eq!(exact("/"), "-");
        assert_eq!(exact("/home/u/my_app.v2"), "-home-u-my-app-v2");
        assert_eq!(exact("/x/My_App.v2 x"), "-x-My-App-v2-x");
        assert_eq!(exact("/a/b--c"), "-a-b--c");
    }

    /// Claude Code 2.1.197 keeps what began in `/tmp/…/w/Ünï 😀.x` in `-tmp-…-w--n-----x`.
    #[test]
    fn a_letter_outside_the_basic_plane_is_two_hyphens() {
        assert_eq!(exact("/w/Ünï 😀.x"), "-w--n-----x");
    }

    #[test]
    fn accents_written_apart_give_both_forms() {
        assert_eq!(
            keys("/w/nfd-U\u{308}-e\u{301}"),
            [
                Key::Exact("-w-nfd-U--e-".to_owned()),
                Key::Exact("-w-nfd----".to_owned()),
            ]
        );
        assert!(is_decomposed("e\u{301}"));
        assert!(!is_decomposed("é"));
    }

    #[test]
    fn a_long_key_is_known_by_its_first_200_letters() {
        let folder = format!("/{}", "a".repeat(199));
        assert!(matches!(keys(&folder).as_slice(), [Key::Exact(key)] if key.len() == 200));

        let folder = format!("/{}", "a".repeat(200));
        let [key] = &keys(&folder)[..] else {
            panic!("one key");
        };
        assert!(key.fits(&format!("-{}-1yb9vd", "a".repeat(199))));
        assert!(!key.fits(&format!("-{}", "a".repeat(199))));
        assert!(!key.fits(&format!("-{}-x", "a".repeat(198))));
    }
}
