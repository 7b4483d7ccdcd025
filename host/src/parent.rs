//! A host dies with the process that started it.

use rustix::process::{getppid, set_parent_process_death_signal, Pid, Signal};

/// Ask the kernel for SIGKILL at the parent's death; false where the parent is gone already.
pub fn follow(parent: u32) -> std::io::Result<bool> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // Asked after, not before: a parent that died in between would never be noticed.
    let wanted = i32::try_from(parent).ok().and_then(Pid::from_raw);
    Ok(wanted.is_some() && getppid() == wanted)
}
