//! Bytes (`!!binary`) in base64, as Python's `base64.decodebytes` reads them.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The same bytes in canonical base64; none if they cannot be decoded.
pub(super) fn canonical(text: &str) -> Option<String> {
    text.is_ascii().then(|| decoded(text)).flatten().map(|bytes| encoded(&bytes))
}

/// The bytes as a text; none if they are not UTF-8.
pub(crate) fn text(base64: &str) -> Option<String> {
    String::from_utf8(decoded(base64)?).ok()
}

/// Skips characters outside the alphabet, and all that follows a complete padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut place, mut left, mut pads) = (0, 0_u8, 0);
    for letter in text.bytes() {
        if letter == b'=' {
            if place >= 2 {
                pads += 1;
                if place + pads >= 4 {
                    return Some(bytes);
                }
            }
            continue;
        }
        let Some(bits) = LETTERS.iter().position(|known| *known == letter).and_then(|bits| u8::try_from(bits).ok())
        else {
            continue;
        };
        pads = 0;
        match place {
            0 => {}
            1 => bytes.push((left << 2) | (bits >> 4)),
            2 => bytes.push((left << 4) | (bits >> 2)),
            _ => bytes.push((left << 6) | bits),
        }
        left = match place {
            0 => bits,
            1 => bits & 0x0f,
            2 => bits & 0x03,
            _ => 0,
        };
        place = (place + 1) % 4;
    }
    (place == 0).then_some(bytes)
}

fn encoded(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let [first, second, third] = [0, 1, 2].map(|at| chunk.get(at).copied().unwrap_or_default());
        let places = [first >> 2, (first & 3) << 4 | second >> 4, (second & 15) << 2 | third >> 6, third & 63];
        for (at, place) in places.into_iter().enumerate() {
            let letter = LETTERS.get(usize::from(place)).copied().unwrap_or(b'=');
            text.push(char::from(if at > chunk.len() { b'=' } else { letter }));
        }
    }
    text
}
