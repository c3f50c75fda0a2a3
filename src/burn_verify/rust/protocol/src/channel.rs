//! Length-prefixed frames: two little-endian lengths, a JSON header, a payload.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::fd::FromRawFd;
use std::process;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Raised with every change of the frames or of the requests, so that a stale binary is told at once.
pub const VERSION: u32 = 2;

/// A header longer than this is a broken peer, not a request.
const MAX_HEADER: u32 = 1 << 20;

/// A header still in JSON, and its payload.
type Frame = (Vec<u8>, Vec<u8>);

/// The only way in and out of the process.
pub struct Channel {
    frames: Receiver<io::Result<Frame>>,
    writer: File,
}

impl Channel {
    /// Takes stdout for the protocol, sends everything else that is printed there to stderr, and shakes hands.
    ///
    /// burn-onnx logs to stdout and generated code may print: after this, neither can break a frame.
    ///
    /// Stdin is read on a thread of its own, which ends the process when stdin closes: a model that hangs does not
    /// outlive whoever asked for it.
    ///
    /// # Errors
    /// When the descriptors cannot be rearranged, or nobody listens.
    pub fn open(role: &str) -> io::Result<Self> {
        let writer = claim_stdout()?;
        let (frames_in, frames) = sync_channel(0);
        thread::Builder::new().name("stdin".into()).spawn(move || {
            let mut reader = BufReader::new(io::stdin());
            loop {
                match read_frame(&mut reader) {
                    Ok(None) => process::exit(0),
                    Ok(Some(frame)) => drop(frames_in.send(Ok(frame))),
                    Err(error) => return drop(frames_in.send(Err(error))),
                }
            }
        })?;
        let mut channel = Self { frames, writer };
        channel.send(&json!({ "protocol": VERSION, "role": role }), &[])?;
        Ok(channel)
    }

    /// Waits for a request.
    ///
    /// # Errors
    /// When the stream broke inside a frame, or the header is not the request that was expected.
    pub fn receive<Request: DeserializeOwned>(&mut self) -> io::Result<(Request, Vec<u8>)> {
        let (header, payload) = self.frames.recv().map_err(io::Error::other)??;
        Ok((serde_json::from_slice(&header)?, payload))
    }

    /// Answers with a header and a payload.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub fn send(&mut self, header: &impl Serialize, payload: &[u8]) -> io::Result<()> {
        let header = serde_json::to_vec(header)?;
        self.writer.write_all(&(header.len() as u32).to_le_bytes())?;
        self.writer.write_all(&(payload.len() as u64).to_le_bytes())?;
        self.writer.write_all(&header)?;
        self.writer.write_all(payload)?;
        self.writer.flush()
    }
}

/// Reads one frame, or `None` when the stream ends exactly between two.
fn read_frame(reader: &mut impl Read) -> io::Result<Option<Frame>> {
    let Some(prefix) = read_prefix(reader)? else { return Ok(None) };
    let header_len = u32::from_le_bytes(prefix[..4].try_into().expect("four bytes"));
    let payload_len = u64::from_le_bytes(prefix[4..].try_into().expect("eight bytes"));
    if header_len > MAX_HEADER {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a header beyond all reason"));
    }
    let mut header = vec![0; header_len as usize];
    reader.read_exact(&mut header)?;
    let mut payload = Vec::new();
    let read = reader.take(payload_len).read_to_end(&mut payload)?;
    if read as u64 != payload_len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some((header, payload)))
}

fn read_prefix(reader: &mut impl Read) -> io::Result<Option<[u8; 12]>> {
    let mut prefix = [0; 12];
    let mut filled = 0;
    while filled < prefix.len() {
        match reader.read(&mut prefix[filled..])? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    Ok(Some(prefix))
}

/// Keeps a private copy of file descriptor 1 and makes 1 a second stderr.
fn claim_stdout() -> io::Result<File> {
    // SAFETY: plain descriptor calls; the new descriptor is owned by the returned `File` alone.
    unsafe {
        let private = libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 3);
        if private < 0 || libc::dup2(2, 1) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(File::from_raw_fd(private))
    }
}
