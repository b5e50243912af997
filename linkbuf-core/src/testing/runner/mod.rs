//! Applies operations to real buffers and to the model, and compares all that can be seen.

mod owners;
mod reader;
mod slices;
mod writer;

use std::sync::Arc;

use super::{
    model::{Model, SlotId, difference},
    ops::{BUFFERS, Case, Config, Faults, Op},
};
use crate::{LinkBuffer, NodeAllocator, Slice};
use owners::Owners;
use writer::Handle;

/// Slices that a run keeps; the oldest makes room for a new one.
const SLICES_KEPT: usize = 24;

/// Runs a whole case over clones of `alloc`, with `faults` in every call that may allocate.
///
/// # Panics
/// At the first disagreement between buffer and model.
///
/// ```
/// use linkbuf_core::{Heap, testing::{allocators::{Failing, Tracking}, ops::{Case, PlannedFaults}, runner}};
///
/// let alloc = Tracking::new(Failing::new(Heap));
/// runner::run(&Case::from_seed(3, 30), alloc.clone(), &linkbuf_core::testing::ops::NoFaults);
/// alloc.assert_balanced();
/// ```
pub fn run<A: NodeAllocator>(case: &Case, alloc: A, faults: &dyn Faults) {
    let mut runner = Runner::new(case.configs, alloc, faults);
    for op in &case.ops {
        runner.apply(op);
    }
    runner.finish();
}

/// Buffers, their models, and everything that was cut from them.
///
/// ```
/// use linkbuf_core::{Heap, testing::{ops::{Case, NoFaults, Op}, runner::Runner}};
///
/// let configs = Case::from_seed(1, 0).configs;
/// let mut runner = Runner::new(configs, Heap, &NoFaults);
/// runner.apply(&Op::Malloc { b: 0, n: 5, seed: 1 });
/// runner.apply(&Op::Flush { b: 0 });
/// assert_eq!(runner.buffer(0).len(), 5);
/// runner.finish();
/// ```
pub struct Runner<'f, A: NodeAllocator> {
    alloc: A,
    faults: &'f dyn Faults,
    pairs: Vec<Pair<A>>,
    /// Every slot ever made, good or gone.
    slots: Vec<(Handle, SlotId)>,
    slices: Vec<Kept>,
    owners: Owners,
    steps: usize,
}

/// A buffer and what it should be.
struct Pair<A: NodeAllocator> {
    config: Config,
    real: LinkBuffer<A>,
    model: Model,
}

/// A slice and what it should show, for ever.
struct Kept {
    slice: Slice,
    shows: Arc<[u8]>,
}

impl<'f, A: NodeAllocator> Runner<'f, A> {
    /// Empty buffers over clones of `alloc`.
    pub fn new(configs: [Config; BUFFERS], alloc: A, faults: &'f dyn Faults) -> Self {
        let pair = |config: Config| Pair {
            real: config.build(alloc.clone()),
            model: Model::default(),
            config,
        };
        let pairs = configs.into_iter().map(pair).collect();
        Self {
            alloc,
            faults,
            pairs,
            slots: Vec::new(),
            slices: Vec::new(),
            owners: Owners::default(),
            steps: 0,
        }
    }

    /// The real buffer `b` (modulo the number of buffers).
    pub fn buffer(&self, b: u8) -> &LinkBuffer<A> {
        &self.pairs[usize::from(b) % BUFFERS].real
    }

    /// Does one operation on both sides.
    ///
    /// # Panics
    /// When they disagree. What was being done then goes to standard error.
    pub fn apply(&mut self, op: &Op) {
        let told = Telltale {
            op,
            step: self.steps,
        };
        self.steps += 1;
        match op {
            Op::Malloc { .. }
            | Op::WriteBinary { .. }
            | Op::WriteString { .. }
            | Op::WriteByte { .. }
            | Op::WriteOwned { .. }
            | Op::WriteDirect { .. }
            | Op::Appender { .. }
            | Op::Ack { .. }
            | Op::Flush { .. }
            | Op::Append { .. }
            | Op::AppendFrom { .. }
            | Op::AppendForeign { .. }
            | Op::AppendSlice { .. }
            | Op::Slot { .. }
            | Op::IntSlot { .. }
            | Op::Fill { .. }
            | Op::Book { .. } => self.write(op),
            Op::Next { .. }
            | Op::Peek { .. }
            | Op::Skip { .. }
            | Op::ReadByte { .. }
            | Op::ReadBinary { .. }
            | Op::ReadString { .. }
            | Op::ReadInto { .. }
            | Op::IoRead { .. }
            | Op::UntilBytes { .. }
            | Op::Slice { .. }
            | Op::Session { .. }
            | Op::Release { .. }
            | Op::Clear { .. }
            | Op::Trim { .. }
            | Op::Export { .. }
            | Op::Replace { .. } => self.read(op),
            Op::SliceAgain { .. }
            | Op::SplitTo { .. }
            | Op::SplitOff { .. }
            | Op::SliceSkip { .. }
            | Op::Truncate { .. }
            | Op::CloneSlice { .. }
            | Op::Detach { .. }
            | Op::CopyOut { .. }
            | Op::FromOwner { .. }
            | Op::DropSlice { .. } => self.cut(op),
        }
        for pair in &self.pairs {
            agree(&pair.real, &pair.model);
        }
        if !self.slices.is_empty() {
            self.slices[self.steps % self.slices.len()].check();
        }
        drop(told);
    }

    /// Publishes and compares what is pending, then drops everything and checks that nothing is left: slices must
    /// outlive the buffers, and every owned value must have been dropped once.
    ///
    /// # Panics
    /// When something disagrees or is left.
    pub fn finish(mut self) {
        for pair in &mut self.pairs {
            pair.real.flush();
            pair.model.flush();
            agree(&pair.real, &pair.model);
        }
        self.pairs.clear();
        self.slots.clear();
        while let Some(kept) = self.slices.pop() {
            kept.check();
        }
        self.owners.assert_all_gone();
    }

    fn pair(&mut self, b: u8) -> &mut Pair<A> {
        &mut self.pairs[usize::from(b) % BUFFERS]
    }

    fn keep(&mut self, slice: Slice, shows: Arc<[u8]>) {
        let kept = Kept { slice, shows };
        kept.check();
        if self.slices.len() == SLICES_KEPT {
            self.slices.remove(0).check();
        }
        self.slices.push(kept);
    }
}

impl Kept {
    #[track_caller]
    fn check(&self) {
        assert_eq!(self.slice.len(), self.shows.len(), "length of a slice");
        if let Some(parted) = difference(self.slice.chunks(), &self.shows) {
            panic!("a slice changed: {parted}");
        }
    }
}

/// Compares all that an observer sees of a buffer.
#[track_caller]
fn agree<A: NodeAllocator>(real: &LinkBuffer<A>, model: &Model) {
    assert_eq!(real.len(), model.len(), "readable bytes");
    assert_eq!(real.is_empty(), model.is_empty(), "is_empty");
    assert_eq!(real.malloc_len(), model.malloc_len(), "pending bytes");
    if let Some(parted) = difference(real.chunks(), model.readable()) {
        panic!("readable content: {parted}");
    }
}

/// Says which operation was under way when a check panics.
struct Telltale<'a> {
    op: &'a Op,
    step: usize,
}

impl Drop for Telltale<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::eprintln!("at operation {}: {:?}", self.step, self.op);
        }
    }
}
