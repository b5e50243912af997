//! Every verb of a buffer as data.
//!
//! An [`Op`] names buffers, slots and slices by small numbers and amounts by their relation to what is there, so each op
//! makes sense in any state: a list of them can be cut, shortened and shuffled by whatever shrinks a failing case or
//! mutates a fuzz input. [`Op::from_seed`] makes one from 64 bits, [`Case::from_seed`] a whole run.

mod config;
mod faults;
mod generate;

pub use config::Config;
pub use faults::{Faults, HeapFaults, NoFaults, PlannedFaults, attempt, without_memory};
pub use generate::Rng;

/// Buffers that a run plays with; [`Op`]s name them by a number, taken modulo this.
pub const BUFFERS: usize = 3;

/// A run: how its buffers are configured, and what happens to them.
///
/// ```
/// use linkbuf_core::{Heap, testing::{ops::{Case, NoFaults}, runner}};
///
/// let case = Case::from_seed(7, 40);
/// assert_eq!(case.ops.len(), 40);
/// runner::run(&case, Heap, &NoFaults);
/// ```
#[derive(Clone, Debug)]
pub struct Case {
    /// One for each buffer. A buffer that is replaced gets the same again.
    pub configs: [Config; BUFFERS],
    /// The operations in order.
    pub ops: Vec<Op>,
}

/// How many bytes, in relation to how many there are.
///
/// ```
/// use linkbuf_core::testing::ops::Amount;
///
/// assert_eq!(Amount::Exact(7).of(5), 7);
/// assert_eq!(Amount::Part(255).of(5), 5);
/// assert_eq!(Amount::Over(0).of(5), 6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many.
    Exact(usize),
    /// `n / 255` of what is there.
    Part(u8),
    /// All, one more, and so many more.
    Over(usize),
}

impl Amount {
    /// The number of bytes where `available` are there.
    pub fn of(self, available: usize) -> usize {
        match self {
            Self::Exact(n) => n,
            Self::Part(part) => available * usize::from(part) / 255,
            Self::Over(n) => available.saturating_add(1).saturating_add(n),
        }
    }
}

/// The type of an owned value that is given to a buffer.
///
/// ```
/// # use linkbuf_core::testing::ops::OwnerKind;
/// assert_ne!(OwnerKind::Vec, OwnerKind::Static);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerKind {
    /// `Vec<u8>`.
    Vec,
    /// A part of a `static`.
    Static,
    /// `Arc<[u8]>`, of which the run keeps a clone.
    Shared,
    /// A value that counts its drops.
    Counted,
}

/// Width and byte order of a typed slot or field.
///
/// ```
/// # use linkbuf_core::testing::ops::Int;
/// assert_eq!(Int::U16Be.width(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the types'")]
pub enum Int {
    U8,
    U16Be,
    U16Le,
    U32Be,
    U32Le,
    U64Be,
    U64Le,
    U128Be,
    U128Le,
}

impl Int {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::U8,
        Self::U16Be,
        Self::U16Le,
        Self::U32Be,
        Self::U32Le,
        Self::U64Be,
        Self::U64Le,
        Self::U128Be,
        Self::U128Le,
    ];

    /// Bytes that it takes.
    pub fn width(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16Be | Self::U16Le => 2,
            Self::U32Be | Self::U32Le => 4,
            Self::U64Be | Self::U64Le => 8,
            Self::U128Be | Self::U128Le => 16,
        }
    }

    /// The bytes of `value`, cut to the width.
    pub fn bytes(self, value: u128) -> Vec<u8> {
        let n = self.width();
        match self {
            Self::U8 | Self::U16Le | Self::U32Le | Self::U64Le | Self::U128Le => {
                value.to_le_bytes()[..n].to_vec()
            }
            _ => value.to_be_bytes()[16 - n..].to_vec(),
        }
    }
}

/// A field that an appender puts.
///
/// ```
/// # use linkbuf_core::testing::ops::Field;
/// let header = [Field::Array4(1), Field::Bytes(10, 7)];
/// # assert_eq!(header.len(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `put` of so many bytes of `pattern(seed)`.
    Bytes(usize, u8),
    /// `put` of an array of 4 bytes of `pattern(seed)`.
    Array4(u8),
    /// `put` of an array of 12 bytes of `pattern(seed)`.
    Array12(u8),
    /// `put_u8`, `put_be`, `put_le`.
    Int(Int, u128),
}

/// A step of a reading session. What `Next`, `Peek` and `Until` hand out is held, and compared again, to its end.
///
/// ```
/// # use linkbuf_core::testing::ops::{Amount, Step};
/// let twice = [Step::Peek(Amount::Exact(3)), Step::Next(Amount::Exact(3))];
/// # assert_eq!(twice.len(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the reader's verbs")]
pub enum Step {
    Next(Amount),
    Peek(Amount),
    Skip(Amount),
    ReadByte,
    ReadBinary(Amount),
    ReadInto(Amount),
    /// A delimiter as in [`Op::UntilBytes`]; one byte goes through `until`.
    Until(u8, u8),
    /// The slice joins the run's.
    Slice(Amount),
}

/// One operation. `b` and `c` are buffers, `s` a slot, `i` a slice, each taken modulo what there is.
///
/// Where content is written it is [`pattern`](super::model::pattern)`(seed)`.
///
/// ```
/// use linkbuf_core::testing::ops::Op;
///
/// assert_eq!(format!("{:?}", Op::from_seed(1)), format!("{:?}", Op::from_seed(1)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the names are the buffer's verbs, the fields are told above"
)]
pub enum Op {
    // writer
    Malloc {
        b: u8,
        n: usize,
        seed: u8,
    },
    WriteBinary {
        b: u8,
        n: usize,
        seed: u8,
    },
    WriteString {
        b: u8,
        n: usize,
    },
    WriteByte {
        b: u8,
        byte: u8,
    },
    WriteOwned {
        b: u8,
        n: usize,
        seed: u8,
        kind: OwnerKind,
    },
    WriteDirect {
        b: u8,
        n: usize,
        seed: u8,
        kind: OwnerKind,
        remain: Amount,
    },
    Appender {
        b: u8,
        run: usize,
        fields: Vec<Field>,
    },
    Ack {
        b: u8,
        n: Amount,
    },
    Flush {
        b: u8,
    },
    /// `c` moves onto `b` and starts anew; with `b == c` nothing happens.
    Append {
        b: u8,
        c: u8,
    },
    /// All of `c` moves onto `b`, and `c` goes on, empty; with `b == c` nothing happens.
    AppendFrom {
        b: u8,
        c: u8,
    },
    /// Another allocator's buffer with so many readable and pending bytes.
    AppendForeign {
        b: u8,
        readable: usize,
        pending: usize,
        seed: u8,
    },
    /// The slice stays with the run too (a clone goes).
    AppendSlice {
        b: u8,
        i: u8,
    },
    // slots
    /// Without a seed it keeps what the memory shows, until it is filled.
    Slot {
        b: u8,
        n: usize,
        seed: Option<u8>,
    },
    IntSlot {
        b: u8,
        int: Int,
    },
    /// Fills any slot ever made, through any buffer; plain ones with `wrong` bytes too many.
    Fill {
        b: u8,
        s: u8,
        seed: u8,
        wrong: u8,
    },
    // booking
    /// Publishes `ack` bytes; if that is more than was booked, half of these. With `again` it books twice.
    Book {
        b: u8,
        min: usize,
        max: usize,
        seed: u8,
        ack: Amount,
        vectored: bool,
        again: bool,
    },
    // reader
    Next {
        b: u8,
        n: Amount,
    },
    Peek {
        b: u8,
        n: Amount,
    },
    Skip {
        b: u8,
        n: Amount,
    },
    ReadByte {
        b: u8,
    },
    ReadBinary {
        b: u8,
        n: Amount,
    },
    ReadString {
        b: u8,
        n: Amount,
    },
    ReadInto {
        b: u8,
        n: Amount,
    },
    /// `std::io::Read`, so many bytes at most.
    IoRead {
        b: u8,
        n: usize,
    },
    /// The delimiter is the `len` bytes found at part `at` of the readable bytes; past the end, made up. With
    /// `at` 0 it is the start of `pattern(10)`: always the same, often not there, so searches are resumed.
    UntilBytes {
        b: u8,
        at: u8,
        len: u8,
    },
    Slice {
        b: u8,
        n: Amount,
    },
    Session {
        b: u8,
        steps: Vec<Step>,
    },
    Release {
        b: u8,
    },
    Clear {
        b: u8,
    },
    Trim {
        b: u8,
    },
    /// `io_slices` into so many entries.
    Export {
        b: u8,
        entries: u8,
    },
    /// The buffer is dropped, a new one takes its place.
    Replace {
        b: u8,
    },
    // slices
    SliceAgain {
        i: u8,
        from: Amount,
        to: Amount,
    },
    SplitTo {
        i: u8,
        n: Amount,
    },
    SplitOff {
        i: u8,
        n: Amount,
    },
    SliceSkip {
        i: u8,
        n: Amount,
    },
    Truncate {
        i: u8,
        n: Amount,
    },
    CloneSlice {
        i: u8,
    },
    Detach {
        i: u8,
    },
    CopyOut {
        i: u8,
    },
    /// A slice made of an owned value.
    FromOwner {
        n: usize,
        seed: u8,
        kind: OwnerKind,
    },
    DropSlice {
        i: u8,
    },
}
