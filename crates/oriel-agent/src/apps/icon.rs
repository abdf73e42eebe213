//! Finding the picture of a program: a PNG between 48 and 256 pixels, or one that a converter made.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::find_program;

/// Where themes lie.
const ROOTS: [&str; 3] =
    ["/usr/local/share/icons", "/var/lib/flatpak/exports/share/icons", "/usr/share/icons"];
/// Programs bring their own icons in hicolor; the rest serve those that name a generic picture.
const THEMES: [&str; 8] =
    ["hicolor", "Adwaita", "gnome", "Papirus", "breeze", "elementary-xfce", "Tango", "AdwaitaLegacy"];
/// The best first: portals show 64 to 128 pixels.
const SIZES: [u32; 7] = [128, 96, 64, 256, 192, 72, 48];
const CONTEXTS: [&str; 7] = ["apps", "legacy", "categories", "devices", "places", "mimetypes", "actions"];
const PIXMAPS: [&str; 2] = ["/usr/share/pixmaps", "/usr/local/share/pixmaps"];
/// Side of pictures made from vector graphics, in pixels.
const CONVERTED_SIDE: u32 = 128;
/// How long a converter may take for one picture.
const CONVERT_TIMEOUT: Duration = Duration::from_secs(3);

/// Finds icons until a deadline.
pub(super) struct Icons {
    deadline: Instant,
    themes: Vec<PathBuf>,
    svg_converter: Option<PathBuf>,
    any_converter: Option<PathBuf>,
}

impl Icons {
    pub(super) fn new(deadline: Instant) -> Self {
        let themes = THEMES
            .iter()
            .flat_map(|theme| ROOTS.iter().map(move |root| Path::new(root).join(theme)))
            .filter(|path| path.is_dir())
            .collect();
        Self {
            deadline,
            themes,
            svg_converter: find_program("rsvg-convert"),
            any_converter: find_program("convert"),
        }
    }

    /// The PNG for an `Icon` value: a name in the themes, or an absolute path.
    pub(super) fn find(&mut self, icon: &str) -> Option<Vec<u8>> {
        if Instant::now() >= self.deadline {
            return None;
        }
        if icon.starts_with('/') {
            return self.load(Path::new(icon));
        }
        if icon.is_empty() || icon.contains('/') {
            return None;
        }
        // Some entries name a file of the pixmaps folder with its ending.
        let name = icon.strip_suffix(".png").or_else(|| icon.strip_suffix(".svg")).unwrap_or(icon);
        let name = name.strip_suffix(".xpm").unwrap_or(name);
        self.candidates(name).find_map(|path| self.load(&path))
    }

    fn candidates<'a>(&'a self, name: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
        let sized = self.themes.iter().flat_map(move |theme| {
            SIZES.iter().flat_map(move |size| {
                CONTEXTS.iter().flat_map(move |context| {
                    // Themes disagree on which comes first, the size or the context.
                    [
                        theme.join(format!("{size}x{size}/{context}/{name}.png")),
                        theme.join(format!("{context}/{size}/{name}.png")),
                    ]
                })
            })
        });
        let pixmaps = ["png", "svg", "xpm"].into_iter().flat_map(move |ending| {
            PIXMAPS.iter().map(move |root| Path::new(root).join(format!("{name}.{ending}")))
        });
        let vector = self.themes.iter().flat_map(move |theme| {
            CONTEXTS.iter().flat_map(move |context| {
                [
                    theme.join(format!("scalable/{context}/{name}.svg")),
                    theme.join(format!("{context}/scalable/{name}.svg")),
                    theme.join(format!("{context}/64/{name}.svg")),
                ]
            })
        });
        sized.chain(vector).chain(pixmaps).filter(|path| path.is_file())
    }

    fn load(&self, path: &Path) -> Option<Vec<u8>> {
        let size = fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?.len();
        if size > 4 * oriel_model::icon::ICON_BYTES_MAX as u64 {
            return None;
        }
        let png = match path.extension()?.to_str()? {
            "png" => fs::read(path).ok().filter(|png| fits(png)).or_else(|| self.scale(path)),
            "svg" => self.rasterised(path).or_else(|| self.scale(path)),
            "xpm" => self.scale(path),
            _ => None,
        }?;
        fits(&png).then_some(png)
    }

    fn rasterised(&self, path: &Path) -> Option<Vec<u8>> {
        let side = CONVERTED_SIDE.to_string();
        let mut command = Command::new(self.svg_converter.as_ref()?);
        command.args(["--keep-aspect-ratio", "--width", &side, "--height", &side, "--"]).arg(path);
        output_of(command)
    }

    fn scale(&self, path: &Path) -> Option<Vec<u8>> {
        let mut command = Command::new(self.any_converter.as_ref()?);
        let mut source = path.extension()?.to_owned();
        source.push(":");
        source.push(path);
        command.args(["-background", "none"]).arg(source);
        command.args(["-resize", &format!("{CONVERTED_SIDE}x{CONVERTED_SIDE}>"), "png:-"]);
        output_of(command)
    }
}

/// What a converter prints, if it is done in time.
fn output_of(mut command: Command) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let stdout = child.stdout.take()?;
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // One byte too many shows that the picture is too large.
        let limit = oriel_model::icon::ICON_BYTES_MAX as u64 + 1;
        stdout.take(limit).read_to_end(&mut bytes).map(|_| bytes)
    });
    let deadline = Instant::now() + CONVERT_TIMEOUT;
    let status = loop {
        match child.try_wait().ok()? {
            Some(status) => break Some(status),
            None if Instant::now() >= deadline => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let bytes = reader.join().ok()?.ok()?;
    status.filter(std::process::ExitStatus::success).map(|_| bytes)
}

/// Whether it is a PNG within the model's limits. PNG specification, 5.2 and 11.2.2: the signature, then
/// the IHDR chunk with width and height.
fn fits(png: &[u8]) -> bool {
    const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
    let side = |at: usize| {
        png.get(at..at + 4).and_then(|bytes| Some(u32::from_be_bytes(bytes.try_into().ok()?))).unwrap_or(0)
    };
    let max = oriel_model::icon::ICON_SIDE_MAX;
    png.starts_with(SIGNATURE)
        && png.get(12..16) == Some(b"IHDR")
        && (1..=max).contains(&side(16))
        && (1..=max).contains(&side(20))
        && png.len() <= oriel_model::icon::ICON_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes
    }

    #[test]
    fn only_pngs_of_a_fitting_size_count() {
        assert!(fits(&png(64, 64)));
        assert!(!fits(&png(0, 64)));
        assert!(!fits(&png(64, 1024)));
        assert!(!fits(b"GIF89a"));
        assert!(!fits(&png(64, 64)[..20]));
    }
}
