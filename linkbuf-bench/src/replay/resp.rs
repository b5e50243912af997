//! RESP, the protocol of redis: cut from a contender's input, and the headers that are written again.
//!
//! One parser for all contenders, so that all do the same work. It never starts a message again: an element that isn't
//! there whole stays in the input, the elements before it are in the message already.

use std::fmt;

/// The bytes aren't RESP.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotResp(&'static str);

impl fmt::Display for NotResp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not RESP: {}", self.0)
    }
}

/// A line that is no header of anything, with its type byte and without its end: `+OK`.
///
/// Nearly all are a few bytes long, so they stand in place; a slice of its own would cost more than the copy.
pub(super) enum Line {
    Short { len: u8, bytes: [u8; Line::SHORT] },
    Long(Box<[u8]>),
}

impl Line {
    const SHORT: usize = 22;

    fn new(line: &[u8]) -> Self {
        match u8::try_from(line.len()) {
            Ok(len) if line.len() <= Self::SHORT => {
                let mut bytes = [0; Self::SHORT];
                bytes[..line.len()].copy_from_slice(line);
                Self::Short { len, bytes }
            }
            _ => Self::Long(line.into()),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { len, bytes } => &bytes[..usize::from(*len)],
            Self::Long(bytes) => bytes,
        }
    }
}

/// One element of a message. `V` is the contender's slice.
pub(super) enum Element<V> {
    /// So many elements follow. Negative: no array.
    Array(i64),
    /// A value.
    Bulk(V),
    /// No value: `$-1`.
    NoBulk,
    /// A number.
    Integer(i64),
    /// Anything else.
    Line(Line),
}

/// What a contender's input does for the parser.
pub(super) trait Source {
    type Value;

    /// Consumes the next line and hands it, without its end, to `read`. `None`, and nothing consumed, if its end
    /// isn't there yet.
    fn line<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Option<R>;

    /// Cuts off a value of `len` bytes, and consumes the two after it, which are returned too. `None`, and nothing
    /// consumed, if not all is there yet.
    fn value(&mut self, len: usize) -> Option<(Self::Value, [u8; 2])>;
}

/// Where a stream stands between two elements.
#[derive(Default)]
pub(super) struct Parser {
    /// Elements that the message still lacks; 0 between messages.
    lacking: u64,
    /// The value whose header was read, and which isn't there whole.
    value: Option<usize>,
}

impl Parser {
    /// Whether it stands between two messages.
    pub(super) fn is_idle(&self) -> bool {
        self.lacking == 0
    }

    /// Bytes that have to be in the input before [`Self::message`] can get on, as far as that is known.
    pub(super) fn wants(&self) -> usize {
        self.value.map_or(0, |len| len + 2)
    }

    /// Adds elements to `message` until it is whole (`true`) or the input has no whole element left.
    pub(super) fn message<S: Source>(
        &mut self,
        source: &mut S,
        message: &mut Vec<Element<S::Value>>,
    ) -> Result<bool, NotResp> {
        self.lacking = self.lacking.max(1);
        while self.lacking > 0 {
            if self.value.is_none() {
                let Some(header) = source.line(Header::parse) else {
                    // Nothing of a message was seen: it has not begun.
                    if message.is_empty() {
                        self.lacking = 0;
                    }
                    return Ok(false);
                };
                match header? {
                    Header::Value(len) => self.value = Some(len),
                    Header::Whole(element) => {
                        if let Element::Array(n) = element {
                            self.lacking += u64::try_from(n).unwrap_or(0);
                        }
                        message.push(element.of());
                    }
                }
            }
            if let Some(len) = self.value {
                let Some((value, end)) = source.value(len) else {
                    return Ok(false);
                };
                if end != *b"\r\n" {
                    return Err(NotResp("a value is longer than its header says"));
                }
                self.value = None;
                message.push(Element::Bulk(value));
            }
            self.lacking -= 1;
        }
        Ok(true)
    }
}

/// No value stands in an element that is whole when its line was read.
enum Never {}

impl Element<Never> {
    fn of<V>(self) -> Element<V> {
        match self {
            Self::Array(n) => Element::Array(n),
            Self::NoBulk => Element::NoBulk,
            Self::Integer(n) => Element::Integer(n),
            Self::Line(line) => Element::Line(line),
            Self::Bulk(never) => match never {},
        }
    }
}

enum Header {
    /// The header of a value of so many bytes.
    Value(usize),
    Whole(Element<Never>),
}

impl Header {
    fn parse(line: &[u8]) -> Result<Self, NotResp> {
        let (&kind, rest) = line.split_first().ok_or(NotResp("an empty line"))?;
        Ok(match kind {
            b'$' => match number(rest)? {
                -1 => Self::Whole(Element::NoBulk),
                len => Self::Value(
                    usize::try_from(len).map_err(|_| NotResp("a value of negative length"))?,
                ),
            },
            b'*' => Self::Whole(Element::Array(number(rest)?)),
            b':' => Self::Whole(Element::Integer(number(rest)?)),
            b'+' | b'-' => Self::Whole(Element::Line(Line::new(line))),
            _ => return Err(NotResp("an unknown type")),
        })
    }
}

fn number(digits: &[u8]) -> Result<i64, NotResp> {
    let wrong = NotResp("no number where one has to be");
    let (sign, digits) = match digits {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    // 18 digits always fit.
    if digits.is_empty() || digits.len() > 18 {
        return Err(wrong);
    }
    let mut n = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return Err(wrong);
        }
        n = n * 10 + i64::from(digit - b'0');
    }
    Ok(sign * n)
}

/// A header, as it is written: type, number, end.
pub(super) struct Written {
    bytes: [u8; 24],
    from: usize,
}

impl Written {
    #[inline]
    pub(super) fn new(kind: u8, n: i64) -> Self {
        // From the right: the end, the digits, the sign, the type. 20 digits and a sign never fill it.
        let mut bytes = [0; 24];
        bytes[22] = b'\r';
        bytes[23] = b'\n';
        let mut from = 22;
        let mut left = n.unsigned_abs();
        loop {
            from -= 1;
            bytes[from] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        if n < 0 {
            from -= 1;
            bytes[from] = b'-';
        }
        from -= 1;
        bytes[from] = kind;
        Self { bytes, from }
    }

    /// The header of a value of `len` bytes.
    #[inline]
    pub(super) fn value(len: usize) -> Self {
        Self::new(b'$', i64::try_from(len).unwrap_or(i64::MAX))
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.from..]
    }
}

/// Writes anything but a value through `put`.
#[inline]
pub(super) fn write_element<V>(element: &Element<V>, mut put: impl FnMut(&[u8])) {
    match element {
        Element::Array(n) => put(Written::new(b'*', *n).as_bytes()),
        Element::Integer(n) => put(Written::new(b':', *n).as_bytes()),
        Element::NoBulk => put(b"$-1\r\n"),
        Element::Line(line) => {
            put(line.as_bytes());
            put(b"\r\n");
        }
        Element::Bulk(_) => {}
    }
}

/// Whole messages in `bytes`, which have to end with one.
pub(super) fn count_messages(bytes: &[u8]) -> Result<u64, NotResp> {
    let mut source = bytes;
    let mut parser = Parser::default();
    let mut message = Vec::new();
    let mut messages = 0;
    while parser.message(&mut source, &mut message)? {
        message.clear();
        messages += 1;
    }
    if source.is_empty() && parser.is_idle() {
        Ok(messages)
    } else {
        Err(NotResp("it ends inside of a message"))
    }
}

/// The plainest input: bytes that are all there. Its values are their lengths.
impl Source for &[u8] {
    type Value = usize;

    fn line<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let end = self.windows(2).position(|pair| pair == b"\r\n")?;
        let (line, rest) = self.split_at(end);
        *self = &rest[2..];
        Some(read(line))
    }

    fn value(&mut self, len: usize) -> Option<(usize, [u8; 2])> {
        let rest = self.get(len..)?;
        let (end, rest) = rest.split_first_chunk()?;
        *self = rest;
        Some((len, *end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(n: i64) -> Vec<u8> {
        Written::new(b':', n).as_bytes().to_vec()
    }

    #[test]
    fn headers_are_written_as_they_were_read() {
        for n in [0, 7, 10, 3_000, -1, 999_999_999_999_999_999] {
            let line = written(n);
            assert_eq!(line, format!(":{n}\r\n").as_bytes());
            assert_eq!(number(&line[1..line.len() - 2]), Ok(n));
        }
        assert_eq!(written(i64::MIN), format!(":{}\r\n", i64::MIN).as_bytes());
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for digits in ["", "-", "1x", "+1", " 1", "1234567890123456789"] {
            assert!(number(digits.as_bytes()).is_err(), "{digits:?}");
        }
    }

    #[test]
    fn messages_are_counted_and_a_cut_one_is_refused() {
        let whole =
            b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n$-1\r\n:12\r\n*0\r\n*-1\r\n+OK\r\n*1\r\n*1\r\n:1\r\n";
        assert_eq!(count_messages(whole), Ok(7));
        for len in 1..20 {
            assert!(count_messages(&whole[..len]).is_err(), "{len} bytes");
        }
        assert!(count_messages(b"$1\r\nab\r\n").is_err());
        assert!(count_messages(b"!\r\n").is_err());
    }
}
