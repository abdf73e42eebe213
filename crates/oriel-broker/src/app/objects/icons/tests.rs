use std::{fs, path::Path, process::Command, time::Instant};

use image::codecs::png::{CompressionType, FilterType as PngFilter, PngEncoder};

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
fn the_result_always_fits_the_store() {
    let noisy = png(250, 250, true);
    assert!(noisy.len() <= ICON_BYTES_MAX);
    assert!(icon_of(&noisy).expect("taken").len() <= ICON_BYTES_MAX);
}

#[test]
fn what_cannot_be_an_icon_is_refused_with_a_sentence() {
    let check = |png: &[u8], part: &str| {
        let refusal = icon_of(png).expect_err(part).to_string();
        assert!(refusal.starts_with("the picture cannot be used as an icon: it "), "{refusal}");
        assert!(refusal.contains(part), "{part}: {refusal}");
    };
    let good = png(64, 64, true);
    check(b"GIF89a", "is not a PNG");
    check(b"", "is not a PNG");
    check(&good[..good.len() / 2], "damaged");
    check(&good[..30], "damaged");
    check(&png(2049, 1, false), "has 2049 × 1 pixels; at most 2048 × 2048 are taken");
    check(&sized(&good, 60_000, 60_000), "60000 × 60000 pixels");
    check(&sized(&good, 0x7fff_ffff, 0x7fff_ffff), "unpacks to more than 32 MiB");
    check(&sized(&good, 2048, 2048), "damaged");
    check(&vec![0; ICON_BYTES_MAX + 1], "has 262145 bytes; at most 262144 are taken");
}

/// Says to a child of this test which file it looks at.
const BOMB: &str = "ORIEL_TEST_ICON_BOMB";
/// Memory that a process may have used at most after a bomb, in bytes: what a picture of the largest size
/// takes, and the program itself. The bombs here unpack to twice that.
const MEMORY_MAX: u64 = 64 * 1024 * 1024;
/// Time for a bomb, in seconds: an unoptimised build on a busy machine needs a tenth.
const SECS_MAX: u64 = 20;

#[test]
fn bombs_take_little_memory_and_time() {
    if let Some(path) = std::env::var_os(BOMB) {
        let bomb = fs::read(path).expect("readable");
        println!("outcome: {}", outcome(&bomb));
        let status = fs::read_to_string("/proc/self/status").expect("readable");
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("most memory used");
        println!("most memory: {most}");
        return;
    }
    // 128 MiB of nothing, packed into some hundred KiB.
    let large = tightly_packed(&image::GrayImage::new(16_384, 8_192));
    let packed = payload(&large, *b"IDAT");
    let small = png(16, 16, false);
    let folder = tempfile::tempdir().expect("a folder");
    let black = tightly_packed(&image::GrayImage::new(16, 16));
    let too_large =
        "the picture cannot be used as an icon: it has 16384 × 8192 pixels; at most 2048 × 2048 are taken";
    for (name, bomb, expected) in [
        ("pixels", large.clone(), too_large.to_owned()),
        // What a small picture carries beside itself is neither unpacked nor kept: it is the icon that it is.
        ("picture", sized(&large, 16, 16), outcome(&black)),
        ("profile", with_chunk(&small, *b"iCCP", &[b"x\0\0".as_slice(), &packed].concat()), outcome(&small)),
        ("text", with_chunk(&small, *b"zTXt", &[b"x\0\0".as_slice(), &packed].concat()), outcome(&small)),
    ] {
        assert!(bomb.len() <= ICON_BYTES_MAX, "{name}: {} bytes", bomb.len());
        let path = folder.path().join(name);
        fs::write(&path, bomb).expect("written");
        let (outcome, most) = outcome_of(&path);
        assert_eq!(outcome, expected, "{name}");
        assert!(most < MEMORY_MAX, "{name}: {most} bytes were used");
    }
}

/// What comes of a picture: the bytes that are kept, or the refusal.
fn outcome(png: &[u8]) -> String {
    icon_of(png).map_or_else(|error| error.to_string(), |icon| format!("kept {icon:02x?}"))
}

fn tightly_packed(picture: &image::GrayImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, PngFilter::NoFilter);
    picture.write_with_encoder(encoder).expect("a picture");
    bytes
}

/// Looks at a picture in a process of its own; gives what came of it, and the most memory that it used.
fn outcome_of(path: &Path) -> (String, u64) {
    let began = Instant::now();
    let (_, module) = module_path!().split_once("::").expect("a module of this crate");
    let test = format!("{module}::bombs_take_little_memory_and_time");
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "--nocapture", &test])
        .args(["--test-threads", "1"])
        .env(BOMB, path)
        .output();
    let output = child.expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(began.elapsed().as_secs() < SECS_MAX, "{}: {:?}", path.display(), began.elapsed());
    let told = |what: &str| text.lines().find_map(|line| Some(line.split_once(what)?.1.trim()));
    let most = told("most memory:").expect("the child ran");
    let kib: u64 = most.trim_end_matches(" kB").parse().expect("KiB");
    (told("outcome:").expect("an outcome").to_owned(), kib * 1024)
}

/// The same file, which says that the picture has another size.
fn sized(png: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut header = png[16..29].to_vec();
    header[..4].copy_from_slice(&width.to_be_bytes());
    header[4..8].copy_from_slice(&height.to_be_bytes());
    [&png[..8], &chunk(*b"IHDR", &header), &png[33..]].concat()
}

/// The same file with a chunk more after its header.
fn with_chunk(png: &[u8], name: [u8; 4], data: &[u8]) -> Vec<u8> {
    [&png[..33], &chunk(name, data), &png[33..]].concat()
}

fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [&name[..], data].concat();
    let length = u32::try_from(data.len()).expect("short").to_be_bytes();
    [&length[..], &named, &crc(&named).to_be_bytes()].concat()
}

/// What all chunks of a name hold.
fn payload(mut png: &[u8], name: [u8; 4]) -> Vec<u8> {
    let mut found = Vec::new();
    png = &png[8..];
    while let [a, b, c, d, rest @ ..] = png {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if rest[..4] == name {
            found.extend_from_slice(&rest[4..4 + length]);
        }
        png = &rest[4 + length + 4..];
    }
    found
}

/// The checksum of a chunk (PNG, annex D).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1)))
    })
}
