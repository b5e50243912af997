//! The writer's operations.

use core::mem;
use std::io::IoSliceMut;

use super::{Pair, Runner, agree};
use crate::{
    Appender, Builder, Error, Heap, IntSlot, LinkBuffer, NodeAllocator, Rejected, Slot,
    testing::{
        model::{Model, SlotId, pattern},
        ops::{Amount, Faults, Field, Int, Op, OwnerKind, attempt, without_memory},
    },
};

/// A slot of the real buffer. The byte order is in the typed handle.
#[derive(Clone, Copy)]
pub(super) enum Handle {
    Plain(Slot),
    U8(Int, IntSlot<u8>),
    U16(Int, IntSlot<u16>),
    U32(Int, IntSlot<u32>),
    U64(Int, IntSlot<u64>),
    U128(Int, IntSlot<u128>),
}

/// Gives an owned value of the kind to `$call`, a generic closure as it were.
macro_rules! with_owner {
    ($owners:expr, $kind:expr, $n:expr, $seed:expr, |$value:ident| $call:expr) => {
        match $kind {
            $crate::testing::ops::OwnerKind::Vec => {
                let $value = $crate::testing::model::pattern($seed, $n);
                $call
            }
            $crate::testing::ops::OwnerKind::Static => {
                let $value = $owners.fixed($n);
                $call
            }
            $crate::testing::ops::OwnerKind::Shared => {
                let $value = $owners.shared($n, $seed);
                $call
            }
            $crate::testing::ops::OwnerKind::Counted => {
                let $value = $owners.counted($n, $seed);
                $call
            }
        }
    };
}
pub(super) use with_owner;

impl<A: NodeAllocator> Runner<'_, A> {
    pub(super) fn write(&mut self, op: &Op) {
        match *op {
            Op::Malloc { b, n, seed } => self.append_copy(b, &pattern(seed, n), |real, bytes| {
                real.malloc(bytes.len())
                    .map(|room| room.copy_from_slice(bytes))
            }),
            Op::WriteBinary { b, n, seed } => {
                self.append_copy(b, &pattern(seed, n), LinkBuffer::write_binary);
            }
            Op::WriteString { b, n } => {
                let text: String = "aé€🦀".chars().cycle().take(n / 2).collect();
                self.append_copy(b, text.as_bytes(), |real, _| real.write_string(&text));
            }
            Op::WriteByte { b, byte } => {
                self.append_copy(b, &[byte], |real, _| real.write_byte(byte));
            }
            Op::WriteOwned { b, n, seed, kind } => self.write_owned(b, n, seed, kind),
            Op::WriteDirect {
                b,
                n,
                seed,
                kind,
                remain,
            } => self.write_direct(b, n, seed, kind, remain),
            Op::Appender { b, run, ref fields } => self.append_fields(b, run, fields),
            Op::Ack { b, n } => {
                let (faults, Pair { real, model, .. }) = self.split(b);
                let n = n.of(model.malloc_len());
                let answer = attempt(
                    faults,
                    real,
                    |real| real.malloc_ack(n),
                    |real| agree(real, model),
                );
                assert_eq!(answer, model.malloc_ack(n), "malloc_ack({n})");
            }
            Op::Flush { b } => {
                let (faults, Pair { real, model, .. }) = self.split(b);
                without_memory(faults, || real.flush());
                model.flush();
            }
            Op::Append { b, c } => self.append(b, c),
            Op::AppendFrom { b, c } => self.append_from(b, c),
            Op::AppendForeign {
                b,
                readable,
                pending,
                seed,
            } => self.append_foreign(b, readable, pending, seed),
            Op::AppendSlice { b, i } => self.append_slice(b, i),
            Op::Slot { b, n, seed } => self.slot(b, n, seed),
            Op::IntSlot { b, int } => self.int_slot(b, int),
            Op::Fill { b, s, seed, wrong } => self.fill(b, s, seed, wrong),
            Op::Book {
                b,
                min,
                max,
                seed,
                ack,
                vectored,
                again,
            } => {
                self.book(b, [min, max], seed, ack, [vectored, again]);
            }
            _ => unreachable!("not a writer's operation"),
        }
    }

    /// The faults and one pair, apart.
    pub(super) fn split(&mut self, b: u8) -> (&dyn Faults, &mut Pair<A>) {
        let pair = &mut self.pairs[usize::from(b) % super::BUFFERS];
        (self.faults, pair)
    }

    /// A verb that appends a copy of `bytes`.
    fn append_copy(
        &mut self,
        b: u8,
        bytes: &[u8],
        mut call: impl FnMut(&mut LinkBuffer<A>, &[u8]) -> Result<(), Error>,
    ) {
        let (faults, Pair { real, model, .. }) = self.split(b);
        let answer = attempt(
            faults,
            real,
            |real| call(real, bytes),
            |real| agree(real, model),
        );
        assert_eq!(answer, Ok(()), "appending {} bytes", bytes.len());
        model.write(bytes);
    }

    fn write_owned(&mut self, b: u8, n: usize, seed: u8, kind: OwnerKind) {
        with_owner!(self.owners, kind, n, seed, |value| {
            let bytes = AsRef::<[u8]>::as_ref(&value).to_vec();
            let (faults, Pair { real, model, .. }) = self.split(b);
            let answer = offer(faults, real, model, value, LinkBuffer::write_owned);
            assert_eq!(
                answer.err().map(|r| r.error),
                None,
                "write_owned of {n} bytes"
            );
            model.write(&bytes);
        });
    }

    fn write_direct(&mut self, b: u8, n: usize, seed: u8, kind: OwnerKind, remain: Amount) {
        with_owner!(self.owners, kind, n, seed, |value| {
            let bytes = AsRef::<[u8]>::as_ref(&value).to_vec();
            let (faults, Pair { real, model, .. }) = self.split(b);
            let remain = remain.of(model.malloc_len());
            let answer = offer(faults, real, model, value, |real, v| {
                real.write_direct(v, remain)
            });
            let expected = model.write_direct(&bytes, remain);
            match answer {
                // An empty value may be refused or be nothing.
                _ if n == 0 => {}
                Ok(()) => assert_eq!(Ok(()), expected, "write_direct with remain {remain}"),
                Err(rejected) => {
                    assert_eq!(
                        Err(rejected.error),
                        expected,
                        "write_direct with remain {remain}"
                    );
                    let back = AsRef::<[u8]>::as_ref(&rejected.value);
                    assert_eq!(back, bytes, "the value that came back");
                }
            }
        });
    }

    fn append_fields(&mut self, b: u8, run: usize, fields: &[Field]) {
        let (faults, Pair { real, model, .. }) = self.split(b);
        let opened = attempt(
            faults,
            real,
            |real| real.appender(run).map(|_unused| ()),
            |real| agree(real, model),
        );
        assert_eq!(opened, Ok(()), "appender({run})");
        let mut appender = real.appender(run).expect("it was just there");
        for field in fields {
            let bytes = match *field {
                Field::Bytes(n, seed) => pattern(seed, n),
                Field::Array4(seed) => pattern(seed, 4),
                Field::Array12(seed) => pattern(seed, 12),
                Field::Int(int, value) => int.bytes(value),
            };
            let put = attempt(faults, &mut appender, |a| put(a, field, &bytes), |_| {});
            assert_eq!(put, Ok(()), "appender, {field:?}");
            model.write(&bytes);
        }
        if run.is_multiple_of(2) {
            appender.commit();
        }
    }

    fn append(&mut self, b: u8, c: u8) {
        let (b, c) = (
            usize::from(b) % super::BUFFERS,
            usize::from(c) % super::BUFFERS,
        );
        if b == c {
            return;
        }
        let fresh = self.pairs[c].config.build(self.alloc.clone());
        let other = mem::replace(&mut self.pairs[c].real, fresh);
        let other_model = mem::take(&mut self.pairs[c].model);
        let Pair { real, model, .. } = &mut self.pairs[b];
        let call = |(real, other): &mut (&mut LinkBuffer<A>, Option<LinkBuffer<A>>)| {
            let moved = other.take().expect("it came back");
            real.append(moved).map_err(|rejected| {
                *other = Some(rejected.value);
                rejected.error
            })
        };
        let answer = attempt(
            self.faults,
            &mut (real, Some(other)),
            call,
            |(real, other)| {
                agree(real, model);
                agree(other.as_ref().expect("it came back"), &other_model);
            },
        );
        assert_eq!(answer, Ok(()), "append");
        model.append(other_model);
    }

    fn append_from(&mut self, b: u8, c: u8) {
        let at = [
            usize::from(b) % super::BUFFERS,
            usize::from(c) % super::BUFFERS,
        ];
        let Ok([onto, from]) = self.pairs.get_disjoint_mut(at) else {
            return;
        };
        let answer = attempt(
            self.faults,
            &mut (&mut onto.real, &mut from.real),
            |(onto, from)| onto.append_from(from),
            |(real, other)| {
                agree(real, &onto.model);
                agree(other, &from.model);
            },
        );
        assert_eq!(answer, Ok(()), "append_from");
        onto.model.append(mem::take(&mut from.model));
        agree(&from.real, &from.model);
    }

    fn append_foreign(&mut self, b: u8, readable: usize, pending: usize, seed: u8) {
        let mut other = Builder::<Heap>::new().node_size(200).build();
        let mut other_model = Model::default();
        for n in [readable, pending] {
            other.flush();
            other_model.flush();
            for piece in pattern(seed, n).chunks(150) {
                other.write_binary(piece).expect("no fault is armed");
                other_model.write(piece);
            }
        }
        let (faults, Pair { real, model, .. }) = self.split(b);
        let call = |(real, other): &mut (&mut LinkBuffer<A>, Option<LinkBuffer>)| {
            let moved = other.take().expect("it came back");
            real.append_foreign(moved).map_err(|rejected| {
                *other = Some(rejected.value);
                rejected.error
            })
        };
        let answer = attempt(faults, &mut (real, Some(other)), call, |(real, other)| {
            agree(real, model);
            agree(other.as_ref().expect("it came back"), &other_model);
        });
        assert_eq!(answer, Ok(()), "append_foreign");
        model.append(other_model);
    }

    fn append_slice(&mut self, b: u8, i: u8) {
        if self.slices.is_empty() {
            return;
        }
        let kept = &self.slices[usize::from(i) % self.slices.len()];
        let shows = kept.shows.clone();
        let clone = kept.slice.clone();
        let (faults, Pair { real, model, .. }) = self.split(b);
        let call = |(real, slice): &mut (&mut LinkBuffer<A>, Option<crate::Slice>)| {
            let moved = slice.take().expect("it came back");
            real.append_slice(moved).map_err(|rejected| {
                *slice = Some(rejected.value);
                rejected.error
            })
        };
        let answer = attempt(faults, &mut (real, Some(clone)), call, |(real, slice)| {
            agree(real, model);
            assert!(
                slice.as_ref().expect("it came back") == &*shows,
                "the slice that came back"
            );
        });
        assert_eq!(answer, Ok(()), "append_slice");
        model.write(&shows);
    }

    fn slot(&mut self, b: u8, n: usize, seed: Option<u8>) {
        let (faults, Pair { real, model, .. }) = self.split(b);
        let slot = attempt(faults, real, |real| real.slot(n), |real| agree(real, model));
        let slot = slot.unwrap_or_else(|e| panic!("slot({n}): {e}"));
        assert_eq!((slot.len(), slot.is_empty()), (n, n == 0), "slot({n})");
        if n == 0 {
            return; // whether a handle to nothing is ever gone is left open
        }
        let room = real.slot_mut(&slot).expect("it was just made");
        assert_eq!(room.len(), n, "slot_mut");
        if let Some(seed) = seed {
            room.copy_from_slice(&pattern(seed, n));
        }
        let id = model.slot(room);
        self.slots.push((Handle::Plain(slot), id));
    }

    fn int_slot(&mut self, b: u8, int: Int) {
        let (faults, Pair { real, model, .. }) = self.split(b);
        let made = attempt(
            faults,
            real,
            |real| {
                Ok(match int {
                    Int::U8 => Handle::U8(int, real.slot_be()?),
                    Int::U16Be => Handle::U16(int, real.slot_be()?),
                    Int::U16Le => Handle::U16(int, real.slot_le()?),
                    Int::U32Be => Handle::U32(int, real.slot_be()?),
                    Int::U32Le => Handle::U32(int, real.slot_le()?),
                    Int::U64Be => Handle::U64(int, real.slot_be()?),
                    Int::U64Le => Handle::U64(int, real.slot_le()?),
                    Int::U128Be => Handle::U128(int, real.slot_be()?),
                    Int::U128Le => Handle::U128(int, real.slot_le()?),
                })
            },
            |real| agree(real, model),
        );
        let handle = made.unwrap_or_else(|e| panic!("typed slot {int:?}: {e}"));
        let zero = int.bytes(0);
        handle.fill(real, 0, &zero).expect("it was just made");
        let id = model.slot(&zero);
        self.slots.push((handle, id));
    }

    fn fill(&mut self, b: u8, s: u8, seed: u8, wrong: u8) {
        if self.slots.is_empty() {
            return;
        }
        let (handle, id) = self.slots[usize::from(s) % self.slots.len()];
        let (faults, Pair { real, model, .. }) = self.split(b);
        let value = u128::from(seed) * (u128::MAX / 255);
        let bytes = match &handle {
            Handle::Plain(slot) => pattern(seed, slot.len() + usize::from(wrong)),
            Handle::U8(int, _) | Handle::U16(int, _) | Handle::U32(int, _) => int.bytes(value),
            Handle::U64(int, _) | Handle::U128(int, _) => int.bytes(value),
        };
        shows(real, &handle, model, id);
        let answer = attempt(
            faults,
            real,
            |real| handle.fill(real, value, &bytes),
            |real| agree(real, model),
        );
        let expected = model.fill(id, &bytes);
        let wrong_both_ways = wrong != 0 && expected == Err(Error::SlotGone);
        if !(wrong_both_ways && answer.is_err()) {
            assert_eq!(
                answer,
                expected,
                "filling a slot with {} bytes",
                bytes.len()
            );
        }
        shows(real, &handle, model, id);
    }

    fn book(
        &mut self,
        b: u8,
        [min, max]: [usize; 2],
        seed: u8,
        ack: Amount,
        [vectored, again]: [bool; 2],
    ) {
        let (faults, Pair { real, model, .. }) = self.split(b);
        let call = |real: &mut LinkBuffer<A>, content: Option<&mut Vec<u8>>| {
            if vectored {
                let mut bufs = [IoSliceMut::new(&mut []), IoSliceMut::new(&mut [])];
                let n = real.book_vectored(min, max, &mut bufs)?;
                Ok(put_pattern(
                    bufs[..n].iter_mut().map(|b| &mut **b),
                    seed,
                    content,
                ))
            } else {
                let room = real.book(min, max)?;
                Ok(put_pattern([room].into_iter(), seed, content))
            }
        };
        for _ in 0..=usize::from(again) {
            let answer = attempt(
                faults,
                real,
                |real| call(real, None),
                |real| agree(real, model),
            );
            let booked = match (answer, model.book()) {
                (Err(e), expected) => return assert_eq!(Err(e), expected, "book({min}, {max})"),
                (Ok(n), expected) => {
                    assert_eq!(expected, Ok(()), "book({min}, {max})");
                    n
                }
            };
            // Of no minimum, too, something: a read call into nothing would look like the end of the stream.
            assert!(
                (min.max(1)..=max).contains(&booked),
                "book({min}, {max}) gave {booked} bytes"
            );
            agree(real, model);
        }
        let mut content = Vec::new();
        let booked = call(real, Some(&mut content)).expect("it was just booked");
        let mut n = ack.of(booked);
        if n > booked {
            let refused = real.book_ack(n);
            assert_eq!(refused, Err(Error::BeyondBooked { asked: n, booked }));
            agree(real, model);
            n = booked / 2;
        }
        let answer = attempt(
            faults,
            real,
            |real| real.book_ack(n),
            |real| agree(real, model),
        );
        assert_eq!(answer, Ok(()), "book_ack({n}) of {booked}");
        model.book_ack(&content[..n]);
    }
}

impl Handle {
    fn fill<A: NodeAllocator>(
        &self,
        real: &mut LinkBuffer<A>,
        value: u128,
        bytes: &[u8],
    ) -> Result<(), Error> {
        match self {
            Self::Plain(slot) => real.fill(slot, bytes),
            Self::U8(_, slot) => real.fill_int(slot, value as u8),
            Self::U16(_, slot) => real.fill_int(slot, value as u16),
            Self::U32(_, slot) => real.fill_int(slot, value as u32),
            Self::U64(_, slot) => real.fill_int(slot, value as u64),
            Self::U128(_, slot) => real.fill_int(slot, value),
        }
    }
}

/// What a plain slot shows, or that it is gone, on both sides alike.
fn shows<A: NodeAllocator>(real: &mut LinkBuffer<A>, handle: &Handle, model: &Model, id: SlotId) {
    if let Handle::Plain(slot) = handle {
        let is = real.slot_mut(slot).map(|room| room.to_vec());
        assert_eq!(is, model.slot_bytes(id), "what a slot shows");
    }
}

/// Offers an owned value until it is taken or refused for another reason than memory.
fn offer<A: NodeAllocator, T: AsRef<[u8]>>(
    faults: &dyn Faults,
    real: &mut LinkBuffer<A>,
    model: &Model,
    value: T,
    mut call: impl FnMut(&mut LinkBuffer<A>, T) -> Result<(), Rejected<T>>,
) -> Result<(), Rejected<T>> {
    let mut on = (real, Some(value));
    let answer = attempt(
        faults,
        &mut on,
        |(real, value)| {
            let given = value.take().expect("it came back");
            call(real, given).map_err(|rejected| {
                *value = Some(rejected.value);
                rejected.error
            })
        },
        |(real, _)| agree(real, model),
    );
    answer.map_err(|error| Rejected {
        error,
        value: on.1.take().expect("it came back"),
    })
}

fn put<A: NodeAllocator>(
    a: &mut Appender<'_, A>,
    field: &Field,
    bytes: &[u8],
) -> Result<(), Error> {
    match *field {
        Field::Bytes(..) => a.put(bytes),
        Field::Array4(_) => a.put(bytes.first_chunk::<4>().expect("four bytes")),
        Field::Array12(_) => a.put(bytes.first_chunk::<12>().expect("twelve bytes")),
        Field::Int(int, v) => match int {
            Int::U8 => a.put_u8(v as u8),
            Int::U16Be => a.put_be(v as u16),
            Int::U16Le => a.put_le(v as u16),
            Int::U32Be => a.put_be(v as u32),
            Int::U32Le => a.put_le(v as u32),
            Int::U64Be => a.put_be(v as u64),
            Int::U64Le => a.put_le(v as u64),
            Int::U128Be => a.put_be(v),
            Int::U128Le => a.put_le(v),
        },
    }
}

/// Fills booked rooms in order, tells how large they are, and what is in them where somebody asks.
fn put_pattern<'a>(
    rooms: impl Iterator<Item = &'a mut [u8]>,
    seed: u8,
    content: Option<&mut Vec<u8>>,
) -> usize {
    let Some(content) = content else {
        return rooms.map(|room| room.len()).sum();
    };
    for room in rooms {
        let bytes = pattern(seed.wrapping_add(content.len() as u8), room.len());
        room.copy_from_slice(&bytes);
        content.extend_from_slice(&bytes);
    }
    content.len()
}
