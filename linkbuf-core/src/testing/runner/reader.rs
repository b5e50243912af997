//! The reader's operations, and those on a buffer as a whole.

use std::io::{IoSlice, Read};
use std::sync::Arc;

use super::{Pair, Runner, agree};
use crate::{
    Error, LinkBuffer, NodeAllocator, Session, Slice,
    testing::{
        model::{Model, difference, pattern},
        ops::{Amount, Op, Step, attempt, without_memory},
    },
};

impl<A: NodeAllocator> Runner<'_, A> {
    pub(super) fn read(&mut self, op: &Op) {
        match *op {
            Op::Next { b, n } => self.take(b, n, |real, n, to_be| Ok(real.next(n)? == to_be)),
            Op::Skip { b, n } => self.take(b, n, |real, n, _| real.skip(n).map(|()| true)),
            Op::ReadByte { b } => self.take(b, Amount::Exact(1), |real, _, to_be| {
                Ok([real.read_byte()?] == to_be)
            }),
            Op::ReadBinary { b, n } => {
                self.take(b, n, |real, n, to_be| Ok(real.read_binary(n)? == to_be));
            }
            Op::ReadInto { b, n } => {
                let mut dst = vec![0; n.of(self.pair(b).model.len()).min(1 << 16)];
                let n = Amount::Exact(dst.len());
                self.take(b, n, |real, _, to_be| {
                    real.read_into(&mut dst)?;
                    Ok(dst == to_be)
                });
            }
            Op::Peek { b, n } => {
                let (faults, Pair { real, model, .. }) = self.split(b);
                let n = n.of(model.len());
                let expected = model.peek(n);
                let to_be = expected.unwrap_or(&[]);
                let answer = attempt(
                    faults,
                    real,
                    |real| Ok(real.peek(n)? == to_be),
                    |real| agree(real, model),
                );
                same(answer, expected.err());
            }
            Op::ReadString { b, n } => {
                let (faults, Pair { real, model, .. }) = self.split(b);
                let n = n.of(model.len());
                let expected = model.peek_string(n);
                let to_be = expected.unwrap_or("");
                let answer = attempt(
                    faults,
                    real,
                    |real| Ok(real.read_string(n)? == to_be),
                    |real| agree(real, model),
                );
                let refused = expected.err();
                if same(answer, refused) {
                    consume(model, n);
                }
            }
            Op::IoRead { b, n } => {
                let Pair { real, model, .. } = self.pair(b);
                let mut dst = vec![0; n];
                let got = real
                    .read(&mut dst)
                    .expect("reading from a buffer never fails");
                assert!(got <= n.min(model.len()), "read {got} bytes");
                assert_eq!(got == 0, n == 0 || model.is_empty(), "read nothing");
                assert_eq!(Ok(&dst[..got]), model.peek(got), "what was read");
                consume(model, got);
            }
            Op::UntilBytes { b, at, len } => {
                let (faults, Pair { real, model, .. }) = self.split(b);
                let delim = delimiter(model, at, len);
                let found = model.find(&delim);
                let to_be = found.and_then(|n| model.peek(n)).unwrap_or(&[]);
                let answer = attempt(
                    faults,
                    real,
                    |real| match delim[..] {
                        [byte] => Ok(real.until(byte)? == to_be),
                        _ => Ok(real.until_bytes(&delim)? == to_be),
                    },
                    |real| agree(real, model),
                );
                if same(answer, found.err()) {
                    consume(model, found.unwrap_or(0));
                }
            }
            Op::Slice { b, n } => {
                let (faults, Pair { real, model, .. }) = self.split(b);
                let n = n.of(model.len());
                let answer = attempt(
                    faults,
                    real,
                    |real| real.slice(n),
                    |real| agree(real, model),
                );
                match (answer, model.next(n)) {
                    (Ok(slice), Ok(shows)) => self.keep(slice, shows.into()),
                    (answer, expected) => assert_eq!(answer.err(), expected.err(), "slice({n})"),
                }
            }
            Op::Session { b, ref steps } => self.session(b, steps),
            Op::Release { b } => self.give_back(b, LinkBuffer::release),
            Op::Clear { b } => {
                self.pair(b).model.clear();
                self.give_back(b, LinkBuffer::clear);
            }
            Op::Trim { b } => {
                self.give_back(b, LinkBuffer::trim);
                assert_eq!(
                    self.pair(b).real.memory().spare,
                    0,
                    "spare bytes after trim"
                );
            }
            Op::Export { b, entries } => self.export(b, entries),
            Op::Replace { b } => {
                let alloc = self.alloc.clone();
                let pair = self.pair(b);
                pair.real = pair.config.build(alloc);
                pair.model = Model::default();
            }
            _ => unreachable!("not a reader's operation"),
        }
    }

    /// A verb that consumes `n` bytes and says whether it got them.
    fn take(
        &mut self,
        b: u8,
        n: Amount,
        mut call: impl FnMut(&mut LinkBuffer<A>, usize, &[u8]) -> Result<bool, Error>,
    ) {
        let (faults, Pair { real, model, .. }) = self.split(b);
        let n = n.of(model.len());
        let expected = model.peek(n);
        let to_be = expected.unwrap_or(&[]);
        let answer = attempt(
            faults,
            real,
            |real| call(real, n, to_be),
            |real| agree(real, model),
        );
        let refused = expected.err();
        if same(answer, refused) {
            consume(model, n);
        }
    }

    fn session(&mut self, b: u8, steps: &[Step]) {
        let mut cut: Vec<(Slice, Arc<[u8]>)> = Vec::new();
        let (faults, Pair { real, model, .. }) = self.split(b);
        let mut reader = real.session();
        let mut held: Vec<(&[u8], Vec<u8>)> = Vec::new();
        for step in steps {
            assert_eq!(reader.len(), model.len(), "readable bytes before {step:?}");
            assert_eq!(
                reader.is_empty(),
                model.is_empty(),
                "is_empty before {step:?}"
            );
            let left = model.len();
            let intact = |r: &mut Session<'_, A>| {
                assert_eq!(r.len(), left, "readable bytes after a failure")
            };
            match *step {
                Step::Next(n) | Step::Peek(n) => {
                    let (n, consumes) = (n.of(left), matches!(step, Step::Next(_)));
                    let answer = attempt(
                        faults,
                        &mut reader,
                        |r| if consumes { r.next(n) } else { r.peek(n) },
                        intact,
                    );
                    hold(&mut held, answer, model.peek(n));
                    if consumes {
                        consume(model, n);
                    }
                }
                Step::Until(at, len) => {
                    let delim = delimiter(model, at, len);
                    let found = model.find(&delim);
                    let answer = attempt(
                        faults,
                        &mut reader,
                        |r| match delim[..] {
                            [byte] => r.until(byte),
                            _ => r.until_bytes(&delim),
                        },
                        intact,
                    );
                    hold(&mut held, answer, found.and_then(|n| model.peek(n)));
                    consume(model, found.unwrap_or(0));
                }
                Step::Skip(n) => {
                    let n = n.of(left);
                    let answer = attempt(faults, &mut reader, |r| r.skip(n), intact);
                    assert_eq!(answer.err(), model.next(n).err(), "skip({n})");
                }
                Step::ReadByte => {
                    let answer = attempt(faults, &mut reader, Session::read_byte, intact);
                    assert_eq!(answer.map(|byte| vec![byte]), model.next(1), "read_byte");
                }
                Step::ReadBinary(n) => {
                    let n = n.of(left);
                    let answer = attempt(faults, &mut reader, |r| r.read_binary(n), intact);
                    assert_eq!(answer, model.next(n), "read_binary({n})");
                }
                Step::ReadInto(n) => {
                    let mut dst = vec![0; n.of(left).min(1 << 16)];
                    let answer = attempt(faults, &mut reader, |r| r.read_into(&mut dst), intact);
                    assert_eq!(
                        answer.map(|()| dst.clone()),
                        model.next(dst.len()),
                        "read_into"
                    );
                }
                Step::Slice(n) => {
                    let n = n.of(left);
                    let answer = attempt(faults, &mut reader, |r| r.slice(n), intact);
                    match (answer, model.next(n)) {
                        (Ok(slice), Ok(shows)) => cut.push((slice, shows.into())),
                        (answer, expected) => {
                            assert_eq!(answer.err(), expected.err(), "slice({n})");
                        }
                    }
                }
            }
        }
        for (i, (is, should)) in held.iter().enumerate() {
            if let Some(parted) = difference([*is], should) {
                panic!("what the session handed out as number {i} changed: {parted}");
            }
        }
        for (slice, shows) in cut {
            self.keep(slice, shows);
        }
    }

    /// A verb that gives memory back; then checks what a drained buffer may keep.
    fn give_back(&mut self, b: u8, call: impl FnOnce(&mut LinkBuffer<A>)) {
        let page_size = self.alloc.page_size();
        let (
            faults,
            Pair {
                config,
                real,
                model,
            },
        ) = self.split(b);
        without_memory(faults, || call(real));
        if model.is_empty() && model.malloc_len() == 0 {
            let (memory, most) = (real.memory(), config.retention(page_size));
            let kept = memory.live + memory.spare + memory.overhead;
            assert!(
                kept <= most,
                "a drained buffer keeps {kept} bytes instead of {most}: {memory:?}"
            );
        }
    }

    fn export(&mut self, b: u8, entries: u8) {
        let Pair { real, model, .. } = self.pair(b);
        let mut out = vec![IoSlice::new(&[]); usize::from(entries)];
        let n = real.io_slices(&mut out);
        assert!(n <= out.len(), "io_slices wrote {n} entries");
        let covered: usize = out[..n].iter().map(|s| s.len()).sum();
        if n < out.len() {
            assert_eq!(
                covered,
                model.len(),
                "entries were free, and bytes left out"
            );
        }
        let expected = model
            .peek(covered)
            .expect("more was exported than is readable");
        if let Some(parted) = difference(out[..n].iter().map(|s| &**s), expected) {
            panic!("exported content: {parted}");
        }
    }
}

/// Compares what a call answered; true if it did what was asked.
#[track_caller]
fn same(answer: Result<bool, Error>, refused: Option<Error>) -> bool {
    match (answer, refused) {
        (Ok(right), None) => {
            assert!(right, "the answer has the wrong content");
            true
        }
        (answer, refused) => {
            assert_eq!(answer.err(), refused, "the answer");
            false
        }
    }
}

/// Compares what a session handed out and keeps it to look at it again.
#[track_caller]
fn hold<'b>(
    held: &mut Vec<(&'b [u8], Vec<u8>)>,
    answer: Result<&'b [u8], Error>,
    expected: Result<&[u8], Error>,
) {
    match (answer, expected) {
        (Ok(is), Ok(should)) => {
            if let Some(parted) = difference([is], should) {
                panic!("the answer has the wrong content: {parted}");
            }
            held.push((is, should.to_vec()));
        }
        (answer, expected) => assert_eq!(answer.err(), expected.err(), "the answer"),
    }
}

/// Bytes that are there at part `at` of the readable ones; where they end, made up. At 0 always the same.
fn delimiter(model: &Model, at: u8, len: u8) -> Vec<u8> {
    if at == 0 {
        return pattern(10, usize::from(len));
    }
    let from = Amount::Part(at).of(model.len());
    let there = model.readable()[from..].iter().copied();
    there.chain([at, 7, 0]).take(usize::from(len)).collect()
}

fn consume(model: &mut Model, n: usize) {
    // Where the verb was refused there is nothing to consume.
    let _ = model.next(n);
}
