//! Recorded runs: operations and the answers that a known-good buffer gave.
//!
//! A trace is text, one operation a line: `OP ARGS => ANSWER | LEN MALLOC_LEN`, where the two lengths are those of the
//! first-named buffer afterwards (`new` and `close` write them without the bar).
//!
//! | line | meaning |
//! |---|---|
//! | `new B CAP` | buffer B, expecting so many bytes |
//! | `malloc B N SEED` | reserve N bytes and fill them with [`pattern`]`(SEED)` |
//! | `slot B S N`, `fill B S SEED` | reserve N bytes as slot S; fill it |
//! | `ack B N` | keep the first N pending bytes |
//! | `write B N SEED` | write N owned bytes |
//! | `byte B V` | write one byte |
//! | `direct B N SEED REMAIN` | insert N owned bytes before the last REMAIN pending ones |
//! | `append B C` | C moves onto B |
//! | `flush B`, `release B`, `close B` | |
//! | `next B N`, `peek B N`, `readbin B N` | `ok LEN HASH` ([`fnv1a`], hex) or `err` |
//! | `skip B N` | `ok` or `err` |
//! | `readbyte B` | `ok VALUE` or `err` |
//! | `until B DELIM` | `ok LEN HASH` or `err` |
//! | `slice B N C` | C is a view of the next N bytes: `ok LEN` or `err` |

use core::fmt;
use std::collections::HashMap;

use super::model::{fnv1a, pattern};
use crate::{Builder, Error, LinkBuffer, NodeAllocator, Slice, Slot};

/// A recorded run.
///
/// ```
/// use linkbuf_core::{Heap, testing::trace::Trace};
///
/// let trace = Trace::parse("new 0 128 => ok 0 0\n\
///                           write 0 3 97 => ok | 0 3\n\
///                           flush 0 => ok | 3 0\n\
///                           readbyte 0 => ok 97 | 2 0\n").unwrap();
/// trace.replay(&Heap).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Trace {
    lines: Vec<Line>,
}

/// Where a trace can't be read, or a buffer answers otherwise.
///
/// ```
/// use linkbuf_core::{Heap, testing::trace::Trace};
///
/// let trace = Trace::parse("new 0 0 => ok 0 0\nreadbyte 0 => ok 5 | 0 0").unwrap();
/// let parted = trace.replay(&Heap).unwrap_err();
/// assert_eq!(parted.line, 2);
/// assert_eq!(parted.to_string(), "line 2, `readbyte 0`: `err | 0 0` instead of `ok 5 | 0 0`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parted {
    /// The line, counted from 1.
    pub line: usize,
    /// The operation as it stands there.
    pub op: String,
    /// What is wrong.
    pub what: String,
}

#[derive(Clone, Debug)]
struct Line {
    number: usize,
    verb: String,
    args: Vec<usize>,
    answer: String,
}

impl fmt::Display for Parted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, `{}`: {}", self.line, self.op, self.what)
    }
}

impl core::error::Error for Parted {}

impl Trace {
    /// Reads a trace. Empty lines are skipped.
    ///
    /// # Errors
    /// [`Parted`] with the first line that is no operation with numbers, or has no answer.
    pub fn parse(text: &str) -> Result<Self, Parted> {
        let mut lines = Vec::new();
        for (line, i) in text
            .lines()
            .zip(1..)
            .filter(|(line, _)| !line.trim().is_empty())
        {
            let parted = |what: &str| Parted {
                line: i,
                op: line.to_owned(),
                what: what.to_owned(),
            };
            let (op, answer) = line.split_once(" => ").ok_or_else(|| parted("no answer"))?;
            let mut words = op.split_whitespace();
            let verb = words
                .next()
                .ok_or_else(|| parted("no operation"))?
                .to_owned();
            let args: Result<Vec<_>, _> = words.map(str::parse).collect();
            lines.push(Line {
                number: i,
                verb,
                args: args.map_err(|_| parted("an argument is no number"))?,
                answer: answer.trim_end().to_owned(),
            });
        }
        Ok(Self { lines })
    }

    /// Number of operations.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Does the operations with buffers over `alloc` and compares every answer.
    ///
    /// # Errors
    /// [`Parted`] with the first line that was answered otherwise, or that makes no sense.
    pub fn replay<A: NodeAllocator>(&self, alloc: &A) -> Result<(), Parted> {
        let mut stage = Stage {
            alloc,
            sides: HashMap::new(),
            slots: HashMap::new(),
        };
        for line in &self.lines {
            let told = match stage.act(&line.verb, &line.args) {
                None => "no such operation, buffer or slot".to_owned(),
                Some(is) if is == line.answer => continue,
                Some(is) => format!("`{is}` instead of `{}`", line.answer),
            };
            let args = line.args.iter().map(|n| format!(" {n}"));
            return Err(Parted {
                line: line.number,
                op: line.verb.clone() + &args.collect::<String>(),
                what: told,
            });
        }
        Ok(())
    }
}

/// The buffers and views of a run, by number.
struct Stage<'a, A: NodeAllocator> {
    alloc: &'a A,
    sides: HashMap<usize, Side<A>>,
    slots: HashMap<usize, Slot>,
}

/// A buffer, or what `slice` made of one: it answers the reading operations only.
#[expect(
    clippy::large_enum_variant,
    reason = "a few of them, and not moved about"
)]
enum Side<A: NodeAllocator> {
    Buffer(LinkBuffer<A>),
    View(Slice),
}

/// The words after the `ok`.
type Answer = Result<String, Error>;

impl<A: NodeAllocator> Stage<'_, A> {
    /// The whole right side of the line; `None` if the operation makes no sense here.
    fn act(&mut self, verb: &str, args: &[usize]) -> Option<String> {
        let &[on, ref rest @ ..] = args else {
            return None;
        };
        match (verb, rest) {
            ("new", &[capacity]) => {
                let builder = Builder::new_in(self.alloc.clone());
                let buffer = match capacity {
                    0 => builder.build(),
                    _ => builder.node_size(capacity).build(),
                };
                self.sides.insert(on, Side::Buffer(buffer));
                return Some("ok 0 0".to_owned());
            }
            ("close", []) => {
                self.sides.remove(&on)?;
                return Some("ok 0 0".to_owned());
            }
            _ => {}
        }
        let answer = match verb {
            "append" => self.append(on, rest)?,
            "slice" => self.slice(on, rest)?,
            "slot" | "fill" => self.slot(verb, on, rest)?,
            _ => match self.sides.get_mut(&on)? {
                Side::Buffer(buffer) => {
                    write(buffer, verb, rest).or_else(|| read(buffer, verb, rest))?
                }
                Side::View(view) => look(view, verb, rest)?,
            },
        };
        let (len, pending) = match self.sides.get(&on)? {
            Side::Buffer(buffer) => (buffer.len(), buffer.malloc_len()),
            Side::View(view) => (view.len(), 0),
        };
        Some(match answer {
            Ok(words) if words.is_empty() => format!("ok | {len} {pending}"),
            Ok(words) => format!("ok {words} | {len} {pending}"),
            Err(_) => format!("err | {len} {pending}"),
        })
    }

    fn append(&mut self, on: usize, args: &[usize]) -> Option<Answer> {
        let other = self.sides.remove(args.first()?)?;
        let Side::Buffer(buffer) = self.sides.get_mut(&on)? else {
            return None;
        };
        Some(match other {
            Side::Buffer(other) => told(buffer.append(other).map_err(Error::from)),
            Side::View(view) => told(buffer.append_slice(view).map_err(Error::from)),
        })
    }

    fn slice(&mut self, on: usize, args: &[usize]) -> Option<Answer> {
        let &[n, name] = args else { return None };
        let cut = match self.sides.get_mut(&on)? {
            Side::Buffer(buffer) => buffer.slice(n),
            Side::View(view) => view.split_to(n),
        };
        Some(cut.map(|view| {
            let len = view.len().to_string();
            self.sides.insert(name, Side::View(view));
            len
        }))
    }

    fn slot(&mut self, verb: &str, on: usize, args: &[usize]) -> Option<Answer> {
        let Side::Buffer(buffer) = self.sides.get_mut(&on)? else {
            return None;
        };
        match (verb, args) {
            ("slot", &[name, n]) => Some(buffer.slot(n).map(|slot| {
                self.slots.insert(name, slot);
                String::new()
            })),
            ("fill", &[name, seed]) => {
                let slot = self.slots.get(&name)?;
                Some(told(buffer.fill(slot, &fill(seed, slot.len()))))
            }
            _ => None,
        }
    }
}

fn write<A: NodeAllocator>(
    buffer: &mut LinkBuffer<A>,
    verb: &str,
    args: &[usize],
) -> Option<Answer> {
    Some(told(match (verb, args) {
        ("malloc", &[n, seed]) => buffer
            .malloc(n)
            .map(|room| room.copy_from_slice(&fill(seed, n))),
        ("ack", &[n]) => buffer.malloc_ack(n),
        ("write", &[n, seed]) => buffer.write_owned(fill(seed, n)).map_err(Error::from),
        ("byte", &[value]) => buffer.write_byte(low_byte(value)),
        ("direct", &[n, seed, remain]) => buffer
            .write_direct(fill(seed, n), remain)
            .map_err(Error::from),
        ("flush", []) => {
            buffer.flush();
            Ok(())
        }
        ("release", []) => {
            buffer.release();
            Ok(())
        }
        _ => return None,
    }))
}

fn read<A: NodeAllocator>(
    buffer: &mut LinkBuffer<A>,
    verb: &str,
    args: &[usize],
) -> Option<Answer> {
    Some(match (verb, args) {
        ("next", &[n]) => buffer.next(n).map(|bytes| hashed([bytes])),
        ("peek", &[n]) => buffer.peek(n).map(|bytes| hashed([bytes])),
        ("readbin", &[n]) => buffer.read_binary(n).map(|bytes| hashed([&bytes[..]])),
        ("skip", &[n]) => told(buffer.skip(n)),
        ("readbyte", []) => buffer.read_byte().map(|byte| byte.to_string()),
        ("until", &[delim]) => buffer.until(low_byte(delim)).map(|bytes| hashed([bytes])),
        _ => return None,
    })
}

/// The reading operations in a slice's own verbs.
fn look(view: &mut Slice, verb: &str, args: &[usize]) -> Option<Answer> {
    Some(match (verb, args) {
        ("next" | "readbin", &[n]) => view.split_to(n).map(|part| hashed(part.chunks())),
        ("peek", &[n]) => view.slice(..n).map(|part| hashed(part.chunks())),
        ("skip", &[n]) => told(view.skip(n)),
        ("readbyte", []) => view
            .split_to(1)
            .map(|part| part.chunks().flatten().map(u8::to_string).collect()),
        ("until", &[delim]) => {
            let readable = view.len();
            let at = view
                .chunks()
                .flatten()
                .position(|byte| *byte == low_byte(delim));
            let found = at.ok_or(Error::NotFound { readable });
            found
                .and_then(|at| view.split_to(at + 1))
                .map(|part| hashed(part.chunks()))
        }
        ("release", []) => Ok(String::new()),
        _ => return None,
    })
}

fn told(answer: Result<(), Error>) -> Answer {
    answer.map(|()| String::new())
}

fn hashed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut len = 0;
    let hash = fnv1a(pieces.into_iter().inspect(|piece| len += piece.len()));
    format!("{len} {hash:016x}")
}

fn fill(seed: usize, n: usize) -> Vec<u8> {
    pattern(low_byte(seed), n)
}

fn low_byte(n: usize) -> u8 {
    n.to_le_bytes()[0]
}
