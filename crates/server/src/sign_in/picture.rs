//! A text as a QR code, for a camera.

use qrcodegen::{QrCode, QrCodeEcc};

/// The code as the `d` of an SVG path that begins four units in, and its width in units. Empty if the
/// text is too long for any code.
pub fn qr(text: &str) -> (String, u32) {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Low) else {
        return (String::new(), 0);
    };
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size())
                .take_while(|x| code.get_module(*x, y))
                .count() as i32;
            if run > 0 {
                path.push_str(&format!("M{} {}h{run}v1h-{run}z", x + 4, y + 4));
            }
            x += run.max(1);
        }
    }
    (path, code.size().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn_once() {
        let text = "otpauth://totp/Ward%207:R.%20Osei?secret=MZXW6YTBOI&issuer=Ward%207";
        let (path, width) = qr(text);
        let code = QrCode::encode_text(text, QrCodeEcc::Low).expect("a code");
        let dark = (0..code.size())
            .flat_map(|y| (0..code.size()).map(move |x| (x, y)))
            .filter(|(x, y)| code.get_module(*x, *y))
            .count();
        let drawn: usize = path
            .split('h')
            .skip(1)
            .filter_map(|run| run.split('v').next()?.parse::<usize>().ok())
            .sum();
        assert_eq!((drawn, width), (dark, code.size() as u32));
        // The corner of the first finder pattern: seven dark modules in a row.
        assert!(path.starts_with("M4 4h7v1h-7z"), "{path}");
        assert_eq!(qr(&"x".repeat(5_000)), (String::new(), 0));
    }
}
