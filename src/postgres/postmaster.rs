//! The postmaster as a child process: it ends when we end, however we end.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Child, Command};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::home::SOCKET;

/// How long a shutdown may take, its checkpoint included, before we stop being polite.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often a process that we wait for is looked at.
pub(super) const PULSE: Duration = Duration::from_millis(10);

/// A running `postgres`, shut down when dropped.
#[derive(Debug)]
pub(super) struct Postmaster {
    child: Child,
    /// The thread that spawned the child lives as long as this end of its channel.
    _keeper: Sender<()>,
}

impl Postmaster {
    /// Spawns `command` so that the kernel asks it to shut down when this process dies.
    ///
    /// That signal (`PR_SET_PDEATHSIG`) really follows the *thread* that spawned, and callers may
    /// be on a short-lived one, so a thread of our own spawns and then waits for our end.
    pub(super) fn spawn(mut command: Command) -> Result<Self> {
        end_with_us(&mut command);
        // Ctrl-C is for us: we finish what we do, then shut PostgreSQL down.
        command.process_group(0);
        let (keeper, ends_with_us) = mpsc::channel::<()>();
        let (sender, spawned) = mpsc::sync_channel(1);
        thread::Builder::new().name("postgres-keeper".into()).spawn(move || {
            if sender.send(command.spawn()).is_ok() {
                // Nothing is ever sent: this returns when the other end is dropped.
                ends_with_us.recv().ok();
            }
        })?;
        let child = spawned.recv()?.context("running postgres")?;
        Ok(Self { child, _keeper: keeper })
    }

    /// Whether it ended by itself, and how.
    pub(super) fn has_ended(&mut self) -> Result<Option<process::ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Ends it and its sessions on `data` with no chance to tidy up, as a power cut would. The
    /// sessions would notice their postmaster's death by themselves, but could commit until then.
    pub(super) fn kill(mut self, data: &Path) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        for orphan in processes_in(data)? {
            send(orphan, libc::SIGKILL).ok(); // it may be gone already
        }
        wait_until_none_is_left(data)
    }

    /// Fast shutdown: sessions are cut, what is committed is written, a checkpoint is made. When
    /// that takes too long, an immediate one: nothing is lost, the next start replays the log.
    fn shut_down(&mut self) -> Result<()> {
        for ask in [libc::SIGINT, libc::SIGQUIT] {
            if self.has_ended()?.is_some() {
                return Ok(());
            }
            send(self.child.id(), ask)?;
            self.wait_for_its_end()?;
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn wait_for_its_end(&mut self) -> Result<()> {
        let asked = Instant::now();
        while self.has_ended()?.is_none() && asked.elapsed() < PATIENCE {
            thread::sleep(PULSE);
        }
        Ok(())
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            tracing::error!(%error, "shutting PostgreSQL down");
        }
    }
}

/// Waits until no process of an earlier postmaster uses `data`, then removes what it left behind.
///
/// To call with the home locked: nobody else can then be using that postmaster, so one that still
/// runs is asked to shut down. Its pid file and its socket's lock are removed because in a
/// container, where process ids repeat, PostgreSQL could take one of our own threads for it.
pub(super) fn retire_predecessor(data: &Path, socket_dir: &Path) -> Result<()> {
    let pid_file = data.join("postmaster.pid");
    let predecessor = fs::read_to_string(&pid_file)
        .ok()
        .and_then(|text| text.lines().next()?.trim().parse::<u32>().ok());
    let running = processes_in(data)?;
    if let Some(pid) = predecessor.filter(|pid| running.contains(pid)) {
        send(pid, libc::SIGINT).ok(); // it may be gone already
    }
    wait_until_none_is_left(data)?;
    remove_if_there(&pid_file)?;
    remove_if_there(&socket_dir.join(format!("{SOCKET}.lock")))
}

fn wait_until_none_is_left(data: &Path) -> Result<()> {
    let asked = Instant::now();
    loop {
        let left = processes_in(data)?;
        if left.is_empty() {
            return Ok(());
        }
        ensure!(asked.elapsed() < PATIENCE, "processes of PostgreSQL do not end: {left:?}");
        thread::sleep(PULSE);
    }
}

/// The ids of PostgreSQL's processes on this cluster: each has `data` as its working directory.
pub(super) fn processes_in(data: &Path) -> Result<Vec<u32>> {
    let is_ours = |process: &Path| {
        fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == data)
            && fs::read_to_string(process.join("comm")).is_ok_and(|name| name == "postgres\n")
    };
    let processes = fs::read_dir("/proc").context("reading /proc")?;
    Ok(processes
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|process| is_ours(process))
        .filter_map(|process| process.file_name().and_then(OsStr::to_str)?.parse().ok())
        .collect())
}

fn remove_if_there(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", file.display()))
        }
        _ => Ok(()),
    }
}

#[expect(unsafe_code, reason = "the standard library can only send SIGKILL")]
fn send(pid: u32, signal: libc::c_int) -> Result<()> {
    let pid = libc::pid_t::try_from(pid)?;
    // SAFETY: kill(2) takes two numbers and touches no memory of ours.
    let answer = unsafe { libc::kill(pid, signal) };
    ensure!(answer == 0, "signalling process {pid}: {}", io::Error::last_os_error());
    Ok(())
}

#[expect(unsafe_code, reason = "the standard library has no word for the parent's death signal")]
fn end_with_us(command: &mut Command) {
    let us = process::id();
    // SAFETY: between fork and exec only async-signal-safe calls are made: prctl(2) and getppid(2)
    // are plain system calls, and an error made from a number does not allocate. It runs after the
    // change of user, which would have cleared the setting.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGINT) != 0 {
                return Err(io::Error::last_os_error());
            }
            // We may have died before the setting took hold.
            if libc::getppid().cast_unsigned() != us {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            Ok(())
        });
    }
}
