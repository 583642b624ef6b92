//! The screen as it runs: what is looked at, pressed and resized goes into the model, and the model onto the terminal.

use std::io;
use std::time::Duration;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::model::{Effect, Given, Model, Wanted};
use super::terminal::{Input, Terminal, inputs, is_gone};
use super::view::draw;
use crate::clock;
use crate::core::explain::explain;
use crate::core::standing::Standing;
use crate::run::{Onlooker, RunError, Seen, Survey, Wake, Waker};
use crate::tell::paint::Paint;

/// How often ages are looked through: none of them changes sooner.
const MINUTE: Duration = Duration::from_secs(60);

/// How long the system may take to stop this process. Where it does not, nobody could continue it.
const STOPPING: Duration = Duration::from_millis(300);

/// How the screen was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Somebody left it.
    Left,
    /// By Ctrl-C.
    Interrupted,
    /// The terminal is gone.
    Closed,
}

/// What the looks hand to the screen.
#[derive(Debug)]
pub struct Looks(mpsc::UnboundedSender<Result<Seen, RunError>>);

impl Onlooker for Looks {
    fn looked(&mut self, seen: Result<Seen, RunError>) {
        // Where the screen has been left, nobody is shown anything.
        let _ = self.0.send(seen);
    }
}

/// A screen, to be shown.
#[derive(Debug)]
pub struct Show {
    /// What it is given once and for all.
    pub given: Given,
    /// Whether colours are used.
    pub paint: Paint,
    /// Wakes a look.
    pub waker: Waker,
    looks: mpsc::UnboundedReceiver<Result<Seen, RunError>>,
}

impl Show {
    /// A screen, and what hands it the looks.
    #[must_use]
    pub fn new(given: Given, paint: Paint, waker: Waker) -> (Self, Looks) {
        let (sender, looks) = mpsc::unbounded_channel();
        let show = Self {
            given,
            paint,
            waker,
            looks,
        };
        (show, Looks(sender))
    }
}

/// Shows it until somebody leaves it. However this ends, or is dropped, the terminal is as it was found.
///
/// # Errors
/// When the terminal refuses.
pub async fn show(screen: Show) -> io::Result<End> {
    match run(screen).await {
        Err(error) if is_gone(&error) => Ok(End::Closed),
        end => end,
    }
}

async fn run(screen: Show) -> io::Result<End> {
    let Show {
        given,
        paint,
        waker,
        mut looks,
    } = screen;
    // Before the size is asked for, so that no change of it is missed.
    let mut resized = signal(SignalKind::window_change())?;
    let mut model = Model::new(given, Terminal::size()?, clock::now());
    let mut continued = signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
    let mut minute = interval(MINUTE);
    minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut terminal = Terminal::take()?;
    let mut inputs = inputs();
    let mut last: Option<Survey> = None;
    loop {
        model.at(clock::now());
        // What is pressed faster than it can be shown is shown when all of it is done.
        if inputs.is_empty() {
            terminal.draw(draw(&model, paint))?;
        }
        // All of these lose nothing when another branch wins.
        let mut effect = tokio::select! {
            input = inputs.recv() => match input {
                Some(Input::Pressed(key)) => model.pressed(key),
                Some(Input::Closed) | None => return Ok(End::Closed),
            },
            Some(seen) = looks.recv() => match seen {
                Ok(Seen { survey, entries }) => {
                    model.at(clock::now());
                    let effect = model.looked(Standing::new(survey.scope()), &entries);
                    last = Some(survey);
                    effect
                }
                Err(error) => {
                    model.failed(error.to_string());
                    Effect::None
                }
            },
            Some(()) = resized.recv() => {
                model.resized(Terminal::size()?);
                Effect::None
            }
            Some(()) = continued.recv() => {
                terminal.take_again()?;
                model.resized(Terminal::size()?);
                Effect::None
            }
            _ = minute.tick() => {
                // Where there is no terminal any more, this is how it is noticed that nobody says so.
                model.resized(Terminal::size()?);
                Effect::None
            }
        };
        if let Effect::Explain(wanted) = effect {
            explain_it(&mut model, wanted, last.as_ref());
            effect = Effect::None;
        }
        match effect {
            Effect::None | Effect::Explain(_) => {}
            Effect::Leave => return Ok(End::Left),
            Effect::Interrupt => return Ok(End::Interrupted),
            Effect::Look => waker.wake(Wake::Key),
            Effect::Copy(text) => Terminal::copy(&text)?,
            Effect::Redraw => terminal.forget(),
            Effect::Suspend => {
                terminal.stop()?;
                let _ = timeout(STOPPING, continued.recv()).await;
                terminal.take_again()?;
                model.resized(Terminal::size()?);
            }
        }
    }
}

fn explain_it(model: &mut Model, wanted: Wanted, last: Option<&Survey>) {
    let explanation = last.and_then(|survey| {
        let session = model.session(&wanted)?;
        Some(explain(survey.scope(), session, model.claude_home()))
    });
    model.explained(wanted, explanation);
}
