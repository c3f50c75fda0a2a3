//! Length-prefixed frames: two little-endian lengths, a JSON header, a payload.

use std::io::{self, Read, Write};
use std::process;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// As of the other runners.
pub const VERSION: u32 = 2;

/// A header longer than this is a broken peer, not a request.
const MAX_HEADER: usize = 1 << 20;

/// The only way in and out of the instance.
pub struct Channel {}

impl Channel {
    /// Shakes hands. Whatever ends the instance closes its streams: nothing has to watch them.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn open(role: &str) -> io::Result<Self> {
        let mut channel = Self {};
        channel.send(&json!({ "protocol": VERSION, "role": role }), &[])?;
        Ok(channel)
    }

    /// Waits for a request; where the stream ends between two, the instance ends.
    ///
    /// # Errors
    /// When the stream broke inside a frame, or the header is not the request that was expected.
    pub fn receive<Request: DeserializeOwned>(&mut self) -> io::Result<(Request, Vec<u8>)> {
        let mut stdin = io::stdin().lock();
        let mut prefix = [0; 12];
        if stdin.read(&mut prefix[..1])? == 0 {
            process::exit(0);
        }
        stdin.read_exact(&mut prefix[1..])?;
        let header = u32::from_le_bytes(prefix[..4].try_into().expect("four bytes")) as usize;
        let payload = u64::from_le_bytes(prefix[4..].try_into().expect("eight bytes"));
        if header > MAX_HEADER {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a header beyond all reason"));
        }
        let mut header = vec![0; header];
        stdin.read_exact(&mut header)?;
        let payload = usize::try_from(payload).map_err(io::Error::other)?;
        let mut data = vec![0; payload];
        stdin.read_exact(&mut data)?;
        Ok((serde_json::from_slice(&header)?, data))
    }

    /// Answers with a header and a payload.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub fn send(&mut self, header: &impl Serialize, payload: &[u8]) -> io::Result<()> {
        let header = serde_json::to_vec(header)?;
        let mut stdout = io::stdout().lock();
        stdout.write_all(&(header.len() as u32).to_le_bytes())?;
        stdout.write_all(&(payload.len() as u64).to_le_bytes())?;
        stdout.write_all(&header)?;
        stdout.write_all(payload)?;
        stdout.flush()
    }
}
