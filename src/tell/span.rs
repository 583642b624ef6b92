//! Spans of time, as short as people say them.

use std::time::Duration;

/// `45s`, `12m`, `3h`, `2d`: the largest unit, rounded down.
#[must_use]
pub fn short(span: Duration) -> String {
    let secs = span.as_secs();
    match secs {
        0..60 => format!("{secs}s"),
        60..3600 => format!("{}m", secs / 60),
        3600..86_400 => format!("{}h", secs / 3600),
        _ => format!("{}d", secs / 86_400),
    }
}

/// The same, but never in seconds: what shows it stays as it is for a minute.
#[must_use]
pub fn steady(span: Duration) -> String {
    if span.as_secs() < 60 {
        "<1m".to_owned()
    } else {
        short(span)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn a_steady_span_has_no_seconds() {
        let steady = |secs| super::steady(Duration::from_secs(secs));
        assert_eq!([0, 59, 60, 7200].map(steady), ["<1m", "<1m", "1m", "2h"]);
    }

    #[test]
    fn a_span_is_told_in_its_largest_unit() {
        let short = |secs| super::short(Duration::from_secs(secs));
        assert_eq!(
            [0, 59, 60, 3599, 7200, 86_399, 172_800].map(short),
            ["0s", "59s", "1m", "59m", "2h", "23h", "2d"]
        );
    }
}
