//! What came of a run, and the code it ends with.

use crate::core::report::{Report, Verdict};

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for is done, and all is in order.
    Done,
    /// There was drift, corrected or not.
    Drift,
    /// Not everything could be seen, so that "in order" cannot be said.
    PartialView,
    /// The roll is missing or cannot be read.
    RollUnreadable,
    /// A checkup found something that makes headcount blind or wrong.
    Unwell,
    /// Wrong usage, or any other error.
    Failed,
    /// Ended by SIGINT.
    Interrupted,
    /// Ended by SIGTERM.
    Terminated,
    /// Ended by SIGHUP: the terminal was closed.
    HungUp,
}

impl Exit {
    /// What a pass came to.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        Self::from(report.verdict())
    }

    /// The code for the shell. `detailed` is what `--detailed-exitcode` asks for: scripts written for the
    /// original know neither 3 nor a 2 that is no error.
    #[must_use]
    pub const fn code(self, detailed: bool) -> u8 {
        match (self, detailed) {
            (Self::Done, _) | (Self::Drift | Self::PartialView, false) => 0,
            (Self::RollUnreadable | Self::Unwell, _) | (Self::Failed, true) => 1,
            (Self::Failed, false) | (Self::Drift, true) => 2,
            (Self::PartialView, true) => 3,
            (Self::HungUp, _) => 129,
            (Self::Interrupted, _) => 130,
            (Self::Terminated, _) => 143,
        }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::InOrder => Self::Done,
            Verdict::Drifted => Self::Drift,
            Verdict::Blind => Self::PartialView,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;
    use crate::core::world::SourceState;
    use crate::tell::sample;

    #[test]
    fn without_the_detailed_codes_only_errors_are_told() {
        let codes = [
            (Exit::Done, 0),
            (Exit::Drift, 0),
            (Exit::PartialView, 0),
            (Exit::RollUnreadable, 1),
            (Exit::Failed, 2),
        ];
        for (exit, code) in codes {
            assert_eq!(exit.code(false), code, "{exit:?}");
        }
    }

    #[test]
    fn with_them_every_error_is_1_and_drift_is_2_and_a_partial_view_3() {
        let codes = [
            (Exit::Done, 0),
            (Exit::RollUnreadable, 1),
            (Exit::Failed, 1),
            (Exit::Drift, 2),
            (Exit::PartialView, 3),
        ];
        for (exit, code) in codes {
            assert_eq!(exit.code(true), code, "{exit:?}");
        }
    }

    #[test]
    fn a_signal_is_told_as_the_shell_tells_it() {
        for detailed in [false, true] {
            let signals = [Exit::HungUp, Exit::Interrupted, Exit::Terminated];
            assert_eq!(signals.map(|exit| exit.code(detailed)), [129, 130, 143]);
        }
    }

    #[test]
    fn a_pass_without_drift_is_in_order_whatever_its_notes() {
        let mut report = sample::quiet();
        assert_eq!(Exit::of(&report), Exit::Done);
        report.notes = sample::rich().notes;
        assert_eq!(Exit::of(&report), Exit::Done);
    }

    #[test]
    fn drift_is_told_corrected_or_not() {
        for told in sample::rich().drifts {
            let mut report = sample::quiet();
            report.drifts = vec![told];
            assert_eq!(Exit::of(&report), Exit::Drift);
        }
    }

    #[test]
    fn what_could_not_be_seen_beats_drift() {
        let mut report = sample::rich();
        report.confirmed = true;
        assert_eq!(Exit::of(&report), Exit::PartialView);
        for source in &mut report.sources {
            source.state = SourceState::Present;
        }
        assert_eq!(Exit::of(&report), Exit::Drift);
        report.confirmed = false;
        assert_eq!(Exit::of(&report), Exit::PartialView);
    }
}
