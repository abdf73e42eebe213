//! Icons of published resources: what comes in is decoded within bounds, scaled down and written
//! anew, so that nothing but the picture itself is ever served to a browser.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, ImageReader, Limits, imageops::FilterType};
use oriel_model::icon::{ICON_BYTES_MAX, ICON_SIDE_MAX, IconId};
use oriel_store::StoreError;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::Broker;

/// Largest side of a picture that is decoded, in pixels: four times what an icon theme has.
const SIDE_MAX: u32 = 2_048;
/// Memory for one picture at most, in bytes: a picture of the largest size with 4 bytes per pixel,
/// and as much again for scaling. A small file that unpacks to more is refused.
const DECODED_BYTES_MAX: u64 = 2 * 4 * (SIDE_MAX as u64) * (SIDE_MAX as u64);
/// Pictures decoded at a time, so that many at once do not add up.
static DECODING: Semaphore = Semaphore::const_new(2);

/// An icon that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NewIcon {
    /// Its id, for `icon` of a resource: SHA-256 of the PNG that is kept.
    pub id: IconId,
}

/// Why a picture was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IconError {
    /// Not a PNG, damaged, or too large.
    #[error("the picture cannot be used as an icon: {0}")]
    Picture(String),
    /// The store says no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks a picture, scales it to an icon and keeps it.
pub async fn create(broker: &Broker, png: Vec<u8>) -> Result<NewIcon, IconError> {
    let permit = DECODING.acquire().await.expect("the semaphore is never closed");
    let icon = tokio::task::spawn_blocking(move || icon_of(&png))
        .await
        .map_err(|_| IconError::Picture("it could not be decoded".into()))??;
    drop(permit);
    Ok(NewIcon { id: broker.store.put_blob(icon).await? })
}

/// The PNG of an icon made from any PNG. Pure, but costs CPU in proportion to the pixels.
pub fn icon_of(png: &[u8]) -> Result<Vec<u8>, IconError> {
    if png.len() > ICON_BYTES_MAX {
        return Err(IconError::Picture(format!(
            "it has {} bytes; at most {ICON_BYTES_MAX} are taken",
            png.len()
        )));
    }
    let bad = |error: image::ImageError| IconError::Picture(error.to_string());
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    reader.limits(limits);
    let picture = reader.decode().map_err(bad)?;
    // A picture of noise hardly compresses: halve it until it fits.
    let mut side = ICON_SIDE_MAX;
    loop {
        let icon = encoded(&scaled(&picture, side)).map_err(bad)?;
        if icon.len() <= ICON_BYTES_MAX {
            return Ok(icon);
        }
        side /= 2;
    }
}

fn scaled(picture: &DynamicImage, side: u32) -> DynamicImage {
    let rgba = DynamicImage::ImageRgba8(picture.to_rgba8());
    if picture.width() <= side && picture.height() <= side {
        return rgba;
    }
    rgba.resize(side, side, FilterType::Lanczos3)
}

fn encoded(picture: &DynamicImage) -> image::ImageResult<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, noise: bool) -> Vec<u8> {
        let mut state = 1u32;
        let picture = image::RgbaImage::from_fn(width, height, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if noise { image::Rgba(state.to_be_bytes()) } else { image::Rgba([9, 9, 9, 255]) }
        });
        encoded(&DynamicImage::ImageRgba8(picture)).expect("a picture")
    }

    fn size(png: &[u8]) -> (u32, u32) {
        let picture = image::load_from_memory(png).expect("a picture");
        (picture.width(), picture.height())
    }

    #[test]
    fn large_pictures_are_scaled_and_keep_their_shape() {
        assert_eq!(size(&icon_of(&png(1024, 512, false)).expect("taken")), (256, 128));
        assert_eq!(size(&icon_of(&png(48, 48, false)).expect("taken")), (48, 48));
    }

    #[test]
    fn what_is_no_png_or_unpacks_to_too_much_is_refused() {
        assert!(icon_of(b"GIF89a").is_err());
        assert!(icon_of(&png(64, 64, false)[..60]).is_err());
        assert!(icon_of(&png(2049, 1, false)).is_err(), "too wide");
        assert!(icon_of(&vec![0; ICON_BYTES_MAX + 1]).is_err());
    }

    #[test]
    fn the_result_always_fits_the_store() {
        let noisy = png(250, 250, true);
        assert!(noisy.len() <= ICON_BYTES_MAX);
        assert!(icon_of(&noisy).expect("taken").len() <= ICON_BYTES_MAX);
    }
}
