//! What is seen in a session around the user's programs: the window manager's rules for a published
//! application, and a plain desktop for hosts without a known one (openbox with a menu, and tint2 as its
//! panel where it is installed).
//!
//! Sources: openbox's rc.xml and menu.xml (openbox.org/3.4), tint2's configuration manual.

use std::{fmt::Write, path::Path};

use crate::host::App;

/// Programs on the panel. More do not fit a small screen; all are in the menu.
const LAUNCHERS_MAX: usize = 8;

/// openbox for a published application: its windows fill the session and have no frame, unless the session's
/// own program then gives them another form; dialogs and messages have one and stay above. What has become
/// an icon is in the menu of the background.
pub(super) const APPLICATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse></focus>
  <placement><policy>Smart</policy><center>yes</center></placement>
  <desktops><number>1</number><popupTime>0</popupTime></desktops>
  <theme><name>Clearlooks</name><titleLayout>LIMC</titleLayout></theme>
  <keyboard><keybind key="A-Tab"><action name="NextWindow"/></keybind></keyboard>
  <mouse>
    <context name="Titlebar">
      <mousebind button="Left" action="Drag"><action name="Move"/></mousebind>
      <mousebind button="Left" action="DoubleClick"><action name="ToggleMaximize"/></mousebind>
    </context>
    <context name="Client">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
    </context>
    <context name="Top Bottom Left Right TLCorner TRCorner BLCorner BRCorner">
      <mousebind button="Left" action="Drag"><action name="Resize"/></mousebind>
    </context>
    <context name="Close">
      <mousebind button="Left" action="Click"><action name="Close"/></mousebind>
    </context>
    <context name="Maximize">
      <mousebind button="Left" action="Click"><action name="ToggleMaximize"/></mousebind>
    </context>
    <context name="Iconify">
      <mousebind button="Left" action="Click"><action name="Iconify"/></mousebind>
    </context>
    <context name="Root">
      <mousebind button="Left" action="Press">
        <action name="ShowMenu"><menu>client-list-combined-menu</menu></action>
      </mousebind>
    </context>
  </mouse>
  <applications>
    <application type="normal"><decor>no</decor><maximized>yes</maximized><focus>yes</focus></application>
    <application type="dialog"><decor>yes</decor><layer>normal</layer><focus>yes</focus></application>
    <application class="oriel-message"><decor>yes</decor><maximized>no</maximized><layer>above</layer></application>
  </applications>
</openbox_config>
"#;

/// openbox as a plain desktop: frames, a menu on either mouse button, the usual keys.
pub(super) fn desktop(menu: &Path) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse></focus>
  <placement><policy>Smart</policy><center>yes</center></placement>
  <desktops><number>1</number><popupTime>0</popupTime></desktops>
  <theme><name>Clearlooks</name><titleLayout>NLIMC</titleLayout></theme>
  <keyboard>
    <keybind key="A-Tab"><action name="NextWindow"/></keybind>
    <keybind key="A-F4"><action name="Close"/></keybind>
    <keybind key="W-space"><action name="ShowMenu"><menu>root-menu</menu></action></keybind>
  </keyboard>
  <mouse>
    <context name="Titlebar">
      <mousebind button="Left" action="Drag"><action name="Move"/></mousebind>
      <mousebind button="Left" action="DoubleClick"><action name="ToggleMaximize"/></mousebind>
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
    </context>
    <context name="Client">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
    </context>
    <context name="Top Bottom Left Right TLCorner TRCorner BLCorner BRCorner">
      <mousebind button="Left" action="Drag"><action name="Resize"/></mousebind>
    </context>
    <context name="Close"><mousebind button="Left" action="Click"><action name="Close"/></mousebind></context>
    <context name="Iconify"><mousebind button="Left" action="Click"><action name="Iconify"/></mousebind></context>
    <context name="Maximize"><mousebind button="Left" action="Click"><action name="ToggleMaximize"/></mousebind></context>
    <context name="Root">
      <mousebind button="Left" action="Press"><action name="ShowMenu"><menu>root-menu</menu></action></mousebind>
      <mousebind button="Right" action="Press"><action name="ShowMenu"><menu>root-menu</menu></action></mousebind>
    </context>
  </mouse>
  <menu><file>{menu}</file></menu>
  <applications>
    <application class="oriel-message"><layer>above</layer></application>
  </applications>
</openbox_config>
"#,
        menu = xml(&menu.to_string_lossy()),
    )
}

/// The menu of the plain desktop: what is installed, and the way out.
pub(super) fn menu(apps: &[App]) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<openbox_menu xmlns=\"http://openbox.org/3.4/menu\">\n\
         <menu id=\"root-menu\" label=\"Menu\">\n",
    );
    for app in apps {
        let command = format!("{} {}", app.program, app.arguments);
        let _ = writeln!(
            text,
            "<item label=\"{}\"><action name=\"Execute\"><command>{}</command></action></item>",
            xml(&app.name),
            xml(command.trim())
        );
    }
    text.push_str(
        "<separator/>\n<item label=\"Log off\"><action name=\"Exit\"><prompt>no</prompt></action></item>\n\
         </menu>\n</openbox_menu>\n",
    );
    text
}

fn xml(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
        out
    })
}

/// The panel of the plain desktop: some programs, the open windows, the clock.
pub(super) fn panel(apps: &[App]) -> String {
    let mut text = String::from(
        "panel_items = LTSC\npanel_position = bottom center horizontal\npanel_size = 100% 40\n\
         panel_background_id = 1\npanel_padding = 8 4 8\nwm_menu = 1\ntaskbar_mode = single_desktop\n\
         taskbar_name = 0\ntaskbar_padding = 4 0 4\ntask_background_id = 2\ntask_active_background_id = 3\n\
         task_maximum_size = 220 32\ntask_padding = 8 4 8\ntask_text = 1\ntask_icon = 1\n\
         task_font_color = #d8dee9 100\ntask_font = sans 10\nmouse_left = toggle_iconify\nmouse_middle = close\n\
         launcher_padding = 4 4 8\nlauncher_icon_size = 26\nlauncher_tooltip = 1\n\
         tooltip_background_id = 2\ntooltip_font_color = #ffffff 100\ntooltip_padding = 6 4\n\
         time1_format = %H:%M\ntime1_font = sans bold 11\nclock_font_color = #ffffff 100\nclock_padding = 10 0\n\
         systray_padding = 4 4 4\nsystray_icon_size = 22\n",
    );
    // What people expect at hand comes first; the rest in the order of the menu.
    let mut listed: Vec<&App> = apps.iter().filter(|app| !app.icon_png.is_empty()).collect();
    listed.sort_by_key(|app| {
        let of = |word: &str| app.categories.iter().any(|category| category == word);
        ["FileManager", "TextEditor", "TerminalEmulator", "WebBrowser", "Calculator", "Graphics", "Office"]
            .iter()
            .position(|word| of(word))
            .unwrap_or(usize::MAX)
    });
    for app in listed.into_iter().take(LAUNCHERS_MAX) {
        let _ = writeln!(text, "launcher_item_app = {}.desktop", app.id);
    }
    // Backgrounds are numbered in their order: panel, window, active window.
    let background = |colour: &str| format!("rounded = 4\nborder_width = 0\nbackground_color = {colour}\n");
    format!(
        "{}{}{}{text}",
        "rounded = 0\nborder_width = 0\nbackground_color = #1b1f26 100\n",
        background("#2e3440 100"),
        background("#4c566a 100")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(id: &str, name: &str, category: &str) -> App {
        App {
            id: id.into(),
            name: name.into(),
            comment: String::new(),
            program: "a".into(),
            arguments: "'<x>'".into(),
            categories: vec![category.into()],
            icon_png: vec![0],
        }
    }

    #[test]
    fn names_in_menus_cannot_break_out() {
        let menu = menu(&[app("x", "A & <B>\"", "")]);
        assert!(menu.contains("label=\"A &amp; &lt;B&gt;&quot;\""));
        assert!(menu.contains("<command>a '&lt;x&gt;'</command>"));
    }

    #[test]
    fn the_panel_has_the_usual_programs_first() {
        let panel = panel(&[
            app("draw", "Draw", "Graphics"),
            app("other", "Other", "Game"),
            app("files", "Files", "FileManager"),
        ]);
        let launchers: Vec<&str> =
            panel.lines().filter_map(|line| line.strip_prefix("launcher_item_app = ")).collect();
        assert_eq!(launchers, ["files.desktop", "draw.desktop", "other.desktop"]);
    }
}
