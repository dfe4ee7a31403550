//! What the heap is used for, counted by the allocator.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What happened on the heap while something ran. Nothing else may run at the same time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use {
    /// Allocations, and reallocations that may have moved.
    pub(crate) allocations: usize,
    /// Bytes that are in use afterwards and were not before.
    pub(crate) kept: isize,
}

/// Runs something and says what it did on the heap.
pub(crate) fn watch<T>(run: impl FnOnce() -> T) -> (T, Use) {
    let mark = Mark::set();
    let outcome = run();
    (outcome, mark.since())
}

/// A moment to count from.
pub(crate) struct Mark(Region<'static, System>);

impl Mark {
    pub(crate) fn set() -> Self {
        Self(Region::new(HEAP))
    }

    pub(crate) fn since(&self) -> Use {
        let change = self.0.change();
        let bytes = |count: usize| isize::try_from(count).unwrap_or(isize::MAX);
        Use {
            allocations: change.allocations + change.reallocations,
            kept: bytes(change.bytes_allocated) - bytes(change.bytes_deallocated),
        }
    }
}
