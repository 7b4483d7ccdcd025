//! Verb `image-id`: the digest that names a program.

use std::borrow::Cow;

use anyhow::Context;
use elf::abi::PT_LOAD;
use elf::endian::LittleEndian;
use elf::ElfBytes;
use risc0_binfmt::{AbiKind, ProgramBinary};
use risc0_zkos_v1compat::V1COMPAT_ELF;
use risc0_zkvm::Digest;
use serde_json::json;

use crate::ask::{Ask, Hex, Reply};
use crate::error::HostError;
use crate::panics;

/// What the segments of a program file may fill.
const MEMORY: u64 = 64 << 20;

/// Return the image id of a program (an ELF file or a blob).
pub fn run(ask: &Ask<'_>) -> Result<Reply, HostError> {
    let [program] = ask.parts()?;
    let (_, id) = load(program)?;
    Ok(Reply::new(&json!({"image_id": id.to_string()}), vec![]))
}

/// Return the program as a blob, with its image id; a bare ELF file gets the standard kernel.
pub fn load(program: &[u8]) -> Result<(Cow<'_, [u8]>, Digest), HostError> {
    let blob = match program {
        [] => return Err(HostError::BadProgram("it is empty".into())),
        [0x7f, b'E', b'L', b'F', ..] => {
            Cow::Owned(ProgramBinary::new(program, V1COMPAT_ELF).encode())
        }
        [b'R', b'0', b'B', b'F', ..] => Cow::Borrowed(program),
        _ => return Err(HostError::BadProgram("neither an ELF file nor a program blob".into())),
    };
    let id = panics::guard(|| compute(&blob))
        .map_err(HostError::BadProgram)?
        .map_err(|error| HostError::BadProgram(format!("{error:#}")))?;
    Ok((blob, id))
}

/// Return the program as `load` does; refuse one that is not the one that was named.
pub fn load_as(program: &[u8], wanted: Option<Hex>) -> Result<(Cow<'_, [u8]>, Digest), HostError> {
    let (blob, id) = load(program)?;
    match wanted {
        Some(Hex(wanted)) if wanted != id => {
            Err(HostError::ImageMismatch(id.to_string(), wanted.to_string()))
        }
        _ => Ok((blob, id)),
    }
}

fn compute(blob: &[u8]) -> anyhow::Result<Digest> {
    let binary = ProgramBinary::decode(blob)?;
    for file in [binary.user_elf, binary.kernel_elf] {
        check_memory(file)?;
    }
    let version = &binary.header.abi_version;
    anyhow::ensure!(
        binary.header.abi_kind == AbiKind::V1Compat && version.major == 1,
        "its ABI is {:?} {version}",
        binary.header.abi_kind
    );
    binary.compute_image_id()
}

/// Refuse a program whose file asks for more memory than any real one: loading it takes a word
/// at a time, and a header may name gigabytes.
fn check_memory(file: &[u8]) -> anyhow::Result<()> {
    let parsed = ElfBytes::<LittleEndian>::minimal_parse(file)
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let segments = parsed.segments().context("it has no segment table")?;
    let loaded = segments.iter().filter(|segment| segment.p_type == PT_LOAD);
    let bytes = loaded.fold(0u64, |sum, segment| sum.saturating_add(segment.p_memsz));
    anyhow::ensure!(bytes <= MEMORY, "it fills {bytes} bytes of memory, the limit is {MEMORY}");
    Ok(())
}
