//! The pictures of the built-in icons: drawn in `icons/*.svg`, rendered by `scripts/icons.mjs`.

use axum::body::Bytes;
use oriel_model::icon::BuiltIn;

/// Names and pictures, in the order of the names.
const PICTURES: [(&str, &[u8]); 31] = [
    ("application", include_bytes!("../../../icons/application.png")),
    ("briefcase", include_bytes!("../../../icons/briefcase.png")),
    ("browser", include_bytes!("../../../icons/browser.png")),
    ("calculator", include_bytes!("../../../icons/calculator.png")),
    ("calendar", include_bytes!("../../../icons/calendar.png")),
    ("chart", include_bytes!("../../../icons/chart.png")),
    ("chat", include_bytes!("../../../icons/chat.png")),
    ("code", include_bytes!("../../../icons/code.png")),
    ("contacts", include_bytes!("../../../icons/contacts.png")),
    ("database", include_bytes!("../../../icons/database.png")),
    ("desktop", include_bytes!("../../../icons/desktop.png")),
    ("device", include_bytes!("../../../icons/device.png")),
    ("document", include_bytes!("../../../icons/document.png")),
    ("drawing", include_bytes!("../../../icons/drawing.png")),
    ("editor", include_bytes!("../../../icons/editor.png")),
    ("files", include_bytes!("../../../icons/files.png")),
    ("folder", include_bytes!("../../../icons/folder.png")),
    ("mail", include_bytes!("../../../icons/mail.png")),
    ("music", include_bytes!("../../../icons/music.png")),
    ("network", include_bytes!("../../../icons/network.png")),
    ("network-folder", include_bytes!("../../../icons/network-folder.png")),
    ("notes", include_bytes!("../../../icons/notes.png")),
    ("picture", include_bytes!("../../../icons/picture.png")),
    ("presentation", include_bytes!("../../../icons/presentation.png")),
    ("printer", include_bytes!("../../../icons/printer.png")),
    ("security", include_bytes!("../../../icons/security.png")),
    ("server", include_bytes!("../../../icons/server.png")),
    ("settings", include_bytes!("../../../icons/settings.png")),
    ("spreadsheet", include_bytes!("../../../icons/spreadsheet.png")),
    ("terminal", include_bytes!("../../../icons/terminal.png")),
    ("video", include_bytes!("../../../icons/video.png")),
];

/// The PNG of a built-in icon.
pub(super) fn png(icon: BuiltIn) -> Bytes {
    let found = PICTURES.iter().find(|(name, _)| *name == icon.name());
    Bytes::from_static(found.expect("every built-in icon has a picture: there is a test for it").1)
}

#[cfg(test)]
mod tests {
    use oriel_model::icon::{ICON_BYTES_MAX, ICON_SIDE_MAX};

    use super::*;

    #[test]
    fn every_built_in_icon_has_a_picture_and_a_drawing() {
        let names: Vec<_> = PICTURES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, BuiltIn::all().map(BuiltIn::name).collect::<Vec<_>>());
        for icon in BuiltIn::all() {
            let png = png(icon);
            let picture = image::load_from_memory(&png).expect("a picture").to_rgba8();
            assert_eq!(picture.dimensions(), (ICON_SIDE_MAX, ICON_SIDE_MAX), "{}", icon.name());
            assert!(png.len() < ICON_BYTES_MAX / 8, "{} has {} bytes", icon.name(), png.len());
            // A tile with something white on it, and nothing around it.
            assert_eq!(picture.get_pixel(0, 0).0[3], 0, "{}", icon.name());
            assert!(picture.pixels().any(|pixel| pixel.0 == [255; 4]), "{}", icon.name());
            let drawing = format!("{}/icons/{}.svg", env!("CARGO_MANIFEST_DIR"), icon.name());
            assert!(std::fs::exists(&drawing).expect("readable"), "{drawing} is missing");
        }
    }
}
