//! Takes PNG files apart and puts them together differently, with correct checksums: what is
//! left to notice the damage is provenance alone.

pub(crate) struct Chunk {
    pub(crate) kind: [u8; 4],
    pub(crate) data: Vec<u8>,
}

const SIGNATURE: usize = 8;

pub(crate) fn chunks(png: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut at = SIGNATURE;
    while at < png.len() {
        let length = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        let kind = png[at + 4..at + 8].try_into().unwrap();
        chunks.push(Chunk {
            kind,
            data: png[at + 8..at + 8 + length].to_vec(),
        });
        at += length + 12;
    }
    chunks
}

pub(crate) fn assemble(chunks: &[Chunk]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for Chunk { kind, data } in chunks {
        png.extend((data.len() as u32).to_be_bytes());
        let body = [kind.as_slice(), data].concat();
        png.extend(&body);
        png.extend(crc32(&body).to_be_bytes());
    }
    png
}

/// Puts a text chunk before the end.
pub(crate) fn with_text(png: &[u8], text: &str) -> Vec<u8> {
    let mut chunks = chunks(png);
    let data = [b"Comment\0", text.as_bytes()].concat();
    chunks.insert(
        chunks.len() - 1,
        Chunk {
            kind: *b"tEXt",
            data,
        },
    );
    assemble(&chunks)
}

pub(crate) fn without(png: &[u8], kind: &[u8; 4]) -> Vec<u8> {
    let mut chunks = chunks(png);
    let before = chunks.len();
    chunks.retain(|chunk| chunk.kind != *kind);
    assert!(chunks.len() < before, "there was no such chunk");
    assemble(&chunks)
}

/// The chunks of `signed`, but the pixels of `other`.
pub(crate) fn with_pixels_of(signed: &[u8], other: &[u8]) -> Vec<u8> {
    let mut pixels: Vec<Chunk> = chunks(other)
        .into_iter()
        .filter(|c| c.kind == *b"IDAT")
        .collect();
    let mut result = Vec::new();
    for chunk in chunks(signed) {
        if chunk.kind == *b"IDAT" {
            result.append(&mut pixels);
        } else {
            result.push(chunk);
        }
    }
    assemble(&result)
}

/// The checksum of PNG and zlib, ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    })
}

#[test]
fn taking_apart_and_putting_together_changes_nothing() {
    let png = crate::pictures::picture(atelier_provenance::Format::Png);
    assert_eq!(assemble(&chunks(&png)), png);
}
