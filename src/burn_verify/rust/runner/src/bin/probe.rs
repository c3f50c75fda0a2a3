//! A runner without models: it can say which backends start here.

use std::io;

fn main() -> io::Result<()> {
    runner::serve(&runner::Registry::default())
}
