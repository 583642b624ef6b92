//! The terminal: what is written to it, what is pressed in it, and that it is left as it was found. The only file that
//! names crossterm.

use std::io::{self, ErrorKind, Write as _};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::style::{Attribute, SetAttribute, force_color_output};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::tcgetwinsize;
use tokio::sync::mpsc;

use super::model::Key;

/// Whether the terminal is not as it was found.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// What somebody does to the terminal.
#[derive(Debug)]
pub(super) enum Input {
    /// A key was pressed.
    Pressed(Key),
    /// It can no longer be read.
    Closed,
}

/// A terminal that is drawn on. Dropping it leaves it as it was found.
#[derive(Debug)]
pub struct Terminal {
    /// What it shows; nothing before the first drawing.
    shown: Option<Buffer>,
}

impl Terminal {
    /// Takes the terminal of this process over. Whatever ends the process afterwards, a panic included, gives it back,
    /// as far as a program can: not SIGKILL.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
        });
        // Whether there are colours has been decided by now.
        force_color_output(true);
        enter()?;
        Ok(Self { shown: None })
    }

    /// Columns and rows.
    ///
    /// # Errors
    /// When there is no terminal any more.
    pub fn size() -> io::Result<(u16, u16)> {
        let size = tcgetwinsize(io::stdout())?;
        // One that does not say is as large as they always were.
        Ok(match (size.ws_col, size.ws_row) {
            (0, _) | (_, 0) => (80, 24),
            size => size,
        })
    }

    /// Shows this. What is there already is not written again; where nothing changed, nothing is written at all.
    pub(super) fn draw(&mut self, next: Buffer) -> io::Result<()> {
        let mut bytes = Vec::new();
        let before = match self.shown.take() {
            Some(shown) if shown.area == next.area => shown,
            _ => {
                queue!(bytes, SetAttribute(Attribute::Reset), Clear(ClearType::All))?;
                Buffer::empty(next.area)
            }
        };
        let changes = before.diff(&next);
        if !changes.is_empty() {
            CrosstermBackend::new(&mut bytes).draw(changes.into_iter())?;
        }
        if !bytes.is_empty() {
            let mut frame = Vec::with_capacity(bytes.len() + 16);
            queue!(frame, BeginSynchronizedUpdate)?;
            frame.extend(bytes);
            queue!(frame, EndSynchronizedUpdate)?;
            write(&frame)?;
        }
        self.shown = Some(next);
        Ok(())
    }

    /// Forgets what it shows: the next drawing draws all of it.
    pub(super) fn forget(&mut self) {
        self.shown = None;
    }

    /// Asks the terminal to put a text into its clipboard (OSC 52). Whether it does, nobody says.
    pub(super) fn copy(text: &str) -> io::Result<()> {
        let mut bytes = Vec::new();
        queue!(bytes, CopyToClipboard::to_clipboard_from(text))?;
        write(&bytes)
    }

    /// Gives the terminal back and stops this process and its group, as Ctrl-Z does. What has to follow when it is
    /// continued is [`Terminal::take_again`].
    pub(super) fn stop(&mut self) -> io::Result<()> {
        give_back();
        // A group that nobody could continue does not stop: the system sees to that.
        kill_current_process_group(Signal::TSTP)?;
        Ok(())
    }

    /// Takes it over once more, whatever was done to it meanwhile.
    pub(super) fn take_again(&mut self) -> io::Result<()> {
        give_back();
        self.forget();
        enter()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    // First, so that whatever fails halfway is undone.
    TAKEN.store(true, Ordering::SeqCst);
    let taken = enable_raw_mode().and_then(|()| execute!(io::stdout(), EnterAlternateScreen, Hide));
    if taken.is_err() {
        give_back();
    }
    taken
}

/// Leaves the terminal as it was found, if it was taken. Nothing of it can be helped if it fails.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            io::stdout(),
            EndSynchronizedUpdate,
            SetAttribute(Attribute::Reset),
            Show,
            LeaveAlternateScreen
        );
        let _ = disable_raw_mode();
    }
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())
}

/// Whether an error says that the terminal is gone.
pub(super) fn is_gone(error: &io::Error) -> bool {
    // EIO is what a terminal says that was hung up.
    error.kind() == ErrorKind::BrokenPipe || Errno::from_io_error(error) == Some(Errno::IO)
}

/// What is done to the terminal from now on. Threads wait for it, and end with the process.
pub(super) fn inputs() -> mpsc::UnboundedReceiver<Input> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let closed = sender.clone();
    // Whoever reads keys reads without end from a terminal that was closed, and says nothing of it.
    thread::spawn(move || {
        if hung_up() {
            let _ = closed.send(Input::Closed);
        }
    });
    thread::spawn(move || {
        loop {
            let sent = match event::read() {
                Ok(Event::Key(key)) => {
                    let mut keys = keys_of(key).into_iter().flatten();
                    keys.try_for_each(|key| sender.send(Input::Pressed(key)))
                }
                // That it has another size is heard by the signal, which is listened to before this thread runs.
                Ok(_) => Ok(()),
                Err(_) => {
                    // Nobody is left to be told where this fails.
                    let _ = sender.send(Input::Closed);
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
    });
    receiver
}

/// Waits until the terminal is closed, and costs nothing meanwhile. `false` where the system does not tell.
fn hung_up() -> bool {
    let out = io::stdout();
    loop {
        // That it was closed is told whether it is asked for or not.
        let mut terminal = [PollFd::new(&out, PollFlags::empty())];
        match poll(&mut terminal, None) {
            Ok(_) => {
                let told = terminal[0].revents();
                return told.intersects(PollFlags::HUP | PollFlags::ERR);
            }
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// The keys that an event tells. A terminal tells Alt and a letter as it tells Escape and the letter right after it,
/// which somebody means who leaves a page in a hurry; Alt means nothing here.
fn keys_of(mut key: KeyEvent) -> [Option<Key>; 2] {
    let escape = key.modifiers.contains(KeyModifiers::ALT) && key.kind != KeyEventKind::Release;
    key.modifiers.remove(KeyModifiers::ALT);
    [escape.then_some(Key::Escape), key_of(key)]
}

fn key_of(key: KeyEvent) -> Option<Key> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let with_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c') if with_ctrl => Key::Interrupt,
        KeyCode::Char('z') if with_ctrl => Key::Suspend,
        KeyCode::Char('l') if with_ctrl => Key::Redraw,
        KeyCode::Char('n') if with_ctrl => Key::Down,
        KeyCode::Char('p') if with_ctrl => Key::Up,
        KeyCode::Char('f' | 'd') if with_ctrl => Key::PageDown,
        KeyCode::Char('b' | 'u') if with_ctrl => Key::PageUp,
        KeyCode::Char('h') if with_ctrl => Key::Backspace,
        KeyCode::Char(_) if with_ctrl => return None,
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::{Key, keys_of};

    #[test]
    fn escape_and_a_letter_right_after_it_are_both_heard() {
        let alt_q = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::ALT);
        assert_eq!(keys_of(alt_q), [Some(Key::Escape), Some(Key::Char('q'))]);
        let q = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(keys_of(q), [None, Some(Key::Char('q'))]);
        let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(keys_of(ctrl_c), [None, Some(Key::Interrupt)]);
        let ctrl_x = KeyEvent::new(KeyCode::Char('x'), KeyModifiers::CONTROL);
        assert_eq!(keys_of(ctrl_x), [None, None]);
    }
}
