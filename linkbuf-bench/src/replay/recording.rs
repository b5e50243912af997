//! The recordings in `data/`, and their format.

use super::resp;

/// Bytes that arrived at once.
///
/// ```
/// let recording = &linkbuf_bench::replay::Recording::all()[0];
/// let chunk = recording.chunks().next().unwrap();
/// assert!(chunk.bytes.starts_with(b"*3\r\n$6\r\nCONFIG\r\n"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Which direction of which connection, from 0 on without a gap.
    pub stream: usize,
    /// What arrived.
    pub bytes: &'a [u8],
}

/// A recording, cut into its chunks.
///
/// ```
/// use linkbuf_bench::replay::Recording;
///
/// // Direction 0, connection 7, 7 bytes; then direction 1, 5 bytes.
/// let file = b"\x00\x07\x00\x07\x00\x00\x00PING\r\n\x01\x07\x00\x05\x00\x00\x00+OK\r\n";
/// assert!(Recording::parse("x", "", file).is_err(), "7 bytes were promised, and 6 are there");
///
/// let file = b"\x00\x07\x00\x04\x00\x00\x00*0\r\n\x01\x07\x00\x05\x00\x00\x00+OK\r\n";
/// let recording = Recording::parse("x", "", file).unwrap();
/// assert_eq!((recording.streams(), recording.bytes(), recording.messages()), (2, 9, 2));
/// ```
#[derive(Debug)]
pub struct Recording {
    /// The scenario's id.
    pub id: &'static str,
    /// What was recorded.
    pub title: &'static str,
    file: &'static [u8],
    /// Stream, and place in `file`.
    chunks: Vec<(usize, std::ops::Range<usize>)>,
    streams: usize,
    bytes: u64,
    messages: u64,
}

impl Recording {
    /// The three that come with this crate.
    pub fn all() -> Vec<Self> {
        let files: [(_, _, &'static [u8]); 3] = [
            (
                "replay-small",
                "redis, 4 connections, pipeline 16, values of 64 B",
                include_bytes!("../../data/small.rec"),
            ),
            (
                "replay-mixed",
                "redis, 4 connections, pipeline 4, values of 3,000 B",
                include_bytes!("../../data/mixed.rec"),
            ),
            (
                "replay-large",
                "redis, 2 connections, values of 100,000 B",
                include_bytes!("../../data/large.rec"),
            ),
        ];
        files
            .map(|(id, title, file)| {
                Self::parse(id, title, file).expect("the recordings of this crate are whole")
            })
            .into()
    }

    /// Cuts a file into its chunks, and counts the messages in them.
    ///
    /// # Errors
    /// Where the file ends inside of a record, or isn't RESP.
    pub fn parse(
        id: &'static str,
        title: &'static str,
        file: &'static [u8],
    ) -> Result<Self, String> {
        let mut chunks = Vec::new();
        // (direction, connection) of every stream, in order of appearance.
        let mut streams: Vec<(u8, u16)> = Vec::new();
        let mut at = 0;
        while at < file.len() {
            let cut = || format!("the record at byte {at} is cut off");
            let head: [u8; 7] = *file[at..].first_chunk().ok_or_else(cut)?;
            let [direction, c0, c1, l0, l1, l2, l3] = head;
            let key = (direction, u16::from_le_bytes([c0, c1]));
            let len = u32::from_le_bytes([l0, l1, l2, l3]);
            let start = at + head.len();
            let end = start + usize::try_from(len).map_err(|_| cut())?;
            if end > file.len() {
                return Err(cut());
            }
            let stream = streams.iter().position(|&s| s == key).unwrap_or_else(|| {
                streams.push(key);
                streams.len() - 1
            });
            chunks.push((stream, start..end));
            at = end;
        }
        let mut recording = Self {
            id,
            title,
            file,
            bytes: chunks.iter().map(|(_, at)| at.len() as u64).sum(),
            chunks,
            streams: streams.len(),
            messages: 0,
        };
        for stream in recording.by_stream() {
            recording.messages += resp::count_messages(&stream).map_err(|e| e.to_string())?;
        }
        Ok(recording)
    }

    /// The chunks, in order of arrival.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk<'_>> {
        self.chunks.iter().map(|(stream, at)| Chunk {
            stream: *stream,
            bytes: &self.file[at.clone()],
        })
    }

    /// How many directions of connections there are.
    pub fn streams(&self) -> usize {
        self.streams
    }

    /// Bytes of traffic.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whole messages in it.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// All bytes of each stream, in one piece. Copies.
    pub fn by_stream(&self) -> Vec<Vec<u8>> {
        let mut streams = vec![Vec::new(); self.streams];
        for chunk in self.chunks() {
            streams[chunk.stream].extend_from_slice(chunk.bytes);
        }
        streams
    }
}
