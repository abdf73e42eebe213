//! What opens when a resource is opened: in a session, or on the user's own device.

use oriel_model::{
    Id, Object,
    host::Host,
    resource::{Application, DesktopSize, Resource, Source, Status, Target, Window, expand},
};

use super::command::{self, Command, Values};
use crate::access::Catalogue;

/// What opens.
#[derive(Debug, Clone, PartialEq)]
pub enum Opening<'a> {
    /// In a session on a host.
    InSession(InSession<'a>),
    /// On the user's own device.
    OnDevice(OnDevice<'a>),
}

/// What opens in a session.
#[derive(Debug, Clone, PartialEq)]
pub struct InSession<'a> {
    /// Where from.
    pub source: &'a Source,
    /// What runs.
    pub program: Program<'a>,
}

/// What runs in a session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Program<'a> {
    /// A whole desktop.
    Desktop {
        /// How large it is.
        size: DesktopSize,
    },
    /// A published application.
    Application {
        /// Which: the resource that is opened, or the one that it opens in.
        id: Id<Resource>,
        /// Its name.
        name: &'a str,
        /// Its settings.
        application: &'a Application,
        /// The file, folder or page that it opens, with its variables; none: nothing.
        opens: Option<Opened<'a>>,
    },
    /// The host's file manager.
    FileManager {
        /// The folder that it shows, with its variables.
        path: &'a str,
    },
}

/// What an application opens, with its variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened<'a> {
    /// A file or a folder.
    Path(&'a str),
    /// A page.
    Url(&'a str),
}

/// What opens on the user's own device.
#[derive(Debug, Clone, PartialEq)]
pub enum OnDevice<'a> {
    /// A page, in the user's own browser.
    Page {
        /// Its address, with its variables.
        url: &'a str,
    },
    /// A program, by a client that is installed there.
    Program {
        /// The program.
        program: &'a str,
        /// Its arguments, with their variables.
        arguments: &'a str,
        /// The folder it starts in.
        start_in: &'a str,
    },
}

/// Why a resource does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unopenable {
    /// It is a folder.
    Folder,
    /// What it opens in is gone, disabled, or no application.
    NoApplication,
    /// What it opens in is in maintenance.
    Maintenance {
        /// The administrator's message, which may be empty.
        message: String,
    },
}

impl std::fmt::Display for Unopenable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unopenable::Folder => f.write_str("a folder of published resources does not open by itself"),
            Unopenable::NoApplication => {
                f.write_str("the application that it opens in is not published any more")
            }
            Unopenable::Maintenance { message } if message.is_empty() => {
                f.write_str("the application that it opens in is in maintenance")
            }
            Unopenable::Maintenance { message } => {
                write!(f, "the application that it opens in is in maintenance: {message}")
            }
        }
    }
}

/// What opens when `resource` is opened. Whether the user may open it is [`crate::access`]'s; whoever may
/// open a document may use the application that it opens in, for that document.
pub fn opening<'a>(resource: &'a Object<Resource>, all: &'a Catalogue) -> Result<Opening<'a>, Unopenable> {
    let in_session = |source, program| Ok(Opening::InSession(InSession { source, program }));
    match &resource.spec.target {
        Target::Folder => Err(Unopenable::Folder),
        Target::Desktop { source, size } => in_session(source, Program::Desktop { size: *size }),
        Target::Application(application) => {
            let (id, name) = (resource.id, &*resource.name);
            let program = Program::Application { id, name, application, opens: None };
            in_session(&application.source, program)
        }
        Target::Document { application, path } => in_application(*application, Opened::Path(path), all),
        Target::WebApplication { url, browser: Some(browser) } => {
            in_application(*browser, Opened::Url(url), all)
        }
        Target::WebApplication { url, browser: None } => Ok(Opening::OnDevice(OnDevice::Page { url })),
        Target::NetworkFolder { path, application: Some(application), .. } => {
            in_application(*application, Opened::Path(path), all)
        }
        Target::NetworkFolder { source, path, application: None } => {
            in_session(source, Program::FileManager { path })
        }
        Target::LocalApplication { program, arguments, start_in, .. } => {
            Ok(Opening::OnDevice(OnDevice::Program { program, arguments, start_in }))
        }
    }
}

fn in_application<'a>(
    id: Id<Resource>,
    opens: Opened<'a>,
    all: &'a Catalogue,
) -> Result<Opening<'a>, Unopenable> {
    let object = all.get(id).ok_or(Unopenable::NoApplication)?;
    let Target::Application(application) = &object.spec.target else {
        return Err(Unopenable::NoApplication);
    };
    match all.status(id) {
        Some(Status::Enabled) => {}
        Some(Status::Maintenance { message }) => {
            return Err(Unopenable::Maintenance { message: message.clone() });
        }
        Some(Status::Disabled) | None => return Err(Unopenable::NoApplication),
    }
    let program = Program::Application { id, name: &object.name, application, opens: Some(opens) };
    Ok(Opening::InSession(InSession { source: &application.source, program }))
}

impl InSession<'_> {
    /// The application that runs; none for a desktop and for the file manager.
    pub fn application(&self) -> Option<Id<Resource>> {
        match self.program {
            Program::Application { id, .. } => Some(id),
            Program::Desktop { .. } | Program::FileManager { .. } => None,
        }
    }

    /// Whether it may open in a shared session of the user.
    pub fn shares(&self) -> bool {
        matches!(self.program, Program::Application { application, .. } if application.share_session)
    }

    /// Whether a user has at most one instance of it.
    pub fn has_one_instance(&self) -> bool {
        matches!(self.program, Program::Application { application, .. } if application.one_instance)
    }

    /// Whether the source names single hosts.
    pub fn names_hosts(&self) -> bool {
        matches!(self.source, Source::Hosts { .. })
    }
}

impl Program<'_> {
    /// What the host starts, with every variable replaced; none: a desktop. Without a program it is the
    /// host's own file manager.
    ///
    /// # Errors
    ///
    /// A sentence about a variable that is not known; settings are checked for it when they are written.
    pub fn command(&self, host: Id<Host>, values: Values<'_>) -> Result<Option<Command>, String> {
        let in_path = |path: &str| expand(path, |variable| command::in_path(&values(variable)));
        match *self {
            Program::Desktop { .. } => Ok(None),
            Program::FileManager { path } => {
                Ok(Some(Command { opens: in_path(path)?, ..command::command("", "", "", values)? }))
            }
            Program::Application { application, opens, .. } => {
                let (program, arguments, start_in) = application.on(host);
                let opens = match opens {
                    None => String::new(),
                    Some(Opened::Path(path)) => in_path(path)?,
                    Some(Opened::Url(url)) => expand(url, |variable| command::in_url(&values(variable)))?,
                };
                Ok(Some(Command { opens, ..command::command(program, arguments, start_in, values)? }))
            }
        }
    }

    /// How its window opens.
    pub fn window(&self) -> Window {
        match self {
            Program::Application { application, .. } => application.window,
            Program::Desktop { .. } | Program::FileManager { .. } => Window::default(),
        }
    }
}

impl OnDevice<'_> {
    /// The address of the page with every variable replaced; none: it is a program.
    ///
    /// # Errors
    ///
    /// See [`Program::command`].
    pub fn url(&self, values: Values<'_>) -> Result<Option<String>, String> {
        match self {
            OnDevice::Page { url } => expand(url, |variable| command::in_url(&values(variable))).map(Some),
            OnDevice::Program { .. } => Ok(None),
        }
    }

    /// What the device starts, with every variable replaced; none: it is a page.
    ///
    /// # Errors
    ///
    /// See [`Program::command`].
    pub fn command(&self, values: Values<'_>) -> Result<Option<Command>, String> {
        match self {
            OnDevice::Page { .. } => Ok(None),
            OnDevice::Program { program, arguments, start_in } => {
                command::command(program, arguments, start_in, values).map(Some)
            }
        }
    }
}
