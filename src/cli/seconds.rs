//! Times on the command line, in whole seconds.

use std::ops::RangeInclusive;

/// Reads a number of seconds within that range, and says what is needed where it is none.
pub(super) fn seconds(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync + 'static {
    move |text| {
        let (least, most) = (range.start(), range.end());
        let found = text.parse().ok().filter(|secs| range.contains(secs));
        found.ok_or_else(|| format!("a whole number of seconds from {least} to {most} is needed"))
    }
}
