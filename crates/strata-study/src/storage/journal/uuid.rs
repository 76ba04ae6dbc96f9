//! Names that no other process has.

use jiff::Timestamp;

/// A random UUID of version 4.
pub(super) fn uuid() -> String {
    let mut bytes = [0_u8; 16];
    // Without random numbers of the system the process still differs from others, which is all that is asked.
    if getrandom::fill(&mut bytes).is_err() {
        let now = Timestamp::now().as_nanosecond() as u64;
        bytes[..8].copy_from_slice(&now.to_le_bytes());
        bytes[8..12].copy_from_slice(&std::process::id().to_le_bytes());
    }
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let (a, b, c, d, e) = (
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    );
    format!("{a}-{b}-{c}-{d}-{e}")
}
