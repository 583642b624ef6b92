//! Which names somebody may have meant who wrote another.

use crate::core::ids::SessionName;

/// How many are offered.
const MOST: usize = 3;

/// Less alike than this, two names are not one with a slip in it.
const ALIKE: f64 = 0.8;

/// The names that may be meant by one that is unknown, the nearest first: those that it is a part of, and those that
/// are much like it.
#[must_use]
pub fn near<'n>(
    unknown: &str,
    names: impl IntoIterator<Item = &'n SessionName>,
) -> Vec<&'n SessionName> {
    let lower = unknown.to_lowercase();
    let mut found: Vec<(f64, &SessionName)> = names
        .into_iter()
        .filter_map(|name| {
            let other = name.as_str().to_lowercase();
            let alike = strsim::jaro_winkler(&lower, &other);
            let is_part = !lower.is_empty() && other.contains(&lower);
            // In three letters one slip, two that changed places say, leaves little that is alike.
            let has_a_slip = lower.len() > 2 && strsim::damerau_levenshtein(&lower, &other) <= 1;
            // A part is meant rather than whatever looks like the whole.
            (is_part || has_a_slip || alike >= ALIKE)
                .then(|| (alike + f64::from(u8::from(is_part)), name))
        })
        .collect();
    found.sort_by(|(a, name), (b, other)| b.total_cmp(a).then(name.cmp(other)));
    found.dedup_by(|a, b| a.1 == b.1);
    found.into_iter().map(|(_, name)| name).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::{SessionName, near};

    fn found(unknown: &str) -> Vec<String> {
        let names = [
            "shop-api-creator-claude",
            "shop-web-creator-claude",
            "wiki",
            "Docs",
            "apj",
            "tz",
            "wiki",
        ];
        let names = names.map(SessionName::new);
        near(unknown, &names)
            .into_iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_part_of_a_name_finds_it() {
        assert_eq!(
            found("api")[0],
            "shop-api-creator-claude",
            "not what is like it"
        );
        assert_eq!(found("web"), ["shop-web-creator-claude"]);
        assert_eq!(found("shop").len(), 2);
        assert_eq!(found("docs"), ["Docs"]);
    }

    #[test]
    fn a_slip_finds_it() {
        assert_eq!(
            found("shop-wbe-creator-claude")[0],
            "shop-web-creator-claude"
        );
        assert_eq!(found("wiky"), ["wiki"]);
        assert_eq!(found("xpj"), ["apj"]);
        assert!(found("xz").is_empty(), "two letters are too few");
        assert_eq!(found("dcos"), ["Docs"]);
    }

    #[test]
    fn what_is_like_nothing_finds_nothing() {
        assert!(found("zebra").is_empty());
        assert!(found("").is_empty());
    }
}
