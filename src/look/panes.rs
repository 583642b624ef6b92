//! What runs in a pane: the outermost agents at and below its first process.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use super::agent::{
    Homes, Mind, Minds, Question, Readers, Reading, is_shell, kind_of, may_be_launcher,
};
use super::process::{Processes, Stat, identity};
use crate::core::ids::{AgentKind, Pid, ProcessId};
use crate::core::sighting::Sighting;
use crate::core::world::{AgentSight, PaneSight, ProcessStart};

/// How far below a pane's first process an agent is looked for.
const GENERATIONS: usize = 8;

/// More processes than any pane has. A tree that is larger was not read whole.
const LARGEST_TREE: usize = 4096;

/// How many threads walk ahead at most, besides the one that ends the walk. The servers of tmux want a processor,
/// and so does whoever reads the roll meanwhile.
const WALKERS: usize = 2;

/// How many trees a thread takes at once: where there are no more, a second thread costs more than it saves.
const SHARE: usize = 16;

/// What runs at and below one process.
#[derive(Clone, Debug)]
struct Tree {
    start: Sighting<ProcessStart>,
    stat: Option<Stat>,
    agents: Sighting<Vec<(ProcessId, AgentKind)>>,
}

/// The trees of processes that were walked in this look. None is walked twice.
pub struct Trees {
    processes: Processes,
    minds: Minds,
    walked: BTreeMap<Pid, Tree>,
    /// Where agents work, as far as that was read.
    folders: BTreeMap<ProcessId, Sighting<String>>,
}

/// A walk through the trees of processes that will probably be asked for. It goes on by itself, on threads of its
/// own.
pub struct Ahead {
    minds: Minds,
    way: Arc<Way>,
    walkers: Vec<JoinHandle<Vec<Walked>>>,
}

/// What those who walk ahead have in common.
struct Way {
    roots: Vec<Pid>,
    /// The first of the roots that nobody has taken yet.
    next: AtomicUsize,
    readers: Readers,
}

/// A tree that was walked ahead, and what the agents in it keep, as far as that could be read.
struct Walked {
    root: Pid,
    tree: Tree,
    read: Vec<(AgentKind, ProcessId, Option<Reading>)>,
    /// Where those agents work whose conversations may have to be inferred from that.
    folders: Vec<(ProcessId, Sighting<String>)>,
}

impl Ahead {
    /// Begins to walk.
    #[must_use]
    pub fn begin(homes: &Homes, roots: BTreeSet<Pid>) -> Self {
        let minds = Minds::new(homes);
        let way = Arc::new(Way {
            roots: roots.into_iter().collect(),
            next: AtomicUsize::new(0),
            readers: minds.readers(),
        });
        let walkers = way.roots.len().div_ceil(SHARE).min(walkers());
        let walk = |_| {
            let way = way.clone();
            // Where the system gives no thread, who ends the walk goes alone.
            thread::Builder::new().spawn(move || way.walk()).ok()
        };
        Self {
            walkers: (0..walkers).filter_map(walk).collect(),
            minds,
            way,
        }
    }

    /// Looks for these conversations, walks along to the end, and takes up what the agents that were found keep.
    #[must_use]
    pub fn end(self, conversations: &[Question]) -> Trees {
        let Self {
            mut minds,
            way,
            walkers,
        } = self;
        minds.look_ahead(conversations);
        let mut walked = way.walk();
        // What a thread that broke has not walked is walked when it is asked for.
        let others = walkers.into_iter().filter_map(|walker| walker.join().ok());
        walked.extend(others.flatten());
        // Whichever thread read it: what is learned first must not depend on that.
        walked.sort_unstable_by_key(|walked| walked.root);
        let mut trees = Trees {
            processes: Processes::open(),
            minds,
            walked: BTreeMap::new(),
            folders: BTreeMap::new(),
        };
        for it in walked {
            for (kind, process, reading) in it.read {
                trees.minds.learn(kind, process, reading);
            }
            trees.walked.insert(it.root, it.tree);
            trees.folders.extend(it.folders);
        }
        trees
    }
}

/// How many threads walk ahead: as many as do not keep those from working that are waited for.
fn walkers() -> usize {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    (processors / 2).clamp(1, WALKERS)
}

impl Way {
    /// Walks through trees, as long as there are any that nobody has taken.
    fn walk(&self) -> Vec<Walked> {
        let mut processes = Processes::open();
        let mut walked = Vec::new();
        loop {
            let first = self.next.fetch_add(SHARE, Ordering::Relaxed);
            let Some(left) = self.roots.get(first..).filter(|left| !left.is_empty()) else {
                return walked;
            };
            let share = left.iter().take(SHARE);
            walked.extend(share.map(|&root| self.walk_tree(&mut processes, root)));
        }
    }

    fn walk_tree(&self, processes: &mut Processes, root: Pid) -> Walked {
        let tree = Walk(processes).tree(root);
        let agents = match &tree.agents {
            Sighting::Present(agents) => agents.as_slice(),
            Sighting::Absent(_) | Sighting::Unknown(_) => &[],
        };
        let mut read = Vec::with_capacity(agents.len());
        let mut folders = Vec::new();
        for &(process, kind) in agents {
            let reading = self.readers.get(&kind).map(|reader| reader.read(process));
            if let Some(reading) = &reading
                && !matches!(reading.mind, Mind::Session(_))
            {
                folders.push((process, processes.cwd(process.pid)));
            }
            read.push((kind, process, reading));
        }
        Walked {
            root,
            tree,
            read,
            folders,
        }
    }
}

impl Trees {
    /// Says of a pane what a look can say of it. `for_record`: also what a row would record of it.
    pub fn fill(&mut self, pane: &mut PaneSight, for_record: bool) {
        let processes = &mut self.processes;
        let tree = self
            .walked
            .entry(pane.pid)
            .or_insert_with(|| Walk(processes).tree(pane.pid));
        pane.start = tree.start.clone();
        pane.agents = if pane.dead {
            // tmux keeps the pid of what ran there: it may be anybody's by now.
            Sighting::absent("the pane is dead")
        } else {
            tree.agents.clone().map(|found| {
                found
                    .into_iter()
                    .map(|(process, kind)| {
                        let folder = self.folders.get(&process);
                        sight(&mut self.minds, &self.processes, process, kind, folder)
                    })
                    .collect()
            })
        };
        if for_record {
            pane.cwd = self.processes.cwd(pane.pid);
            pane.cmd = match &tree.stat {
                Some(stat) => self.processes.foreground(pane.pid, stat),
                None => Sighting::unknown("its process could not be read"),
            };
        }
    }

    /// What the agents in the trees have on their minds.
    pub const fn minds(&mut self) -> &mut Minds {
        &mut self.minds
    }

    /// The process table.
    #[must_use]
    pub const fn processes(&self) -> &Processes {
        &self.processes
    }
}

fn sight(
    minds: &mut Minds,
    processes: &Processes,
    process: ProcessId,
    kind: AgentKind,
    folder: Option<&Sighting<String>>,
) -> AgentSight {
    let live = minds.live(kind, process);
    // When it began and where it works matter only if its conversation has to be inferred from that.
    let (started_at, cwd) = if live.is_present() {
        (
            Sighting::unknown("not looked at"),
            Sighting::unknown("not looked at"),
        )
    } else {
        let started_at = processes.started_at(process.start).map_or_else(
            || Sighting::unknown("when this boot began could not be read"),
            Sighting::Present,
        );
        let cwd = folder.cloned();
        (
            started_at,
            cwd.unwrap_or_else(|| processes.cwd(process.pid)),
        )
    };
    AgentSight {
        process,
        kind,
        started_at,
        cwd,
        live,
    }
}

/// Walks from a process downwards.
struct Walk<'p>(&'p mut Processes);

impl Walk<'_> {
    fn tree(&mut self, root: Pid) -> Tree {
        let stat = match self.0.stat(root) {
            Sighting::Present(stat) => stat,
            Sighting::Absent(_) => {
                let gone = || format!("its first process {root} ended meanwhile");
                return Tree {
                    start: Sighting::unknown(gone()),
                    stat: None,
                    agents: Sighting::unknown(gone()),
                };
            }
            Sighting::Unknown(reason) => {
                return Tree {
                    start: Sighting::Unknown(reason.clone()),
                    stat: None,
                    agents: Sighting::Unknown(reason),
                };
            }
        };
        let start = self.0.started_at(stat.start).map_or_else(
            || Sighting::unknown("when this boot began could not be read"),
            |at| {
                Sighting::Present(ProcessStart {
                    ticks: stat.start,
                    at,
                })
            },
        );
        let agents = match self.outermost(root, stat.clone()) {
            Err(reason) => Sighting::unknown(reason),
            Ok(found) if found.is_empty() => {
                Sighting::absent("all processes of the pane were read, and none is an agent")
            }
            Ok(found) => Sighting::Present(found),
        };
        Tree {
            start,
            stat: Some(stat),
            agents,
        }
    }

    /// The agents that are below no other agent, breadth first.
    fn outermost(&mut self, root: Pid, stat: Stat) -> Result<Vec<(ProcessId, AgentKind)>, String> {
        let mut found = Vec::new();
        let mut queue = VecDeque::from([(root, stat, 0)]);
        let mut read = 0;
        while let Some((pid, stat, depth)) = queue.pop_front() {
            read += 1;
            if read > LARGEST_TREE {
                return Err(format!(
                    "there are more than {LARGEST_TREE} processes below {root}"
                ));
            }
            if stat.is_zombie() {
                continue;
            }
            // A shell is none: its command line, which costs as much as all the rest, need not be read.
            if is_shell(&stat.comm) {
                let children = self.children(pid, &stat, depth)?;
                queue.extend(generation(children, depth + 1));
                continue;
            }
            let cmdline = match self.0.cmdline(pid) {
                // Between two programs a process has none: what it will be cannot be told.
                Sighting::Present(cmdline) if cmdline.is_empty() => {
                    return Err(format!("process {pid} has no command line yet"));
                }
                Sighting::Present(cmdline) => cmdline,
                Sighting::Absent(_) => continue,
                Sighting::Unknown(reason) => return Err(reason.to_string()),
            };
            let kind = kind_of(&cmdline, &stat.comm);
            if kind.is_some() && !may_be_launcher(&cmdline) {
                found.extend(kind.map(|kind| (identity(pid, &stat), kind)));
                continue;
            }
            let children = self.children(pid, &stat, depth)?;
            match kind {
                // A script that started the real program and waits for it is not the agent.
                Some(kind) if !self.has_child_of(kind, &children) => {
                    found.push((identity(pid, &stat), kind))
                }
                _ => queue.extend(generation(children, depth + 1)),
            }
        }
        Ok(found)
    }

    /// The children of a process that is so many generations below a pane's first.
    fn children(
        &mut self,
        pid: Pid,
        stat: &Stat,
        depth: usize,
    ) -> Result<Vec<(Pid, Stat)>, String> {
        let children = match self.0.children(pid, stat) {
            Sighting::Present(children) => children,
            Sighting::Absent(_) => return Ok(Vec::new()),
            Sighting::Unknown(reason) => return Err(reason.to_string()),
        };
        if depth >= GENERATIONS && !children.is_empty() {
            return Err(format!(
                "there are more than {GENERATIONS} generations of processes above the children of {pid}"
            ));
        }
        let mut known = Vec::with_capacity(children.len());
        for child in children {
            match self.0.stat(child) {
                Sighting::Present(stat) => known.push((child, stat)),
                Sighting::Absent(_) => {}
                Sighting::Unknown(reason) => return Err(reason.to_string()),
            }
        }
        Ok(known)
    }

    fn has_child_of(&self, kind: AgentKind, children: &[(Pid, Stat)]) -> bool {
        children
            .iter()
            .any(|(pid, stat)| match self.0.cmdline(*pid) {
                Sighting::Present(cmdline) => kind_of(&cmdline, &stat.comm) == Some(kind),
                Sighting::Absent(_) | Sighting::Unknown(_) => false,
            })
    }
}

fn generation(
    children: Vec<(Pid, Stat)>,
    depth: usize,
) -> impl Iterator<Item = (Pid, Stat, usize)> {
    children
        .into_iter()
        .map(move |(child, stat)| (child, stat, depth))
}
