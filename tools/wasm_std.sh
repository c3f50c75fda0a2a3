#!/usr/bin/env bash
# Makes a rustc with a standard library for wasm32-wasip1 where `rustup target add wasm32-wasip1` has no network: from
# Debian's packages (Debian 12 or newer), without installing any. Two minutes on two cores; needs cargo, apt-get, dpkg,
# and the packages lld and libllvm22 installed.
#
# usage: tools/wasm_std.sh DIR
#
# DIR must not exist. Prints the line that lets burn-verify use it.
set -euo pipefail

if [ $# -ne 1 ] || [ "$1" = -h ] || [ "$1" = --help ]; then
    sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    [ "${1:-}" = -h ] || [ "${1:-}" = --help ] || exit 4
    exit 0
fi
[ ! -e "$1" ] || { echo "wasm_std.sh: $1 exists" >&2; exit 4; }
for program in cargo apt-get apt-cache dpkg lld; do
    command -v "$program" >/dev/null || { echo "wasm_std.sh: $program was not found" >&2; exit 4; }
done
mkdir -p "$1"
folder=$(cd "$1" && pwd)
platform=wasm32-wasip1
host=$(uname -m)-unknown-linux-gnu

cd "$folder"
driver=$(apt-cache depends libstd-rust-web-dev | sed -n 's/.*Depends: \(libstd-rust-web-[0-9.]*\)$/\1/p' | tail -n 1)
apt-get download -qq rustc-web "$driver" libstd-rust-web-dev rust-web-src wasi-libc
for package in ./*.deb; do
    dpkg -x "$package" debian
    rm "$package"
done
usr=$folder/debian/usr
sources=$(echo "$usr"/src/rustc-*/library)
mkdir -p "$usr/lib/rustlib/src/rust"
[ -e "$usr/lib/rustlib/src/rust/library" ] || ln -sfn "$sources" "$usr/lib/rustlib/src/rust/library"

# rustc looks for its standard libraries below --sysroot.
sysroot=$folder/sysroot/lib/rustlib
mkdir -p "$sysroot/$host/bin" "$sysroot/$platform/lib/self-contained"
ln -s "$usr/lib/rustlib/src" "$sysroot/src"
ln -s "$usr/lib/rustlib/$host/lib" "$sysroot/$host/lib"
ln -s "$(command -v lld)" "$sysroot/$host/bin/rust-lld"
cp "$usr"/lib/wasm32-wasi/crt1*.o "$usr/lib/wasm32-wasi/libc.a" "$sysroot/$platform/lib/self-contained/"
cat >rustc <<END
#!/bin/sh
LD_LIBRARY_PATH=$(echo "$usr"/lib/*-linux-gnu) exec "$usr/bin/rustc" --sysroot "$folder/sysroot" "\$@"
END
chmod +x rustc

mkdir standard
cat >standard/Cargo.toml <<'END'
[package]
name = "standard"
edition = "2024"

[[bin]]
name = "standard"
path = "standard.rs"

[profile.release]
panic = "abort"
END
echo 'fn main() {}' >standard/standard.rs
# What Debian's rustc is given is unstable by name only: its own standard library.
(
    cd standard
    RUSTC_BOOTSTRAP=1 RUSTC=$folder/rustc cargo build --quiet --release --target "$platform" -Z build-std=std,panic_abort
)
cp standard/target/"$platform"/release/deps/*.rlib "$sysroot/$platform/lib/"
rm -r standard/target
(cd standard && "$folder/rustc" --edition 2024 --target "$platform" standard.rs -o /dev/null)
echo "export BURN_VERIFY_WASM_RUSTC=$folder/rustc"
