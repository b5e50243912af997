//! From 64 bits to an operation.

use super::{Amount, BUFFERS, Case, Config, Field, Int, Op, OwnerKind, Step};

/// A small deterministic generator (SplitMix64): the same seed gives the same run, everywhere and for ever.
///
/// ```
/// use linkbuf_core::testing::ops::Rng;
///
/// let (mut a, mut b) = (Rng::new(3), Rng::new(3));
/// assert_eq!(a.next_u64(), b.next_u64());
/// assert!(a.below(10) < 10);
/// ```
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number under `bound`; 0 for bound 0. (The bias of the remainder does not matter here.)
    pub fn below(&mut self, bound: usize) -> usize {
        let bits = self.next_u64() >> 1;
        usize::try_from(bits % (bound.max(1) as u64)).unwrap_or(0)
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn byte(&mut self) -> u8 {
        self.next_u64().to_le_bytes()[7]
    }

    /// Where a delimiter is taken from: the fixed one often.
    fn place(&mut self) -> u8 {
        if self.flag() { 0 } else { self.byte() }
    }

    /// Content that the fixed delimiter is in, or goes on in, every now and then.
    fn seed(&mut self) -> u8 {
        let chosen = *self.pick(&[None, None, None, Some(10), Some(141), Some(16)]);
        chosen.unwrap_or_else(|| self.byte())
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Mostly a few bytes, often at a border, seldom many.
    fn size(&mut self) -> usize {
        const SMALL: [usize; 10] = [0, 1, 15, 16, 17, 63, 64, 65, 100, 128];
        const LARGE: [usize; 11] = [
            511, 512, 513, 3583, 3584, 3585, 4095, 4096, 4097, 8192, 8193,
        ];
        match self.below(100) {
            0..=34 => self.below(17),
            35..=59 => self.below(300),
            60..=81 => *self.pick(&SMALL),
            82..=92 => *self.pick(&LARGE),
            93..=97 => self.below(5000),
            _ => self.below(20_000),
        }
    }

    fn amount(&mut self) -> Amount {
        match self.below(20) {
            0..=8 => Amount::Part(self.byte()),
            9..=11 => Amount::Part(255),
            12 => Amount::Over(0),
            13 => Amount::Over(self.size()),
            14 if self.below(8) == 0 => Amount::Exact(usize::MAX),
            _ => Amount::Exact(self.size()),
        }
    }

    fn owner(&mut self) -> OwnerKind {
        *self.pick(&[
            OwnerKind::Vec,
            OwnerKind::Static,
            OwnerKind::Shared,
            OwnerKind::Counted,
        ])
    }

    fn field(&mut self) -> Field {
        match self.below(6) {
            0 | 1 => Field::Int(*self.pick(&Int::ALL), self.wide()),
            2 => Field::Array4(self.byte()),
            3 | 4 => Field::Array12(self.byte()),
            _ => Field::Bytes(self.size().min(600), self.byte()),
        }
    }

    fn wide(&mut self) -> u128 {
        u128::from(self.next_u64()) << 64 | u128::from(self.next_u64())
    }

    fn step(&mut self) -> Step {
        match self.below(14) {
            0..=2 => Step::Next(self.amount()),
            3..=6 => Step::Peek(self.amount()),
            7 => Step::Skip(Amount::Exact(self.below(4))),
            8 => Step::Skip(self.amount()),
            9 => Step::ReadByte,
            10 => Step::ReadBinary(self.amount()),
            11 => Step::ReadInto(self.amount()),
            12 => Step::Until(self.place(), 1 + self.below(3) as u8),
            _ => Step::Slice(self.amount()),
        }
    }
}

impl Case {
    /// A run of `len` operations.
    pub fn from_seed(seed: u64, len: usize) -> Self {
        let mut rng = Rng::new(seed);
        let configs = core::array::from_fn::<_, BUFFERS, _>(|_| Config::random(&mut rng));
        let ops = (0..len).map(|_| Op::from_seed(rng.next_u64())).collect();
        Self { configs, ops }
    }
}

impl Op {
    /// An operation; the same for the same seed.
    pub fn from_seed(seed: u64) -> Self {
        let rng = &mut Rng::new(seed);
        // One buffer sees half of all that happens, so that long histories come up.
        let b = [0, 0, 1, 2][rng.below(4)];
        match rng.below(100) {
            0..=33 => writer(rng, b),
            34..=45 => slots_and_booking(rng, b),
            46..=55 => Self::Flush { b },
            56..=81 => reader(rng, b),
            82..=89 => whole(rng, b),
            _ => slices(rng),
        }
    }
}

fn writer(rng: &mut Rng, b: u8) -> Op {
    let (n, seed) = (rng.size(), rng.seed());
    match rng.below(34) {
        0..=4 => Op::Malloc { b, n, seed },
        5..=8 => Op::WriteBinary { b, n, seed },
        9 => Op::WriteString { b, n },
        10 | 11 => Op::WriteByte { b, byte: seed },
        12..=15 => Op::WriteOwned {
            b,
            n,
            seed,
            kind: rng.owner(),
        },
        16..=21 => {
            let (kind, remain) = (rng.owner(), rng.amount());
            Op::WriteDirect {
                b,
                n,
                seed,
                kind,
                remain,
            }
        }
        22..=24 => {
            let fields = (0..rng.below(8)).map(|_| rng.field()).collect();
            let run = rng.size().min(600);
            Op::Appender { b, run, fields }
        }
        25..=28 => Op::Ack { b, n: rng.amount() },
        29 => Op::Append {
            b,
            c: rng.byte() % 3,
        },
        30 => Op::AppendFrom {
            b,
            c: rng.byte() % 3,
        },
        31 => {
            let (readable, pending) = (rng.size(), rng.size().min(600));
            Op::AppendForeign {
                b,
                readable,
                pending,
                seed,
            }
        }
        _ => Op::AppendSlice { b, i: rng.byte() },
    }
}

fn slots_and_booking(rng: &mut Rng, b: u8) -> Op {
    let (n, seed) = (rng.size(), rng.seed());
    match rng.below(12) {
        0 | 1 => {
            let filled = rng.flag();
            Op::Slot {
                b,
                n,
                seed: filled.then_some(seed),
            }
        }
        2 | 3 => Op::IntSlot {
            b,
            int: *rng.pick(&Int::ALL),
        },
        4..=8 => {
            let wrong = if rng.below(8) == 0 { 1 } else { 0 };
            Op::Fill {
                b,
                s: rng.byte(),
                seed,
                wrong,
            }
        }
        _ => {
            let max = n.max(1).saturating_add(rng.size());
            let (ack, vectored, again) = (rng.amount(), rng.flag(), rng.below(4) == 0);
            Op::Book {
                b,
                min: n,
                max,
                seed,
                ack,
                vectored,
                again,
            }
        }
    }
}

fn reader(rng: &mut Rng, b: u8) -> Op {
    let n = rng.amount();
    match rng.below(26) {
        0..=3 => Op::Next { b, n },
        4..=6 => Op::Peek { b, n },
        7..=9 => Op::Skip { b, n },
        10 => Op::ReadByte { b },
        11 => Op::ReadBinary { b, n },
        12 => Op::ReadString { b, n },
        13 => Op::ReadInto { b, n },
        14 => Op::IoRead { b, n: rng.size() },
        15..=17 => {
            let len = 1 + rng.below(4) as u8;
            Op::UntilBytes {
                b,
                at: rng.place(),
                len: if len == 4 { 0 } else { len },
            }
        }
        18..=20 => Op::Slice { b, n },
        _ => {
            let steps: Vec<_> = (0..1 + rng.below(6)).map(|_| rng.step()).collect();
            Op::Session { b, steps }
        }
    }
}

fn whole(rng: &mut Rng, b: u8) -> Op {
    match rng.below(12) {
        0..=6 => Op::Release { b },
        7 => Op::Clear { b },
        8 => Op::Trim { b },
        9 | 10 => Op::Export {
            b,
            entries: *rng.pick(&[0, 1, 2, 3, 64, 255]),
        },
        _ => Op::Replace { b },
    }
}

fn slices(rng: &mut Rng) -> Op {
    let (i, n) = (rng.byte(), rng.amount());
    match rng.below(12) {
        0 | 1 => Op::SliceAgain {
            i,
            from: rng.amount(),
            to: n,
        },
        2 => Op::SplitTo { i, n },
        3 => Op::SplitOff { i, n },
        4 => Op::SliceSkip { i, n },
        5 => Op::Truncate { i, n },
        6 => Op::CloneSlice { i },
        7 => Op::Detach { i },
        8 => Op::CopyOut { i },
        9 => {
            let (n, seed) = (rng.size(), rng.seed());
            Op::FromOwner {
                n,
                seed,
                kind: rng.owner(),
            }
        }
        _ => Op::DropSlice { i },
    }
}
