//! Which agent a process is, told by its command line.

use crate::core::ids::AgentKind;

/// Programs that run somebody else's script. A shell is not among them: a shell script named `claude` starts
/// Claude Code, and is not it.
const INTERPRETERS: [&[u8]; 4] = [b"node", b"nodejs", b"bun", b"deno"];

/// The kernel's names for the programs that people type into, and that start everything else.
const SHELLS: [&[u8]; 6] = [b"bash", b"zsh", b"fish", b"sh", b"dash", b"ksh"];

/// Options of those that take the next argument for their value.
const WITH_VALUE: [&[u8]; 6] = [b"-r", b"--require", b"--import", b"--loader", b"-C", b"-W"];

/// The packages that agents come in: a part of a script's path, and whose it is.
const PACKAGES: [(&[u8], AgentKind); 7] = [
    (b"/@anthropic-ai/claude-code/", AgentKind::Claude),
    (b"/@openai/codex/", AgentKind::Codex),
    (b"/opencode-ai/", AgentKind::OpenCode),
    (b"/pi-coding-agent/", AgentKind::Pi),
    (b"/hermes-agent/", AgentKind::Hermes),
    (b"/hermes_agent/", AgentKind::Hermes),
    (b"/node_modules/cline/", AgentKind::Cline),
];

/// Scripts of those packages that only start the real program, or put it in place.
const LAUNCHERS: [&[u8]; 2] = [b"cli-wrapper.cjs", b"install.cjs"];

/// Claude Code's own helpers: each is told by one argument.
const CLAUDE_HELPERS: [&[u8]; 6] = [
    b"--bg-spare",
    b"--bg-pty-host",
    b"--daemon-worker",
    b"--chrome-native-host",
    b"--claude-in-chrome-mcp",
    b"--computer-use-mcp",
];

/// Which agent a process is.
///
/// `cmdline` is what `/proc/<pid>/cmdline` holds: the arguments, each followed by a NUL. `comm` is the kernel's
/// name for it. A process without a command line (a zombie, a kernel thread) is none, and so is one that only
/// serves an agent, or mentions one.
#[must_use]
pub fn kind_of(cmdline: &[u8], comm: &[u8]) -> Option<AgentKind> {
    let mut arguments = cmdline.split(|&byte| byte == 0);
    let program = arguments.next().filter(|program| !program.is_empty())?;
    let kind = by_program(program, comm)
        .or_else(|| by_script(script_of(basename(program), &mut arguments)?))?;
    (!only_serves(kind, arguments)).then_some(kind)
}

/// Whether a process that [`kind_of`] takes for an agent runs in an interpreter. Some packages start the real
/// program from a script and wait: if such a process has a child of its own kind, that child is the agent.
#[must_use]
pub fn may_be_launcher(cmdline: &[u8]) -> bool {
    let program = cmdline.split(|&byte| byte == 0).next().unwrap_or_default();
    runs_scripts(basename(program))
}

/// Whether a process is a shell, by the kernel's name for it. Whatever its arguments say, it is then no agent: the
/// kernel calls a script that was started as a program by the script's own name.
#[must_use]
pub fn is_shell(comm: &[u8]) -> bool {
    SHELLS.contains(&comm)
}

fn by_program(program: &[u8], comm: &[u8]) -> Option<AgentKind> {
    let name = basename(program);
    if memchr::memmem::find(program, b"/claude/versions/").is_some()
        || is_version(name) && (comm == b"claude" || comm == name)
    {
        return Some(AgentKind::Claude);
    }
    by_name(name.strip_suffix(b".exe").unwrap_or(name))
}

fn by_name(name: &[u8]) -> Option<AgentKind> {
    match name {
        b"claude" => Some(AgentKind::Claude),
        b"agy" | b"antigravity" => Some(AgentKind::Agy),
        b"codex" => Some(AgentKind::Codex),
        b"opencode" | b".opencode" | b"opencode2" => Some(AgentKind::OpenCode),
        b"pi" => Some(AgentKind::Pi),
        b"hermes" => Some(AgentKind::Hermes),
        b"cline" => Some(AgentKind::Cline),
        _ if is_codex_for_a_platform(name) => Some(AgentKind::Codex),
        _ => None,
    }
}

fn by_script(script: &[u8]) -> Option<AgentKind> {
    let name = basename(script);
    if LAUNCHERS.contains(&name) {
        return None;
    }
    PACKAGES
        .iter()
        .find(|(part, _)| memchr::memmem::find(script, part).is_some())
        .map(|&(_, kind)| kind)
        .or_else(|| {
            let stem = [&b".js"[..], b".mjs", b".cjs", b".ts", b".py"]
                .iter()
                .find_map(|ending| name.strip_suffix(*ending));
            by_name(stem.unwrap_or(name))
        })
}

/// The script or module that an interpreter runs; none where it runs a text given as an argument.
fn script_of<'a>(
    interpreter: &[u8],
    arguments: &mut impl Iterator<Item = &'a [u8]>,
) -> Option<&'a [u8]> {
    if !runs_scripts(interpreter) {
        return None;
    }
    loop {
        match arguments.next()? {
            b"-e" | b"--eval" | b"-p" | b"--print" | b"-c" | b"" => return None,
            b"-m" => return arguments.next(),
            b"run" if interpreter == b"bun" || interpreter == b"deno" => {}
            option if WITH_VALUE.contains(&option) => {
                arguments.next()?;
            }
            option if option.starts_with(b"-") => {}
            script => return Some(script),
        }
    }
}

fn runs_scripts(program: &[u8]) -> bool {
    INTERPRETERS.contains(&program) || program.starts_with(b"python")
}

/// Whether the arguments say that it works for other agents instead of talking to a person.
fn only_serves<'a>(kind: AgentKind, mut arguments: impl Iterator<Item = &'a [u8]>) -> bool {
    let first = arguments.next().unwrap_or_default();
    match kind {
        AgentKind::Claude => {
            let second = arguments.next().unwrap_or_default();
            matches!((first, second), (b"daemon", b"run") | (b"mcp", b"serve"))
                || [first, second]
                    .into_iter()
                    .chain(arguments)
                    .take_while(|argument| *argument != b"--")
                    .any(|argument| CLAUDE_HELPERS.contains(&argument))
        }
        AgentKind::Codex => matches!(first, b"app-server" | b"mcp-server"),
        AgentKind::Agy => first.starts_with(b"--type="),
        _ => false,
    }
}

/// `2.1.34`: the native installer names the program so.
fn is_version(name: &[u8]) -> bool {
    let mut parts = 0;
    name.split(|&byte| byte == b'.').all(|part| {
        parts += 1;
        !part.is_empty() && part.iter().all(u8::is_ascii_digit)
    }) && parts == 3
}

/// `codex-x86_64-unknown-linux-musl`, but not `codex-linux-sandbox`.
fn is_codex_for_a_platform(name: &[u8]) -> bool {
    name.strip_prefix(b"codex-").is_some_and(|platform| {
        [&b"x86_64"[..], b"aarch64", b"x64", b"arm64"]
            .iter()
            .any(|machine| memchr::memmem::find(platform, machine).is_some())
    })
}

fn basename(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(command: &[&str], comm: &str) -> Option<AgentKind> {
        let cmdline: Vec<u8> = command
            .iter()
            .flat_map(|argument| argument.bytes().chain([0]))
            .collect();
        kind_of(&cmdline, comm.as_bytes())
    }

    #[test]
    fn a_program_is_known_by_its_name() {
        for (program, agent) in [
            ("claude", AgentKind::Claude),
            ("/usr/local/bin/claude", AgentKind::Claude),
            ("/opt/x/bin/claude.exe", AgentKind::Claude),
            ("agy", AgentKind::Agy),
            ("/opt/antigravity/bin/antigravity", AgentKind::Agy),
            ("codex", AgentKind::Codex),
            ("/x/codex-x86_64-unknown-linux-musl", AgentKind::Codex),
            ("opencode", AgentKind::OpenCode),
            ("pi", AgentKind::Pi),
            ("hermes", AgentKind::Hermes),
            ("cline", AgentKind::Cline),
        ] {
            assert_eq!(kind(&[program], "x"), Some(agent), "{program}");
        }
    }

    #[test]
    fn the_native_installers_version_number_is_claude() {
        let native = "/home/u/.local/share/claude/versions/2.1.34";
        assert_eq!(kind(&[native], "2.1.34"), Some(AgentKind::Claude));
        assert_eq!(kind(&["2.1.34"], "2.1.34"), Some(AgentKind::Claude));
        assert_eq!(kind(&["2.1.34"], "claude"), Some(AgentKind::Claude));
        assert_eq!(kind(&["2.1.34"], "something"), None);
        assert_eq!(kind(&["2.1"], "2.1"), None);
        assert_eq!(kind(&["2..4"], "2..4"), None);
    }

    #[test]
    fn a_script_of_an_agents_package_is_that_agent() {
        let modules = "/usr/lib/node_modules";
        for (command, agent) in [
            (
                vec!["node", "/m/@anthropic-ai/claude-code/cli.js"],
                AgentKind::Claude,
            ),
            (
                vec![
                    "/usr/bin/node",
                    "--no-warnings",
                    "/usr/bin/claude",
                    "--resume",
                ],
                AgentKind::Claude,
            ),
            (
                vec!["node", "-r", "/x/hook.js", "/m/@openai/codex/bin/codex.js"],
                AgentKind::Codex,
            ),
            (
                vec!["bun", "run", "/m/opencode-ai/bin/opencode"],
                AgentKind::OpenCode,
            ),
            (
                vec!["node", "/m/@mariozechner/pi-coding-agent/dist/cli.js"],
                AgentKind::Pi,
            ),
            (
                vec!["/venv/bin/python3.12", "-u", "/venv/bin/hermes", "chat"],
                AgentKind::Hermes,
            ),
            (vec!["python3", "-m", "hermes"], AgentKind::Hermes),
            (vec!["node", "/usr/bin/cline.mjs"], AgentKind::Cline),
        ] {
            let command: Vec<String> = command.iter().map(|a| a.replace("/m", modules)).collect();
            let command: Vec<&str> = command.iter().map(String::as_str).collect();
            assert_eq!(kind(&command, "node"), Some(agent), "{command:?}");
        }
    }

    #[test]
    fn what_only_mentions_an_agent_is_none() {
        for command in [
            vec!["bash", "-c", "claude --resume; echo done"],
            vec!["sh", "/usr/local/bin/claude"],
            vec!["/bin/zsh", "-ic", "codex"],
            vec!["vim", "claude"],
            vec!["tail", "-f", "/home/u/.claude/projects/x/y.jsonl"],
            vec!["node", "-e", "run('claude')"],
            vec!["python3", "-c", "import hermes", "claude"],
            vec!["node"],
            vec!["npm exec @anthropic-ai/claude-code"],
            vec!["node", "/home/u/claude/server.js"],
            vec!["codex-linux-sandbox"],
            vec!["claude-monitor"],
        ] {
            assert_eq!(kind(&command, "claude"), None, "{command:?}");
        }
    }

    #[test]
    fn helpers_of_an_agent_are_none() {
        for command in [
            vec!["claude", "--bg-spare"],
            vec!["claude", "--x", "--y", "--bg-pty-host", "4"],
            vec!["/x/claude/versions/2.1.34", "daemon", "run"],
            vec!["claude", "mcp", "serve"],
            vec!["claude", "--claude-in-chrome-mcp"],
            vec!["node", "/m/@anthropic-ai/claude-code/cli.js", "--bg-spare"],
            vec!["node", "/m/@anthropic-ai/claude-code/cli-wrapper.cjs"],
            vec!["codex", "app-server"],
            vec!["antigravity", "--type=renderer"],
        ] {
            assert_eq!(kind(&command, "claude"), None, "{command:?}");
        }
        assert_eq!(
            kind(&["claude", "--", "--bg-spare"], "claude"),
            Some(AgentKind::Claude),
            "a prompt is no option"
        );
    }

    #[test]
    fn a_process_without_a_command_line_is_none() {
        assert_eq!(kind_of(b"", b"claude"), None);
        assert_eq!(kind_of(b"\0\0", b"claude"), None);
    }

    #[test]
    fn a_title_padded_with_nuls_is_still_a_name() {
        assert_eq!(
            kind_of(b"claude\0\0\0\0\0", b"claude"),
            Some(AgentKind::Claude)
        );
    }

    #[test]
    fn only_scripts_may_be_launchers() {
        assert!(may_be_launcher(b"node\0/usr/bin/codex\0"));
        assert!(!may_be_launcher(b"codex\0"));
    }
}
