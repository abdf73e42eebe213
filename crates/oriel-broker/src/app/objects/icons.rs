//! Icons of published resources: what comes in is decoded within bounds, scaled down and written
//! anew, so that nothing but the picture itself is ever served to a browser.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, Limits, codecs::png::PngDecoder,
    imageops::FilterType,
};
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

/// The PNG of an icon made from any PNG; nothing else of the file is kept. Pure, but costs CPU in proportion to the pixels.
pub fn icon_of(png: &[u8]) -> Result<Vec<u8>, IconError> {
    if png.len() > ICON_BYTES_MAX {
        return Err(IconError::Picture(format!(
            "it has {} bytes; at most {ICON_BYTES_MAX} are taken",
            png.len()
        )));
    }
    let picture = decoded(png)?;
    // A picture of noise hardly compresses: halve it until it fits.
    let mut side = ICON_SIDE_MAX;
    loop {
        let icon = encoded(&scaled(&picture, side)).map_err(|error| damaged(&error))?;
        if icon.len() <= ICON_BYTES_MAX {
            return Ok(icon);
        }
        side /= 2;
    }
}

/// The pixels, within bounds: what a picture says of its size is looked at before anything is unpacked.
fn decoded(png: &[u8]) -> Result<DynamicImage, IconError> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    let mut decoder =
        PngDecoder::with_limits(Cursor::new(png), limits.clone()).map_err(|error| damaged(&error))?;
    let (width, height) = decoder.dimensions();
    if width > SIDE_MAX || height > SIDE_MAX {
        return Err(IconError::Picture(format!(
            "it has {width} × {height} pixels; at most {SIDE_MAX} × {SIDE_MAX} are taken"
        )));
    }
    limits.reserve(decoder.total_bytes()).map_err(|error| damaged(&error))?;
    decoder.set_limits(limits).map_err(|error| damaged(&error))?;
    DynamicImage::from_decoder(decoder).map_err(|error| damaged(&error))
}

fn damaged(error: &ImageError) -> IconError {
    IconError::Picture(match error {
        ImageError::Limits(_) => format!("it unpacks to more than {} MiB", DECODED_BYTES_MAX / 1024 / 1024),
        error => format!("it is not a PNG, or is damaged ({error})"),
    })
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
mod tests;
