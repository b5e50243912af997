//! Colours, and how a drawing gets light and dark: each colour is a key that a style sheet replaces.
//!
//! The drawing crate writes colours as attributes, and style sheets win over attributes. So a drawing is made in the
//! colours of the light theme, and a rule per colour gives the dark one's. The palette is Okabe and Ito's, which
//! colour-blind people can tell apart; a mark's form says the same as its colour.

use plotters::style::RGBColor;

use crate::scenario::Kind;

/// What a colour is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Names and values.
    Text,
    /// Axes' labels, notes.
    Muted,
    /// Lines to read values by.
    Grid,
    /// Every second phase.
    Band,
    /// The ground.
    Paper,
    /// linkbuf.
    Linkbuf,
    /// What a program would use instead.
    Peer,
    /// The least that the work can cost.
    Floor,
}

type Rgb = (u8, u8, u8);

impl Ink {
    const ALL: [Self; 8] = [
        Self::Text,
        Self::Muted,
        Self::Grid,
        Self::Band,
        Self::Paper,
        Self::Linkbuf,
        Self::Peer,
        Self::Floor,
    ];

    /// In light, and in dark. No two of the light ones are the same: they are keys.
    fn pair(self) -> (Rgb, Rgb) {
        match self {
            Self::Text => ((0x1F, 0x23, 0x28), (0xE6, 0xED, 0xF3)),
            Self::Muted => ((0x59, 0x63, 0x6E), (0x9D, 0xA7, 0xB3)),
            Self::Grid => ((0xD8, 0xDE, 0xE4), (0x30, 0x36, 0x3D)),
            Self::Band => ((0xF0, 0xF3, 0xF6), (0x1B, 0x21, 0x29)),
            Self::Paper => ((0xFF, 0xFF, 0xFF), (0x0D, 0x11, 0x17)),
            Self::Linkbuf => ((0x00, 0x72, 0xB2), (0x56, 0xB4, 0xE9)),
            Self::Peer => ((0xC8, 0x55, 0x00), (0xE6, 0x9F, 0x00)),
            Self::Floor => ((0x6E, 0x6E, 0x6E), (0xA0, 0xA0, 0xA0)),
        }
    }

    pub(super) fn colour(self) -> RGBColor {
        let (r, g, b) = self.pair().0;
        RGBColor(r, g, b)
    }
}

impl From<Kind> for Ink {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Linkbuf => Self::Linkbuf,
            Kind::Peer => Self::Peer,
            Kind::Floor => Self::Floor,
        }
    }
}

/// The rules for drawings of class `plot`, in a file of their own or in a page.
pub(crate) fn style() -> String {
    let mut dark = String::new();
    for ink in Ink::ALL {
        let (light, other) = ink.pair();
        let [light, other] = [light, other].map(|(r, g, b)| format!("#{r:02X}{g:02X}{b:02X}"));
        for what in ["fill", "stroke"] {
            dark += &format!(".plot [{what}=\"{light}\"]{{{what}:{other}}}");
        }
    }
    let font = "system-ui,-apple-system,\"Segoe UI\",Roboto,Helvetica,Arial,sans-serif";
    format!(
        ".plot text{{font-family:{font};font-variant-numeric:tabular-nums}}\
         @media (prefers-color-scheme:dark){{{dark}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_inks_share_a_key() {
        for (n, ink) in Ink::ALL.into_iter().enumerate() {
            for other in &Ink::ALL[..n] {
                assert_ne!(ink.pair().0, other.pair().0, "{ink:?} and {other:?}");
            }
        }
    }
}
