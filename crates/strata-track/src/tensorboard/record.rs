//! Records: how messages follow each other in a file, as in TensorFlow's `TFRecord`.
//!
//! Length (u64, little-endian), masked CRC-32C of the eight bytes of the length (u32), message, masked
//! CRC-32C of the message (u32).

use prost::Message;

/// Bytes before the message.
pub(super) const HEADER: usize = 12;

/// The checksum of `bytes`; masked, because a checksum of data that hold their own checksum says nothing
/// (`tensorflow/core/lib/hash/crc32c.h`).
pub(super) fn masked_crc32c(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

/// Appends the record of `message` to `records`.
pub(super) fn encode(message: &impl Message, records: &mut Vec<u8>) {
    let length = message.encoded_len();
    records.reserve(HEADER + length + 4);
    let length = (length as u64).to_le_bytes();
    records.extend_from_slice(&length);
    records.extend_from_slice(&masked_crc32c(&length).to_le_bytes());
    let start = records.len();
    message
        .encode(records)
        .expect("a vector grows to what is needed");
    let checksum = masked_crc32c(&records[start..]);
    records.extend_from_slice(&checksum.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        // RFC 3720, B.4: 32 bytes of zeros have the CRC-32C 0x8a9136aa.
        let unmasked = 0x8a91_36aa_u32;
        let masked = unmasked.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked_crc32c(&[0; 32]), masked);
    }

    #[test]
    fn a_record_is_twelve_bytes_the_message_and_four_bytes() {
        let mut records = vec![1, 2, 3];
        encode(&"abc".to_owned(), &mut records);
        let record = &records[3..];
        // Protobuf's wrapper of a string: field 1, wire type 2, length 3.
        assert_eq!(record[..8], 5u64.to_le_bytes());
        assert_eq!(record[8..12], masked_crc32c(&record[..8]).to_le_bytes());
        assert_eq!(record[12..17], *b"\x0a\x03abc");
        assert_eq!(record[17..], masked_crc32c(b"\x0a\x03abc").to_le_bytes());
    }
}
