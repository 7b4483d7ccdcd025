//! Width: how many cores a step may use, for the Rust pools and the C++ kernels alike.
//!
//! Rust parallelism is rayon's: a pool per width, kept. The C++ kernels keep one pool of their
//! own, made at first use with a thread per core of the machine, and nothing sets its size. So
//! every thread of the process is confined to `width` of the cores given at start; threads made
//! later inherit that.

use std::collections::btree_map::{BTreeMap, Entry};
use std::fs;

use rayon::{ThreadPool, ThreadPoolBuilder};
use rustix::process::Pid;
use rustix::thread::{sched_getaffinity, sched_setaffinity, CpuSet};

use crate::error::HostError;

/// Deep recursion in constraint evaluation was written for a main thread's stack.
const STACK: usize = 16 << 20;

/// The cores of this process and the pools made so far.
pub struct Widths {
    cpus: Vec<usize>,
    pools: BTreeMap<usize, ThreadPool>,
    confined: usize,
}

impl Widths {
    /// Use `cpus` in this order; none given means those the process may run on.
    pub fn new(cpus: Vec<usize>) -> Self {
        let cpus = if cpus.is_empty() { allowed() } else { cpus };
        Self { cpus, pools: BTreeMap::new(), confined: 0 }
    }

    /// Return what `work` returns, run on `width` cores (all of them where none is named).
    pub fn run<T: Send>(
        &mut self,
        width: Option<usize>,
        work: impl FnOnce() -> T + Send,
    ) -> Result<T, HostError> {
        let width = width.unwrap_or(usize::MAX).clamp(1, self.cpus.len().max(1));
        self.confine(width);
        let pool = match self.pools.entry(width) {
            Entry::Occupied(kept) => kept.into_mut(),
            Entry::Vacant(free) => free.insert(pool(width)?),
        };
        Ok(pool.install(work))
    }

    fn confine(&mut self, width: usize) {
        if self.confined == width {
            return;
        }
        let mut set = CpuSet::new();
        self.cpus.iter().take(width).for_each(|cpu| set.set(*cpu));
        for thread in threads() {
            // A thread that has just ended, or a core that is gone: the width is then a wish.
            if let Err(error) = sched_setaffinity(Some(thread), &set) {
                eprintln!("farm-host: cores of thread {thread:?} stay as they are: {error}");
            }
        }
        self.confined = width;
    }
}

fn pool(width: usize) -> Result<ThreadPool, HostError> {
    let built = ThreadPoolBuilder::new().num_threads(width).stack_size(STACK).build();
    built.map_err(|error| HostError::HostFailed("width".into(), error.to_string()))
}

fn allowed() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(None) else {
        return (0..std::thread::available_parallelism().map_or(1, Into::into)).collect();
    };
    (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect()
}

fn threads() -> Vec<Pid> {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    let names = tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok());
    names.filter_map(Pid::from_raw).collect()
}
