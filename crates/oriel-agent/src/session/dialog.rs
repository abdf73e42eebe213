//! Messages to the user: one window with a title, a text and a button.
//!
//! zenity where it is installed; else a window of our own in the X server's built-in font, which has
//! Latin letters only.

use std::thread;

use x11rb::{
    connection::Connection,
    errors::ReplyOrIdError,
    protocol::{
        Event,
        xproto::{
            AtomEnum, ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask, PropMode, Rectangle,
            WindowClass,
        },
    },
    wrapper::ConnectionExt as _,
};

use super::{
    environment::Environment,
    x11::{Display, MESSAGE_CLASS},
};
use crate::apps::find_program;

/// Letters per line: about half a screen of 1024 pixels in the built-in font.
const LINE_CHARS: usize = 70;
/// More lines do not fit a small screen.
const LINES_MAX: usize = 30;

/// What zenity says when it cannot do what it is asked. Its version 4 knows no `--class`, by which our
/// messages are told from the windows of programs.
const ZENITY_FAILED: i32 = 255;

/// Shows a message and returns at once.
pub(super) fn show(title: String, text: String, environment: &Environment) {
    let zenity = find_program("zenity").and_then(|_| {
        let mut command = environment.command("zenity");
        command.args(["--info", "--no-markup", "--width=400"]);
        command.args([
            &format!("--class={MESSAGE_CLASS}"),
            &format!("--title={title}"),
            &format!("--text={text}"),
        ]);
        command.spawn().ok()
    });
    thread::spawn(move || {
        let is_shown = zenity
            .and_then(|mut child| child.wait().ok())
            .is_some_and(|status| status.code() != Some(ZENITY_FAILED));
        if is_shown {
            return;
        }
        if let Err(error) = Display::connect()
            .and_then(|display| draw(&display, &title, &wrap(&text)).map_err(|error| error.to_string()))
        {
            eprintln!("oriel: cannot show a message: {error}");
        }
    });
}

/// Breaks a text into lines of at most [`LINE_CHARS`] letters, at blanks where there are any.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let mut rest: Vec<char> = word.chars().collect();
            if !line.is_empty() && line.chars().count() + 1 + rest.len() > LINE_CHARS {
                lines.push(std::mem::take(&mut line));
            }
            while rest.len() > LINE_CHARS {
                lines.push(rest.drain(..LINE_CHARS).collect());
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.extend(rest);
        }
        lines.push(line);
    }
    lines.truncate(LINES_MAX);
    lines
}

/// Letters as the built-in font has them: Latin 1.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().take(255).map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

fn draw(display: &Display, title: &str, lines: &[String]) -> Result<(), ReplyOrIdError> {
    const PADDING: i16 = 24;
    const LINE_HEIGHT: i16 = 18;
    const BUTTON: (u16, u16) = (90, 30);
    let (x, atoms) = (&display.connection, &display.atoms);
    let screen = &x.setup().roots[display.screen];

    let font = x.generate_id()?;
    if x.open_font(font, b"9x15")?.check().is_err() {
        x.open_font(font, b"fixed")?.check()?;
    }
    let letter = x.query_font(font)?.reply()?.max_bounds.character_width.max(6);
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = (letter as u16 * longest as u16 + 2 * PADDING as u16).max(320);
    let height = LINE_HEIGHT as u16 * lines.len() as u16 + 3 * PADDING as u16 + BUTTON.1;

    let window = x.generate_id()?;
    let events = EventMask::EXPOSURE | EventMask::BUTTON_RELEASE | EventMask::KEY_PRESS;
    let look = CreateWindowAux::new().background_pixel(screen.white_pixel).event_mask(events);
    let at = |room: u16, size: u16| (room.saturating_sub(size) / 2) as i16;
    x.create_window(
        0,
        window,
        screen.root,
        at(screen.width_in_pixels, width),
        at(screen.height_in_pixels, height),
        width,
        height,
        0,
        WindowClass::INPUT_OUTPUT,
        0,
        &look,
    )?;
    let set = PropMode::REPLACE;
    x.change_property8(set, window, atoms._NET_WM_NAME, atoms.UTF8_STRING, title.as_bytes())?;
    x.change_property8(set, window, AtomEnum::WM_NAME, AtomEnum::STRING, &latin1(title))?;
    let class = format!("{MESSAGE_CLASS}\0{MESSAGE_CLASS}\0");
    x.change_property8(set, window, AtomEnum::WM_CLASS, AtomEnum::STRING, class.as_bytes())?;
    let dialog = [atoms._NET_WM_WINDOW_TYPE_DIALOG];
    x.change_property32(set, window, atoms._NET_WM_WINDOW_TYPE, AtomEnum::ATOM, &dialog)?;
    x.change_property32(set, window, atoms._NET_WM_STATE, AtomEnum::ATOM, &[atoms._NET_WM_STATE_ABOVE])?;
    x.change_property32(set, window, atoms.WM_PROTOCOLS, AtomEnum::ATOM, &[atoms.WM_DELETE_WINDOW])?;
    x.map_window(window)?;

    let gc = x.generate_id()?;
    let ink = CreateGCAux::new().foreground(screen.black_pixel).background(screen.white_pixel).font(font);
    x.create_gc(gc, window, &ink)?;
    x.flush()?;

    let button = Rectangle {
        x: at(width, BUTTON.0),
        y: height as i16 - PADDING - BUTTON.1 as i16,
        width: BUTTON.0,
        height: BUTTON.1,
    };
    loop {
        match x.wait_for_event()? {
            Event::Expose(event) if event.count == 0 => {
                for (index, line) in (0_i16..).zip(lines) {
                    let y = PADDING + LINE_HEIGHT * index + LINE_HEIGHT / 2;
                    x.image_text8(window, gc, PADDING, y, &latin1(line))?;
                }
                x.poly_rectangle(window, gc, &[button])?;
                let label = button.x + button.width as i16 / 2 - letter;
                x.image_text8(window, gc, label, button.y + LINE_HEIGHT + 2, b"OK")?;
                x.flush()?;
            }
            Event::ButtonRelease(event) => {
                let inside = |at: i16, from: i16, size: u16| (from..from + size as i16).contains(&at);
                if inside(event.event_x, button.x, button.width)
                    && inside(event.event_y, button.y, button.height)
                {
                    break;
                }
            }
            // Escape and Return have these codes on every keyboard of xorgxrdp.
            Event::KeyPress(event) if matches!(event.detail, 9 | 36 | 104) => break,
            Event::ClientMessage(event) if event.data.as_data32()[0] == atoms.WM_DELETE_WINDOW => break,
            _ => {}
        }
    }
    x.destroy_window(window)?;
    x.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_wrapped_at_blanks_and_long_words_are_cut() {
        assert_eq!(wrap("one\n\ntwo"), ["one", "", "two"]);
        let long = "x".repeat(LINE_CHARS + 5);
        assert_eq!(wrap(&long), ["x".repeat(LINE_CHARS), "x".repeat(5)]);
        let lines = wrap(&"word ".repeat(40));
        assert!(lines.iter().all(|line| line.chars().count() <= LINE_CHARS));
        assert_eq!(wrap(&"a\n".repeat(100)).len(), LINES_MAX);
    }
}
